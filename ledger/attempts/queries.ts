/** Queries of open attempts: what a query needs to know, and the consequences if it finds nothing. */
import { sql } from 'kysely';
import { provesAbsence } from '../../domain/refund/absence.js';
import type { CaseReason } from '../../domain/refund/reasons.js';
import { isRefundId } from '../../domain/ids.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { Timings } from '../../domain/refund/config.js';
import { afterTrigger } from '../../domain/refund/states.js';
import { isOpenAttempt, OPEN_ATTEMPT_STATES, type AttemptState } from '../../domain/refund/attempt-states.js';
import { ageAt } from './attempt-age.js';
import { endWithoutPayment, recordQuery } from './attempt-changes.js';
import { openCase } from '../core/cases.js';
import { lockAttempt, lockPayment, type AttemptRow, type RefundRow } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import type { Database, Tx } from '../db/database.js';
import { GATEWAY_ID, NOW } from '../db/expressions.js';
import { paymentOf } from '../refunds/unlinked-credit.js';
import { openProposal } from '../commands/command-results.js';
import type { QueryTarget, InconclusiveQuery } from '../ledger.js';
import type { QueryStart } from '../core/queries.js';
import { currentSnapshot } from '../core/snapshots.js';
import { gatewayIdsOf, hasId, idsOf } from './seen-ids.js';

const ASKED_ABOUT: readonly AttemptState[] = [...OPEN_ATTEMPT_STATES, 'returned'];

/** Returns the open attempt, or else the last returned one, in the form that a query needs. Null if there is none. */
export async function queryTarget(database: Database, refundId: string): Promise<QueryTarget | null> {
  if (!isRefundId(refundId)) return null;
  const rows = await database.db
    .selectFrom('attempts')
    .innerJoin('payments', 'payments.id', 'attempts.payment_id')
    .selectAll('attempts')
    .select(['payments.entity_id', 'payments.currency', NOW.as('now')])
    .where('refund_id', '=', refundId)
    .where('attempts.state', 'in', ASKED_ABOUT)
    .orderBy('number')
    .execute();
  const row = rows.find(({ state }) => isOpenAttempt(state)) ?? rows.at(-1);
  if (row === undefined) return null;
  const known = await database.db
    .selectFrom('attempts')
    .select(['id', 'reference', 'gateway_id', 'seen_ids'])
    .where('payment_id', '=', row.payment_id)
    .execute();
  const elsewhere = await database.db
    .selectFrom('events')
    .select(GATEWAY_ID.as('id'))
    .where('payment_id', '=', row.payment_id)
    .where('type', '=', 'payment.returned_elsewhere')
    // A refund made elsewhere that appeared after this attempt was opened may be this attempt, shown without its reference.
    .where('at', '<', row.opened_at)
    .execute();
  const ours = known.flatMap((attempt) => [attempt.reference, ...idsOf(attempt)]);
  const others = new Set([
    ...known.flatMap((attempt) => (attempt.id === row.id ? [] : idsOf(attempt))),
    ...elsewhere.map(({ id }) => id),
  ]);
  return {
    explained: new Set([...ours, ...others]),
    attemptId: row.id,
    operation: row.operation,
    state: row.state,
    entityId: row.entity_id,
    paymentId: paymentOf(refundId, row.payment_id),
    originalId: row.original_id,
    reference: row.reference,
    gatewayIds: gatewayIdsOf(row).filter((id) => !others.has(id)),
    asked: { send: row.submissions, at: row.now },
    amountMinor: row.amount_minor,
    currency: row.currency,
  };
}

/**
 * Counts a query that did not find the payment. True if enough of them, far enough apart, found nothing. A query that finds the payment
 * resets the count.
 */
export function recordPaymentNotFound(
  database: Database,
  paymentId: string,
  timings: Timings,
): Promise<boolean> {
  return database.transaction(async (tx) => {
    const payment = await lockPayment(tx, paymentId);
    const { spacing } = await tx
      .selectNoFrom([
        sql<
          number | null
        >`(extract(epoch from now() - ${payment.last_not_found_at}::timestamptz) * 1000)::float8`.as(
          'spacing',
        ),
      ])
      .executeTakeFirstOrThrow();
    if (spacing !== null && spacing < timings.notFoundSpacing) return false;
    const notFoundCount = payment.not_found_count + 1;
    await tx
      .updateTable('payments')
      .set({ not_found_count: notFoundCount, last_not_found_at: NOW })
      .where('id', '=', paymentId)
      .execute();
    return notFoundCount >= timings.notFoundNeeded;
  });
}

export function recordInconclusive(
  database: Database,
  attemptId: string,
  notFound: InconclusiveQuery,
  timings: Timings,
): Promise<RefundSnapshot> {
  return database.transaction(async (tx) => {
    const locked = await lockAttempt(tx, attemptId);
    const { attempt, refund } = locked;
    await recordQuery(tx, attemptId, notFound.answer);
    // While a correction waits for a second operator, nothing is concluded that would submit the attempt again.
    const isDisputed = (await openProposal(tx, refund.id)) !== undefined;
    if (!isDisputed && mayBeAbsent(attempt, notFound.asked)) {
      const verdict = provesAbsence(
        {
          ...ageAt(attempt, notFound.asked.at),
          notFoundCount: attempt.not_found_count,
          originalFound: notFound.countsTowardsAbsence,
        },
        timings,
      );
      if (verdict !== 'no_proof')
        await tx
          .updateTable('attempts')
          .set({ not_found_count: attempt.not_found_count + 1, last_not_found_at: notFound.asked.at })
          .where('id', '=', attemptId)
          .execute();
      if (verdict === 'absent') await foundAbsent(tx, attempt, refund);
    }
    return currentSnapshot(tx, refund.id);
  });
}

/**
 * True if the attempt has no certain answer and was not submitted again since the query began. A query says nothing about later
 * submissions.
 */
function mayBeAbsent({ state, submissions }: AttemptRow, asked: QueryStart): boolean {
  return asked.send === submissions && (state === 'submitting' || state === 'unknown');
}

/**
 * Marks a linked attempt as absent, so that it may be submitted again. For a credit, which the gateway would not cap, and for an attempt
 * that has a gateway id, opens a case instead.
 */
async function foundAbsent(tx: Tx, attempt: AttemptRow, refund: RefundRow): Promise<void> {
  if (attempt.operation === 'credit') return askWhatBecameOf(tx, attempt, refund, 'credit_not_found');
  if (hasId(attempt)) return askWhatBecameOf(tx, attempt, refund, 'id_not_found');
  const note = 'proven absent';
  await tx.updateTable('attempts').set({ state: 'absent', note }).where('id', '=', attempt.id).execute();
  await endWithoutPayment(tx, attempt.id, 'not_at_gateway', { source: 'query' }, note);
}

async function askWhatBecameOf(
  tx: Tx,
  attempt: AttemptRow,
  refund: RefundRow,
  why: CaseReason,
): Promise<void> {
  await openCase(tx, refund, why, { gatewayIds: idsOf(attempt) });
  if (attempt.state === 'submitting')
    await tx
      .updateTable('attempts')
      .set({ state: 'unknown', note: why })
      .where('id', '=', attempt.id)
      .execute();
  if (afterTrigger(refund.state, 'open_case') !== undefined) await move(tx, refund, { on: 'open_case', why });
}
