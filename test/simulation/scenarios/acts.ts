/** Actions of scenarios: outcomes that change late, commands of operators, events at the gateway. */
import { decideUpdate, refundWorkflowId } from '../../../workflows/refund/contract.js';
import type { FaultEffect } from '../../../sandbox/gateway/faults.js';
import type { Transaction } from '../../../sandbox/gateway/types.js';
import type { Row } from '../database/tables.js';
import type { Harness } from '../harness/harness.js';

/** Declines after which a credit may follow. */
export const NOT_LINKABLE = ['700.500.001', '700.500.004', '100.350.101', '800.100.150'] as const;
/** Declines after which the same order is submitted again, ten minutes later or more. */
export const SOFT = ['900.100.202', '800.100.152', '700.400.570', '800.100.162'] as const;
/** Declines after which a refund fails. */
export const FINAL = ['700.500.002', '100.350.100', '700.300.200', '700.100.300', '800.100.206'] as const;
/** Declines after which the gateway's records of the original decide. */
export const UNCLEAR = ['700.300.300', '700.400.200', '700.300.600'] as const;

/** Declines that mean that nothing is owed. */
export const NOT_OWED = ['700.300.200', '100.350.100', '700.500.002'] as const;

/** Milliseconds, longer than any run: queries never show the transaction by themselves. */
export const HIDDEN = 90 * 24 * 3_600_000;

export type Fields = Readonly<Record<string, string>>;

export const attemptsOf = ({ database }: Harness, refundId: string): readonly Row[] =>
  database.tables.rows.attempts.filter((row) => row['refund_id'] === refundId);

export const under = ({ gateway }: Harness, reference: unknown): readonly Transaction[] =>
  gateway.transactions().filter(({ merchantTransactionId }) => merchantTransactionId === reference);

/** Sets faults at the gateway for one order. */
export function setFaults(
  { gateway, trace }: Harness,
  fields: Fields,
  ...effects: readonly FaultEffect[]
): void {
  const match = { merchantTransactionId: fields['merchantTransactionId'] ?? '' };
  for (const effect of effects) {
    if (trace.isKept) trace.note('gateway', `will ${JSON.stringify(effect)}`);
    gateway.setFault({ match, effect });
  }
}

/** Returns the fault of each write: a fault at the gateway for the writes with these numbers, counted from 1, and none for others. */
export function nthWrite(...numbers: readonly number[]): () => 'gateway' | undefined {
  let writes = 0;
  return () => {
    writes += 1;
    return numbers.includes(writes) ? 'gateway' : undefined;
  };
}

function outside({ trace, coverage }: Harness, what: string): void {
  trace.note('outside', what);
  coverage.hit('outside', what);
}

/** Makes the first declined attempt turn out executed. `silently`: the gateway sends no notification of it. */
export function turnsOutPaid(
  harness: Harness,
  refundId: string,
  how: 'notified' | 'silently' = 'notified',
): void {
  const { gateway } = harness;
  for (const attempt of attemptsOf(harness, refundId)) {
    const reference = String(attempt['reference']);
    const found = under(harness, reference).find(({ state, executed }) => state === 'rejected' && !executed);
    if (attempt['state'] !== 'rejected' || found === undefined) continue;
    if (how === 'silently')
      gateway.setFault({
        match: { merchantTransactionId: reference },
        effect: { kind: 'webhook', how: 'lost' },
      });
    outside(harness, 'a declined order turns out paid');
    // Shown from now on: if it stayed hidden as well, the refund would be paid twice.
    if (found.visibleAt > harness.scheduler.now) gateway.show({ id: found.id });
    gateway.succeedLate({ id: found.id });
    harness.watchGateway();
    return;
  }
}

/** Returns the ids of the payment's captures, which refunds are made on. */
export const capturesOf = ({ payment }: Harness): readonly string[] =>
  payment.created.captureIds.length > 0 ? payment.created.captureIds : [payment.id];

/** Makes queries show everything from now on: no process has seen yet what the lag hid. */
export function showAll({ gateway, scheduler }: Harness): void {
  for (const { id, visibleAt } of gateway.transactions()) if (visibleAt > scheduler.now) gateway.show({ id });
}

/** Charges back the payment at the gateway, if its books allow it. */
export function chargeBack(harness: Harness): void {
  const { gateway, payment } = harness;
  const original = gateway
    .transactions()
    .find(({ id }) => id === (payment.created.captureIds[0] ?? payment.id));
  const isCharged = gateway
    .transactions()
    .some(({ type, referencedId }) => type === 'CB' && referencedId === original?.id);
  if (original === undefined || isCharged) return;
  outside(harness, 'chargeback');
  gateway.chargeback({ paymentId: original.id });
  harness.watchGateway();
}

/** Makes the gateway return one paid part of the refund, or all of them. */
export function returnPaid(harness: Harness, refundId: string, what: 'one' | 'all' = 'one'): void {
  const { gateway } = harness;
  const references = attemptsOf(harness, refundId).map((row) => row['reference']);
  const paid = gateway
    .transactions()
    .filter(
      ({ state, merchantTransactionId }) =>
        state === 'succeeded' && references.includes(merchantTransactionId),
    );
  for (const { id } of what === 'all' ? paid : paid.slice(0, 1)) {
    outside(harness, 'returned');
    gateway.failLate({ id });
  }
  if (paid.length > 0) harness.watchGateway();
}

/** Sends an operator's command to the refund's run, if there is one. */
export function sendCommand(
  { cluster, trace }: Harness,
  refundId: string,
  update: string,
  message: object,
  answered: () => void = () => undefined,
): void {
  cluster.update(refundWorkflowId(refundId), update, [message], (outcome) => {
    trace.note('operator', `${update}: ${JSON.stringify(outcome).slice(0, 160)}`);
    if (outcome.kind === 'completed') answered();
  });
}

/** Makes a returned transaction paid again, without a notification. Returns its reference. */
export function paidOnceMore(harness: Harness, refundId: string): string | undefined {
  const { gateway } = harness;
  for (const attempt of attemptsOf(harness, refundId)) {
    const reference = String(attempt['reference']);
    const found = under(harness, reference).find(({ state, executed }) => state === 'rejected' && executed);
    if (attempt['state'] !== 'returned' || found === undefined) continue;
    gateway.setFault({
      match: { merchantTransactionId: reference },
      effect: { kind: 'webhook', how: 'lost' },
    });
    outside(harness, 'a returned order is paid again');
    gateway.succeedLate({ id: found.id });
    harness.watchGateway();
    return reference;
  }
  return undefined;
}

/** Sends the verdict of an operator who may approve. */
export function decide(harness: Harness, refundId: string, verdict: 'approved' | 'refused'): void {
  const refund = harness.database.tables.rows.refunds.find((row) => row['id'] === refundId);
  const instruction: unknown = refund?.['instruction'];
  if (typeof instruction !== 'object' || instruction === null || !('hash' in instruction)) return;
  sendCommand(harness, refundId, decideUpdate.name, {
    verdict,
    instruction: instruction.hash,
    by: 'approver',
    reason: 'seen',
  });
}
