/** What a course makes happen: late truth, words of persons, somebody at the gateway. */
import { decideUpdate, refundWorkflowId } from '../../../workflows/refund/contract.js';
import type { FaultEffect } from '../../../sandbox/gateway/faults.js';
import type { Transaction } from '../../../sandbox/gateway/types.js';
import type { Row } from '../database/tables.js';
import type { Harness } from '../harness/harness.js';

/** Refusals after which a credit may follow. */
export const NOT_LINKABLE = ['700.500.001', '700.500.004', '100.350.101', '800.100.150'] as const;
/** Refusals after which the same is sent again, ten minutes later or more. */
export const SOFT = ['900.100.202', '800.100.152', '700.400.570', '800.100.162'] as const;
/** Refusals after which a refund is given up. */
export const FINAL = ['700.500.002', '100.350.100', '700.300.200', '700.100.300', '800.100.206'] as const;
/** Refusals that are compared with what the gateway has on the original. */
export const UNCLEAR = ['700.300.300', '700.400.200', '700.300.600'] as const;

/** Refusals that say that nothing is owed. */
export const NOT_OWED = ['700.300.200', '100.350.100', '700.500.002'] as const;

/** Milliseconds, longer than any lifetime: look-ups never show it by themselves. */
export const HIDDEN = 90 * 24 * 3_600_000;

export type Fields = Readonly<Record<string, string>>;

export const attemptsOf = ({ database }: Harness, refundId: string): readonly Row[] =>
  database.tables.rows.attempts.filter((row) => row['refund_id'] === refundId);

export const under = ({ gateway }: Harness, reference: unknown): readonly Transaction[] =>
  gateway.transactions().filter(({ merchantTransactionId }) => merchantTransactionId === reference);

/** At the gateway, with one order alone. */
export function config(
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

/** Trouble at the gateway for the orders of these numbers, counted from 1, and for no other. */
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

/** The first refused attempt turns out executed. `silently`: the gateway gives no notice of it. */
export function turnsOutPaid(
  harness: Harness,
  refundId: string,
  how: 'reported' | 'silently' = 'reported',
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
    outside(harness, 'what was refused turns out paid');
    // Whoever looks from now on sees it: what a lag hides besides would be paid twice.
    if (found.visibleAt > harness.scheduler.now) gateway.show({ id: found.id });
    gateway.succeedLate({ id: found.id });
    harness.watchGateway();
    return;
  }
}

/** What was captured of the payment: what refunds are made on. */
export const capturesOf = ({ payment }: Harness): readonly string[] =>
  payment.created.captureIds.length > 0 ? payment.created.captureIds : [payment.id];

/** Queries show everything from now on: what a lag hides is not known to anybody yet. */
export function showAll({ gateway, scheduler }: Harness): void {
  for (const { id, visibleAt } of gateway.transactions()) if (visibleAt > scheduler.now) gateway.show({ id });
}

/** The gateway's books change without the program, unless they do not allow it. */
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

/** A part of it that was paid comes back, or all of them. */
export function recordReturn(harness: Harness, refundId: string, what: 'one' | 'all' = 'one'): void {
  const { gateway } = harness;
  const references = attemptsOf(harness, refundId).map((row) => row['reference']);
  const paid = gateway
    .transactions()
    .filter(
      ({ state, merchantTransactionId }) =>
        state === 'succeeded' && references.includes(merchantTransactionId),
    );
  for (const { id } of what === 'all' ? paid : paid.slice(0, 1)) {
    outside(harness, 'came back');
    gateway.failLate({ id });
  }
  if (paid.length > 0) harness.watchGateway();
}

/** A person says something to the run, where there is one. */
export function print(
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

/** What came back is paid again, and the gateway gives no notice of it. Returns its reference. */
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
    outside(harness, 'what came back is paid again');
    gateway.succeedLate({ id: found.id });
    harness.watchGateway();
    return reference;
  }
  return undefined;
}

/** What waits for approval is decided by somebody who may. */
export function decide(harness: Harness, refundId: string, verdict: 'approved' | 'refused'): void {
  const refund = harness.database.tables.rows.refunds.find((row) => row['id'] === refundId);
  const instruction: unknown = refund?.['instruction'];
  if (typeof instruction !== 'object' || instruction === null || !('hash' in instruction)) return;
  print(harness, refundId, decideUpdate.name, {
    verdict,
    instruction: instruction.hash,
    by: 'approver',
    reason: 'seen',
  });
}
