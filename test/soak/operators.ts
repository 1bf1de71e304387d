/** Operators, approvers, the gateway's notifications, banks and the gateway's portal, all acting while refunds are under way. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { RefundsError, type Refund, type RefundsClient } from '../../client/index.js';
import { CommandRefused } from '../../sandbox/gateway/controls.js';
import type { SimulatedGateway } from '../../sandbox/gateway/simulated-gateway.js';
import { encryptWebhook } from '../../sandbox/gateway/webhooks.js';
import { gatewayNotification, refundWorkflowId } from '../../workflows/refund/contract.js';
import type { Random } from '../simulation/harness/random.js';
import { CLERK, HttpRefusal, OPERATOR, SECOND, type EntryPoint, type Http } from './http.js';
import type { Machine } from './machine.js';
import { queryFault } from './moods.js';
import { add, type Notes } from './notes.js';

export interface Operators {
  readonly client: RefundsClient;
  readonly http: Http;
  readonly webhooks: Machine['webhooks'];
  readonly temporal: Client;
  readonly gateway: SimulatedGateway;
  readonly random: Random;
  readonly notes: Notes;
  readonly over: AbortSignal;
}

const PAUSE = { least: 80, most: 1_200 };
const MOST_AT_ONCE = 20;
const note = { reason: 'soak' };

/** Acts on recently accepted refunds, again and again, in any state. Acts are the usual ones and `more`. */
export async function runOperators(operators: Operators, more: readonly Act[]): Promise<void> {
  const { random, notes, over } = operators;
  const running = new Set<Promise<void>>();
  while (!over.aborted) {
    await sleep(random.spread(PAUSE.least, PAUSE.most));
    const recent = [...notes.accepted.keys()].slice(-40);
    const id = recent[random.between(0, Math.max(0, recent.length - 1))];
    if (id === undefined || running.size >= MOST_AT_ONCE) continue;
    const act = random.pick([...ACTS, ...more]);
    const acting = act(operators, id)
      .catch((error: unknown) => {
        // A refusal or an unavailable service: both belong to the run. Answers that must not be accepted are checked in the act.
        notes.fault(
          error instanceof RefundsError || error instanceof HttpRefusal
            ? `operator refused: ${error.code}`
            : 'operator: no answer',
        );
      })
      .finally(() => running.delete(acting));
    running.add(acting);
  }
  await Promise.all(running);
}

/** Acts on a recent refund, or on another one that fits better. */
export type Act = (operators: Operators, refundId: string) => Promise<void>;

const notification: Act = async ({ temporal, random, notes }, id) => {
  notes.fault('notification');
  const handle = temporal.workflow.getHandle(refundWorkflowId(id));
  await handle.signal(gatewayNotification);
  if (random.chance(0.5)) await handle.signal(gatewayNotification);
};

const unknownNotification: Act = async ({ temporal, notes }) => {
  notes.fault('notification for an unknown refund');
  await temporal.workflow.getHandle(refundWorkflowId(crypto.randomUUID())).signal(gatewayNotification);
};

/** Returns one of the two entry points at random: both carry the same commands. */
const entryPointOf = ({ client, http, random }: Pick<Operators, 'client' | 'http' | 'random'>): EntryPoint =>
  random.pick<EntryPoint>([client, http]);

const withdraw: Act = async (operators, id) => {
  const { notes } = operators;
  notes.fault('withdrawal tried');
  const refund = await entryPointOf(operators).withdraw(id, { by: OPERATOR, ...note });
  if (refund.state === 'canceled') notes.withdrawn.add(id);
};

const sync: Act = async (operators, id) => {
  operators.notes.fault('checked with the gateway by an operator');
  await entryPointOf(operators).sync(id);
};

const terminate: Act = async (operators, id) => {
  const { random } = operators;
  await runAgain(operators, id, random.chance(0.7) ? random.spread(10, 2_000) : 0);
};

/** Terminates the run and starts another, as an operator does. The new run reads its state from the ledger. */
export async function runAgain(
  { client, temporal, notes }: Pick<Operators, 'client' | 'temporal' | 'notes'>,
  refundId: string,
  pauseMs: number,
): Promise<void> {
  notes.fault('run terminated');
  await temporal.workflow.getHandle(refundWorkflowId(refundId)).terminate('soak');
  await sleep(pauseMs);
  await client.sync(refundId);
}

const decide: Act = async (operators, _id) => {
  const { client, random } = operators;
  for (const refund of await client.listRefunds({ state: 'awaiting_approval', limit: 20 }))
    if (random.chance(0.7)) await decideOn(operators, refund);
};

