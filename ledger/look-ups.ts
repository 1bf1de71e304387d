/** Looking an open attempt up: what a look-up needs to know, and what it means when it finds nothing. */
import { sql } from 'kysely';
import { provesAbsence } from '../domain/absence.js';
import type { CaseReason } from '../domain/finding.js';
import { isRefundId } from '../domain/ids.js';
import type { Position } from '../domain/next-step.js';
import type { Timings } from '../domain/plan.js';
import { afterTrigger, OPEN_ATTEMPT_STATES } from '../domain/states.js';
import { ageOf } from './attempt-age.js';
import { endUnpaid, noteLookUp } from './attempt-ends.js';
import { lockAttempt, lockPayment, move, openCase, type AttemptRow, type RefundRow } from './books.js';
import type { Database, Tx } from './database.js';
import { GATEWAY_ID, NOW } from './expressions.js';
import { paymentOf } from './free-standing.js';
import { openProposal } from './given-words.js';
import type { Inquiry } from './ledger.js';
import { currentPosition } from './records.js';

/** The attempt whose outcome is open, in the form a look-up needs. */
export async function inquiry(database: Database, refundId: string): Promise<Inquiry | null> {
  if (!isRefundId(refundId)) return null;
  const row = await database.db
    .selectFrom('attempts')
    .innerJoin('payments', 'payments.id', 'attempts.payment_id')
    .selectAll('attempts')
    .select(['payments.entity_id', 'payments.currency'])
    .where('refund_id', '=', refundId)
    .where('attempts.state', 'in', OPEN_ATTEMPT_STATES)
    .executeTakeFirst();
  if (row === undefined) return null;
  const known = await database.db
    .selectFrom('attempts')
    .select(['reference', 'gateway_id'])
    .where('payment_id', '=', row.payment_id)
    .execute();
  const elsewhere = await database.db
    .selectFrom('events')
    .select(GATEWAY_ID.as('id'))
    .where('payment_id', '=', row.payment_id)
    .where('type', '=', 'payment.returned_elsewhere')
    // One that appeared after this attempt was opened may be this attempt, shown without its reference.
    .where('at', '<', row.opened_at)
    .execute();
  const ours = known.flatMap((attempt) =>
    attempt.gateway_id === null ? [attempt.reference] : [attempt.reference, attempt.gateway_id],
  );
  return {
    explained: new Set([...ours, ...elsewhere.map(({ id }) => id)]),
    attemptId: row.id,
    way: row.way,
    state: row.state,
    entityId: row.entity_id,
    paymentId: paymentOf(refundId, row.payment_id),
    originalId: row.original_id,
    reference: row.reference,
    gatewayId: row.gateway_id,
    sends: row.sends,
    amountMinor: row.amount_minor,
    currency: row.currency,
  };
}

/** Whether this look-up of the payment, which found nothing, is the last of enough spaced ones. A look-up that finds it starts anew. */
export function missOriginal(database: Database, paymentId: string, timings: Timings): Promise<boolean> {
  return database.transaction(async (tx) => {
    const payment = await lockPayment(tx, paymentId);
    const { spacing } = await tx
      .selectNoFrom([
        sql<
          number | null
        >`(extract(epoch from now() - ${payment.last_miss_at}::timestamptz) * 1000)::float8`.as('spacing'),
      ])
      .executeTakeFirstOrThrow();
    if (spacing !== null && spacing < timings.missSpacing) return false;
    const misses = payment.misses + 1;
    await tx.updateTable('payments').set({ misses, last_miss_at: NOW }).where('id', '=', paymentId).execute();
    return misses >= timings.missesNeeded;
  });
}

export function recordMiss(
  database: Database,
  attemptId: string,
  miss: { readonly answer: string; readonly countsIfLate: boolean },
  timings: Timings,
): Promise<Position> {
  return database.transaction(async (tx) => {
    const locked = await lockAttempt(tx, attemptId);
    const { attempt, refund } = locked;
    await noteLookUp(tx, attemptId, miss.answer);
    // While a person's word on it waits for a second one, nothing is concluded that would send it again.
    const isDisputed = (await openProposal(tx, refund.id)) !== undefined;
    if (!isDisputed && (attempt.state === 'submitting' || attempt.state === 'unknown')) {
      const age = await ageOf(tx, attempt);
      const verdict = provesAbsence(
        { ...age, misses: attempt.misses, originalFound: miss.countsIfLate },
        timings,
      );
      if (verdict !== 'no_proof')
        await tx
          .updateTable('attempts')
          .set({ misses: attempt.misses + 1, last_miss_at: NOW })
          .where('id', '=', attemptId)
          .execute();
      if (verdict === 'absent') await foundAbsent(tx, attempt, refund);
    }
    return currentPosition(tx, refund.id);
  });
}

/** A linked attempt may be sent again. A credit may not: the gateway would not cap it, so a person asks the acquirer. */
async function foundAbsent(tx: Tx, attempt: AttemptRow, refund: RefundRow): Promise<void> {
  if (attempt.way === 'credit') {
    const why: CaseReason = 'credit_not_found';
    await openCase(tx, refund, why);
    if (attempt.state === 'submitting')
      await tx
        .updateTable('attempts')
        .set({ state: 'unknown', note: why })
        .where('id', '=', attempt.id)
        .execute();
    if (afterTrigger(refund.state, 'ask_person') !== undefined)
      await move(tx, refund, { on: 'ask_person', why });
    return;
  }
  const note = 'proven absent';
  await tx.updateTable('attempts').set({ state: 'absent', note }).where('id', '=', attempt.id).execute();
  await endUnpaid(tx, attempt.id, 'not_at_gateway', { source: 'look_up' }, note);
}
