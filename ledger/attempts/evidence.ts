/** Records an answer, a query result or a notification about an attempt, once: attempt, balance, refund and event. */
import { declineIsOf } from '../../domain/refund/absence.js';
import type { GatewayId } from '../../domain/ids.js';
import type { Outcome } from '../../domain/refund/outcome.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { ATTEMPT_EVIDENCE, isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { endWithoutPayment, storeEvidence, recordQuery, step } from './attempt-changes.js';
import { openCase } from '../core/cases.js';
import { lockAttempt, type LockedAttempt } from '../core/locks.js';
import type { Database, Tx } from '../db/database.js';
import type { Evidence } from '../ledger.js';
import { observe } from '../payments/observation.js';
import { currentSnapshot } from '../core/snapshots.js';
import { recordReturn } from './returned.js';
import { hasId, storeIds } from './seen-ids.js';
import { recordSecondExecution, succeed } from './success.js';

export function record(database: Database, evidence: Evidence): Promise<RefundSnapshot> {
  return database.transaction(async (tx) => {
    let locked = await lockAttempt(tx, evidence.attemptId);
    if (evidence.original !== undefined) {
      await observe(tx, locked.payment, evidence.original);
      locked = await lockAttempt(tx, evidence.attemptId);
    }
    await apply(tx, locked, evidence);
    return currentSnapshot(tx, locked.refund.id);
  });
}

export function storeNotifiedIds(
  database: Database,
  attemptId: string,
  ids: readonly string[],
): Promise<void> {
  return database.transaction(async (tx) => {
    const evidence: Evidence = {
      attemptId,
      source: 'notification',
      outcome: { kind: 'unknown', why: 'not_a_result' },
      ids,
    };
    const locked = await storeIds(tx, await lockAttempt(tx, attemptId), evidence, undefined);
    if (locked.attempt.state === 'absent' && hasId(locked.attempt))
      await reopen(tx, locked, evidence, 'the gateway sent a notification');
  });
}

/** Applies evidence. The transaction must hold the payment's lock. */
export async function apply(tx: Tx, before: LockedAttempt, evidence: Evidence): Promise<void> {
  const outcome = await ownOutcome(tx, before, evidence.outcome);
  const locked = await storeIds(tx, before, evidence, recordedId(before, evidence, outcome));
  switch (outcome.kind) {
    case 'succeeded':
      return succeed(tx, locked, evidence, outcome.gatewayId, outcome.releasedMinor);
    case 'pending':
      return accepted(tx, locked, evidence, outcome);
    case 'rejected':
      return declined(tx, locked, evidence, outcome);
    case 'unknown':
      return doubtful(tx, locked, evidence, outcome);
    case 'not_sent':
      return neverLeft(tx, locked, evidence, outcome);
    default:
      return outcome satisfies never;
  }
}

type OutcomeOf<K extends Outcome['kind']> = Extract<Outcome, { kind: K }>;

/** Returns the gateway id that is stored together with the outcome, if the outcome will be recorded. */
function recordedId({ attempt }: LockedAttempt, evidence: Evidence, outcome: Outcome): GatewayId | undefined {
  switch (outcome.kind) {
    case 'succeeded':
    case 'pending':
      return ATTEMPT_EVIDENCE[outcome.kind].includes(attempt.state) ? outcome.gatewayId : undefined;
    case 'rejected':
      return endsLatest({ attempt }, evidence, outcome) ? outcome.gatewayId : undefined;
    case 'unknown':
    case 'not_sent':
      return undefined;
    default:
      return outcome satisfies never;
  }
}

async function accepted(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  { gatewayId }: OutcomeOf<'pending'>,
): Promise<void> {
  if (!ATTEMPT_EVIDENCE.pending.includes(locked.attempt.state)) return;
  await storeEvidence(tx, locked.attempt, evidence, { state: 'pending', gatewayId });
  return step(tx, locked.refund, 'answer_pending', evidence);
}

async function declined(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  outcome: OutcomeOf<'rejected'>,
): Promise<void> {
  const { attempt } = locked;
  if (attempt.state === 'succeeded') return recordReturn(tx, locked, evidence, outcome.gatewayId);
  if (attempt.state === 'absent' && hasId(attempt)) {
    await reopen(tx, locked, evidence, 'declined');
    return declined(tx, await lockAttempt(tx, attempt.id), evidence, outcome);
  }
  if (endsLatest(locked, evidence, outcome)) {
    await storeEvidence(tx, attempt, evidence, {
      state: 'rejected',
      refusal: outcome.class,
      ...(outcome.gatewayId === undefined ? {} : { gatewayId: outcome.gatewayId }),
    });
    return endWithoutPayment(tx, attempt.id, 'answer_rejected', evidence);
  }
  if (evidence.source === 'query')
    await recordQuery(tx, attempt.id, `${evidence.code ?? 'declined'}, of an earlier submission`);
}