/** Decides, as a second approver, about the instruction that is shown now. */
export async function decideOn(
  operators: Pick<Operators, 'client' | 'http' | 'random' | 'notes'>,
  refund: Refund,
) {
  const { random, notes } = operators;
  const entryPoint = entryPointOf(operators);
  if (refund.approval === null) return;
  const { instruction } = refund.approval;
  switch (random.pick(['yes', 'yes', 'yes', 'no', 'own', 'other'])) {
    case 'yes':
      notes.fault('credit approved');
      await entryPoint.approve(refund.id, { by: SECOND, instruction, ...note });
      return;
    case 'no':
      notes.fault('credit refused by an approver');
      await entryPoint.reject(refund.id, { by: SECOND, instruction, ...note });
      return;
    case 'own':
      notes.fault('approval by the requester');
      // Accepted only if a second approver has approved already; the tables tell whose approval counts.
      await entryPoint.approve(refund.id, { by: CLERK, instruction, ...note });
      return;
    default:
      notes.fault('approval of another instruction');
      await entryPoint.approve(refund.id, { by: SECOND, instruction: '0'.repeat(32), ...note });
      notes.wrong.push(`refund ${refund.id}: an instruction was approved that does not exist`);
  }
}

/** Starts the refunds that were accepted while Temporal was unavailable, as a scheduled sweep does. */
const resume: Act = async ({ client, notes }) => {
  notes.fault('unfinished refunds resumed');
  await client.resume();
};

const chargeback: Act = async ({ gateway, random, notes }, id) => {
  await outside(notes, 'chargeback', () => {
    const found = captureOf(notes, gateway, random, id);
    if (found === undefined) return false;
    gateway.chargeback({ paymentId: found });
    return true;
  });
};

const wonDispute: Act = async ({ gateway, random, notes }) => {
  await outside(notes, 'chargeback reversed', () => {
    const disputes = gateway.transactions().filter(({ type }) => type === 'CB');
    const dispute = disputes[random.between(0, Math.max(0, disputes.length - 1))];
    if (dispute === undefined) return false;
    gateway.reverseChargeback(dispute.id);
    return true;
  });
};

const portalRefund: Act = async ({ gateway, random, notes }, id) => {
  await outside(notes, 'refund in the portal', () => {
    const found = captureOf(notes, gateway, random, id);
    const amount = gateway.transactions().find((transaction) => transaction.id === found)?.amount;
    if (found === undefined || amount === undefined) return false;
    gateway.refundInPortal({
      paymentId: found,
      amount: (amount * BigInt(random.pick([10, 50, 100]))) / 100n,
    });
    return true;
  });
};

const blindQueries: Act = async ({ gateway, random, notes }) => {
  notes.fault('queries of all refunds disturbed');
  gateway.setFault({ times: random.between(1, 6), effect: queryFault(random) });
  add(notes.rules, 'query');
};

/**
 * Posts a notification that a refund is paid, encrypted without the gateway's key. It must be refused. The verdicts search for its id
 * at the end: no other transaction has it.
 */
const forgedNotification: Act = async ({ client, webhooks, random, notes }, id) => {
  const refund = await client.getRefund(id);
  const attempt = refund.attempts.at(-1);
  if (attempt === undefined) return;
  const gatewayId = Array.from({ length: 32 }, () => random.between(0, 15).toString(16)).join('');
  notes.forged.add(gatewayId);
  const payload = {
    id: gatewayId,
    paymentType: attempt.type,
    amount: attempt.amount,
    currency: refund.currency,
    result: { code: '000.100.110', description: 'Request successfully processed' },
    merchantTransactionId: attempt.merchantTransactionId,
    referencedId: refund.paymentId,
    timestamp: '2026-01-01 00:00:00+0000',
    authentication: { entityId: webhooks.entityId },
  };
  const { headers, body } = encryptWebhook(
    randomBytes(32).toString('hex'),
    JSON.stringify({ type: 'PAYMENT', payload }),
    random.pick(['none', 'json']),
  );
  const without = random.chance(0.2) ? { 'content-type': 'text/plain' } : headers;
  notes.fault('forged notification');
  const response = await fetch(webhooks.url, {
    method: 'POST',
    headers: without,
    body,
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (response.status !== 400 && response.status !== 503)
    notes.wrong.push(`a forged notification was answered ${response.status}: ${text}`);
};

/** Returns the debit itself or one of the captures. */
function captureOf(notes: Notes, gateway: SimulatedGateway, random: Random, id: string): string | undefined {
  const paymentId = notes.accepted.get(id)?.paymentId ?? undefined;
  const captures = gateway
    .transactions()
    .filter((one) => one.type === 'CP' && (one.referencedId === paymentId || one.id === paymentId));
  if (captures.length === 0) return paymentId;
  return captures[random.between(0, captures.length - 1)]?.id;
}

async function outside(notes: Notes, kind: string, act: () => boolean): Promise<void> {
  try {
    if (act()) notes.fault(kind);
  } catch (error) {
    // The gateway refuses it too: nothing is left, or the payment is disputed already.
    if (!(error instanceof CommandRefused)) throw error;
  }
}

const ACTS: readonly [Act, ...Act[]] = [
  ...([
    notification,
    notification,
    notification,
    unknownNotification,
    withdraw,
    withdraw,
    sync,
    sync,
    terminate,
  ] as const),
  ...([
    decide,
    decide,
    decide,
    resume,
    chargeback,
    wonDispute,
    portalRefund,
    blindQueries,
    forgedNotification,
    forgedNotification,
  ] as const),
];
