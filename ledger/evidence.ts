/** What an answer, a look-up or a notice says about an attempt, recorded once: attempt, balance, refund, event. */
import type { GatewayId } from '../domain/ids.js';
import type { Outcome } from '../domain/outcome.js';
import type { Position } from '../domain/next-step.js';
import { ATTEMPT_EVIDENCE, isOpenAttempt } from '../domain/states.js';
import { endUnpaid, noteEvidence, step, type LockedAttempt } from './attempt-ends.js';
import { lockAttempt, openCase } from './books.js';
import type { Database, Tx } from './database.js';
import type { Evidence } from './ledger.js';
import { updatePayment } from './payments.js';
import { currentPosition } from './records.js';
import { executedAgain, succeed, undo } from './success.js';

export function record(database: Database, evidence: Evidence): Promise<Position> {
  return database.transaction(async (tx) => {
    let locked = await lockAttempt(tx, evidence.attemptId);
    if (evidence.original !== undefined) {
      await updatePayment(tx, locked.payment, evidence.original);
      locked = await lockAttempt(tx, evidence.attemptId);
    }
    await apply(tx, locked, evidence);
    return currentPosition(tx, locked.refund.id);
  });
}

/** Within a transaction that holds the payment's lock. */
export async function apply(tx: Tx, locked: LockedAttempt, evidence: Evidence): Promise<void> {
  const { attempt } = locked;
  const outcome = await ownOutcome(tx, locked, evidence.outcome);
  // An answer to an earlier handing-over says nothing certain about the later one, unless money moved.
  const isStale = evidence.send !== null && evidence.send !== attempt.sends;
  switch (outcome.kind) {
    case 'succeeded':
      return succeed(tx, locked, evidence, outcome.gatewayId, outcome.releasedMinor);
    case 'pending':
      if (!ATTEMPT_EVIDENCE.pending.includes(attempt.state)) return;
      await noteEvidence(tx, attempt, evidence, { state: 'pending', gatewayId: outcome.gatewayId });
      return step(tx, locked.refund, 'answer_pending', evidence);
    case 'rejected':
      if (attempt.state === 'succeeded') return undo(tx, locked, evidence, outcome.gatewayId);
      if (isStale || !ATTEMPT_EVIDENCE.rejected.includes(attempt.state)) return;
      // A look-up may show the earlier handing-over while the later one is still on its way.
      if (evidence.send === null && attempt.sends > 1 && attempt.state === 'submitting') return;
      await noteEvidence(tx, attempt, evidence, {
        state: 'rejected',
        refusal: outcome.class,
        ...(outcome.gatewayId === undefined ? {} : { gatewayId: outcome.gatewayId }),
      });
      return endUnpaid(tx, attempt.id, 'answer_rejected', evidence);
    case 'unknown':
      if (outcome.why === 'found_twice') {
        await openCase(tx, locked.refund, 'found_twice', { executed: outcome.executed ?? [] });
        if (outcome.executed !== undefined) return executedTwice(tx, locked, evidence, outcome.executed);
      }
      return doubt(tx, locked, evidence, isStale, outcome);
    case 'not_sent':
      // Only the sender knows this, and only of its own handing-over.
      if (isStale || evidence.source !== 'answer' || !ATTEMPT_EVIDENCE.absent.includes(attempt.state)) return;
      await noteEvidence(tx, attempt, evidence, { state: 'absent', note: outcome.why });
      return endUnpaid(tx, attempt.id, 'not_at_gateway', evidence, outcome.why);
    default:
      return outcome satisfies never;
  }
}

/** One transaction at the gateway belongs to one attempt. Where it is another's already, nothing is known about this one. */
async function ownOutcome(tx: Tx, { attempt, refund }: LockedAttempt, outcome: Outcome): Promise<Outcome> {
  const gatewayId = 'gatewayId' in outcome ? outcome.gatewayId : undefined;
  if (gatewayId === undefined || gatewayId === attempt.gateway_id) return outcome;
  const owner = await otherOwner(tx, attempt.id, gatewayId);
  if (owner === undefined) return outcome;
  await openCase(tx, refund, 'answers_contradict', { gatewayId, belongsTo: owner });
  return { kind: 'unknown', why: 'wrong_reference' };
}

/** The id of another attempt that this transaction at the gateway belongs to, where there is one. */
export async function otherOwner(tx: Tx, attemptId: string, gatewayId: string): Promise<string | undefined> {
  const owner = await tx
    .selectFrom('attempts')
    .select('id')
    .where('gateway_id', '=', gatewayId)
    .where('id', '<>', attemptId)
    .executeTakeFirst();
  return owner?.id;
}

/**
 * Two executions under one reference: all of it is money that left. The one that was known, or is listed first, is the attempt's; the
 * others are counted beside it, and the case stays open until a person closes it.
 */
async function executedTwice(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  executed: readonly GatewayId[],
): Promise<void> {
  const others = await tx
    .selectFrom('attempts')
    .select('gateway_id')
    .where('payment_id', '=', locked.payment.id)
    .where('id', '<>', locked.attempt.id)
    .execute();
  const free = executed.filter((id) => !others.some(({ gateway_id }) => gateway_id === id));
  const own = free.find((id) => id === locked.attempt.gateway_id) ?? free[0];
  if (own === undefined) return;
  await succeed(tx, locked, evidence, own);
  for (const other of free) {
    const now = await lockAttempt(tx, locked.attempt.id);
    if (now.attempt.state === 'succeeded') await executedAgain(tx, now, evidence, other);
  }
}

/** Nothing certain. What was taken for absent is open again where the gateway shows something of it: it is not sent again. */
async function doubt(
  tx: Tx,
  { attempt, refund }: LockedAttempt,
  evidence: Evidence,
  isStale: boolean,
  outcome: Extract<Outcome, { kind: 'unknown' }>,
): Promise<void> {
  const isThere =
    evidence.source !== 'answer' && (outcome.gatewayId !== undefined || outcome.why === 'found_twice');
  if (attempt.state === 'absent' ? !isThere : isStale || !isOpenAttempt(attempt.state)) return;
  const isNew = ATTEMPT_EVIDENCE.unknown.includes(attempt.state);
  await noteEvidence(tx, attempt, evidence, { state: isNew ? 'unknown' : attempt.state, note: outcome.why });
  if (isNew && refund.state !== 'manual_review')
    await step(tx, refund, 'answer_unknown', evidence, outcome.why);
}