/** True if the decline ends the attempt: the attempt is open, and the decline is about its latest submission. */
function endsLatest(
  { attempt }: Pick<LockedAttempt, 'attempt'>,
  evidence: Evidence,
  outcome: OutcomeOf<'rejected'>,
): boolean {
  if (!ATTEMPT_EVIDENCE.rejected.includes(attempt.state)) return false;
  switch (evidence.source) {
    case 'answer':
      return evidence.send === attempt.submissions;
    case 'query':
      return declineIsOf({
        isAskedSince: evidence.asked.send === attempt.submissions,
        isInTransit: attempt.state === 'submitting',
        mayHaveArrived: attempt.submissions - attempt.not_sent_count,
        declines: outcome.declines ?? 1,
        declinedAt: outcome.declinedAt,
        submittedAt: attempt.sent_at,
      });
    case 'notification':
      return attempt.submissions === 1;
    case 'operator':
      return true;
    default:
      return evidence satisfies never;
  }
}

/**
 * Records an uncertain outcome. An attempt that was marked absent is open again if the gateway has shown an id of it, and is not
 * submitted again.
 */
async function doubtful(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  outcome: OutcomeOf<'unknown'>,
): Promise<void> {
  const { attempt, refund } = locked;
  if (outcome.why === 'found_twice') {
    await openCase(tx, refund, 'found_twice', { executed: outcome.executed ?? [] });
    if (outcome.executed !== undefined) return executedTwice(tx, locked, evidence, outcome.executed);
  }
  const isStale = evidence.source === 'answer' && evidence.send !== attempt.submissions;
  const isThere = hasId(attempt) || outcome.why === 'found_twice';
  if (attempt.state === 'absent' ? !isThere : isStale || !isOpenAttempt(attempt.state)) return;
  return reopen(tx, locked, evidence, outcome.why);
}

/** Marks the outcome as open. */
async function reopen(
  tx: Tx,
  { attempt, refund }: LockedAttempt,
  evidence: Evidence,
  why: string,
): Promise<void> {
  const isNew = ATTEMPT_EVIDENCE.unknown.includes(attempt.state);
  await storeEvidence(tx, attempt, evidence, { state: isNew ? 'unknown' : attempt.state, note: why });
  if (isNew && refund.state !== 'manual_review') await step(tx, refund, 'answer_unknown', evidence, why);
}

/**
 * Records that a submission was not sent. Only the sender knows this, and only of its own submission. If the gateway ever gave the
 * attempt an id, a submission did arrive.
 */
async function neverLeft(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  { why }: OutcomeOf<'not_sent'>,
): Promise<void> {
  const { attempt } = locked;
  if (evidence.source !== 'answer' || evidence.send !== attempt.submissions) return;
  if (!ATTEMPT_EVIDENCE.absent.includes(attempt.state)) return;
  if (hasId(attempt)) return reopen(tx, locked, evidence, why);
  await storeEvidence(tx, attempt, evidence, { state: 'absent', note: why });
  await tx
    .updateTable('attempts')
    .set({ not_sent_count: attempt.not_sent_count + 1 })
    .where('id', '=', attempt.id)
    .execute();
  return endWithoutPayment(tx, attempt.id, 'not_at_gateway', evidence, why);
}

/** Returns the outcome, or `unknown` if its gateway transaction belongs to another attempt. */
async function ownOutcome(tx: Tx, { attempt, refund }: LockedAttempt, outcome: Outcome): Promise<Outcome> {
  const gatewayId = 'gatewayId' in outcome ? outcome.gatewayId : undefined;
  if (gatewayId === undefined || gatewayId === attempt.gateway_id) return outcome;
  const owner = await otherOwner(tx, attempt.id, gatewayId);
  if (owner === undefined) return outcome;
  await openCase(tx, refund, 'answers_contradict', { gatewayId, belongsTo: owner });
  return { kind: 'unknown', why: 'wrong_reference' };
}

/** Returns the id of another attempt that owns this gateway transaction, or undefined. */
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
 * Records two executions under one reference: both are money that left. The known one, or the first listed, belongs to the attempt; the
 * others are counted beside it. The case stays open until an operator closes it.
 */
async function executedTwice(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  executed: readonly GatewayId[],
): Promise<void> {
  const free: GatewayId[] = [];
  for (const id of executed) if ((await otherOwner(tx, locked.attempt.id, id)) === undefined) free.push(id);
  const own = free.find((id) => id === locked.attempt.gateway_id) ?? free[0];
  if (own === undefined) return;
  await succeed(tx, locked, evidence, own);
  for (const other of free) {
    const now = await lockAttempt(tx, locked.attempt.id);
    if (now.attempt.state === 'succeeded') await recordSecondExecution(tx, now, evidence, other);
  }
}
