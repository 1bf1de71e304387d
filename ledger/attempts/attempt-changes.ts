/** Stores evidence with an attempt and moves its refund. */
import { sql } from 'kysely';
import { afterTrigger, isFinal, type RefundTrigger } from '../../domain/refund/states.js';
import type { AttemptState } from '../../domain/refund/attempt-states.js';
import { closeOutcomeCases, openCase } from '../core/cases.js';
import { lockAttempt, type AttemptRow, type RefundRow } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import type { Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import type { Evidence } from '../ledger.js';
import { remainingOf } from '../core/balances.js';
import { withCertainId } from './seen-ids.js';

const ONE_QUERY_MORE = sql<number>`queries + 1`;

type Answer = { readonly source: 'query'; readonly code?: string } | Evidence;

/** Returns the actor of events that follow from the evidence: an operator's name, or the kind of source. */
export const actorOf = (evidence: Answer): string =>
  evidence.source === 'operator' ? evidence.by : evidence.source;

/**
 * Ends an attempt that did not pay. Usually the refund continues from there. But another attempt, declined at first, may have paid in the
 * meantime: then nothing is owed, or less than this attempt would pay if it were submitted again.
 */
export async function endWithoutPayment(
  tx: Tx,
  attemptId: string,
  on: 'answer_rejected' | 'not_at_gateway',
  evidence: Answer,
  why?: string,
): Promise<void> {
  const { refund, attempt, ...rest } = await lockAttempt(tx, attemptId);
  const owed = remainingOf({ refund, attempts: rest.attempts });
  if (owed <= 0n && !isFinal(refund.state) && afterTrigger(refund.state, 'answer_succeeded') !== undefined)
    return step(tx, refund, 'answer_succeeded', evidence);
  if (on === 'not_at_gateway' && attempt.amount_minor > owed) {
    await openCase(tx, refund, 'answers_contradict', { owedMinor: owed.toString() });
    if (afterTrigger(refund.state, 'open_case') !== undefined)
      await move(tx, refund, { on: 'open_case', why: 'answers_contradict' });
    return;
  }
  return step(tx, refund, on, evidence, why);
}

/** Moves the refund if its state has this transition. Otherwise the fact is stored and a case is opened for an operator. */
export async function step(
  tx: Tx,
  refund: RefundRow,
  on: RefundTrigger,
  evidence: Answer,
  why?: string,
): Promise<void> {
  if (afterTrigger(refund.state, on) === undefined) {
    if (refund.state !== 'succeeded' && refund.state !== 'settled')
      await openCase(tx, refund, 'answers_contradict', { trigger: on });
    if (isFinal(refund.state)) await closeOutcomeCases(tx, refund.id, actorOf(evidence));
    return;
  }
  await move(tx, refund, {
    on,
    actor: actorOf(evidence),
    ...(why === undefined ? {} : { why }),
    ...(evidence.code === undefined ? {} : { data: { code: evidence.code } }),
  });
}

/** Stores the evidence with the attempt. */
export async function storeEvidence(
  tx: Tx,
  attempt: AttemptRow,
  evidence: Evidence,
  change: {
    readonly state: AttemptState;
    readonly gatewayId?: string;
    readonly refusal?: string | null;
    readonly note?: string;
    readonly paidBackMinor?: bigint;
  },
): Promise<void> {
  const answeredAt = evidence.source === 'query' ? evidence.asked.at : NOW;
  await tx
    .updateTable('attempts')
    .set({
      state: change.state,
      note: change.note ?? null,
      ...(change.gatewayId === undefined ? {} : withCertainId(attempt, change.gatewayId)),
      ...(change.paidBackMinor === undefined ? {} : { paid_back_minor: change.paidBackMinor }),
      ...(change.refusal === undefined ? {} : { decline_class: change.refusal }),
      ...(evidence.code === undefined ? {} : { result_code: evidence.code }),
      ...(evidence.settlement === undefined ? {} : { settlement: JSON.stringify(evidence.settlement) }),
      ...(await otherLast4(tx, attempt, evidence)),
      ...(evidence.description === undefined ? {} : { result_description: evidence.description }),
      ...(change.state === 'absent' || change.state === 'unknown' ? {} : { answered_at: answeredAt }),
    })
    .where('id', '=', attempt.id)
    .execute();
  if (evidence.source === 'query') await recordQuery(tx, attempt.id, evidence.code ?? evidence.outcome.kind);
}

/** Returns the last four digits that the gateway shows, if they differ from those of the sealed card. This flags the attempt for operators. */
async function otherLast4(
  tx: Tx,
  { card_id }: AttemptRow,
  { cardLast4 }: Evidence,
): Promise<{ readonly other_last4?: string }> {
  if (card_id === null || cardLast4 === undefined) return {};
  const card = await tx.selectFrom('cards').select('last4').where('id', '=', card_id).executeTakeFirst();
  return card === undefined || card.last4 === cardLast4 ? {} : { other_last4: cardLast4 };
}

export async function recordQuery(tx: Tx, attemptId: string, answer: string): Promise<void> {
  await tx.insertInto('queries').values({ attempt_id: attemptId, answer }).execute();
  await tx
    .updateTable('attempts')
    .set({ queries: ONE_QUERY_MORE, queried_at: NOW })
    .where('id', '=', attemptId)
    .execute();
}
