/** Reversals of an authorization: what one can have given back, and what is owed again where captures show that it was less. */
import { CLOSED_STATES } from '../../domain/refund/states.js';
import { append, reservedFor } from '../core/events.js';
import { attemptsOf, type AttemptRow, type PaymentRow } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import type { Tx } from '../db/database.js';
import { givenBy, remainingOf } from '../core/amounts.js';

/** What was authorized, never captured, and not released by a reversal of ours. Never negative. */
export function releasableOf(payment: PaymentRow): bigint {
  const left = payment.authorized_minor - payment.captured_minor - payment.released_minor;
  return left > 0n ? left : 0n;
}

/**
 * What an executed attempt gave back. A reversal releases what was never captured and nothing else, whatever amount the gateway shows
 * for it (a captured amount is only refunded). The captures decide: an answer that shows less may be wrong, and ordering the difference
 * again would pay it twice.
 */
export function givenNow(payment: PaymentRow, attempt: AttemptRow): bigint {
  if (attempt.way !== 'reversal' || payment.captured_minor === 0n) return attempt.amount_minor;
  const most = releasableOf(payment);
  return most < attempt.amount_minor ? most : attempt.amount_minor;
}

/**
 * Measures the reversals of a payment against the captures that the gateway shows now. The ones made last are taken for those that
 * released less; what they did not give back is owed again, and goes on as a refund of the captures. True where something was booked.
 */
export async function measureReversals(tx: Tx, payment: PaymentRow): Promise<boolean> {
  if (payment.released_minor === 0n || payment.captured_minor === 0n) return false;
  const uncaptured = payment.authorized_minor - payment.captured_minor;
  let beyond = payment.released_minor - (uncaptured > 0n ? uncaptured : 0n);
  if (beyond <= 0n) return false;
  const reversals = await tx
    .selectFrom('attempts')
    .selectAll()
    .where('payment_id', '=', payment.id)
    .where('way', '=', 'reversal')
    .where('state', '=', 'succeeded')
    .orderBy('sent_at', 'desc')
    .execute();
  for (const attempt of reversals) {
    const given = givenBy(attempt);
    const cut = given < beyond ? given : beyond;
    if (cut > 0n) await releasedLess(tx, attempt, given - cut, cut);
    beyond -= cut;
  }
  return true;
}

async function releasedLess(tx: Tx, attempt: AttemptRow, given: bigint, cut: bigint): Promise<void> {
  await tx.updateTable('attempts').set({ given_minor: given }).where('id', '=', attempt.id).execute();
  const refund = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('id', '=', attempt.refund_id)
    .executeTakeFirstOrThrow();
  const owed = remainingOf({ refund, attempts: await attemptsOf(tx, refund.id) });
  const held = await reservedFor(tx, refund.id);
  // What had ended without paying owes nothing, whatever a part of it turned out to be.
  const hasEnded = CLOSED_STATES.includes(refund.state);
  await append(tx, {
    key: `attempt:${attempt.id}:released_less:${given}`,
    type: 'attempt.released_less',
    paymentId: attempt.payment_id,
    refundId: refund.id,
    attemptId: attempt.id,
    succeeded: -cut,
    released: -cut,
    reserved: !hasEnded && owed > held ? owed - held : 0n,
    fromOutside: true,
    actor: 'look_up',
    data: { givenMinor: given.toString() },
  });
  if (owed > 0n && (refund.state === 'succeeded' || refund.state === 'settled'))
    await move(tx, refund, { on: 'released_less', why: 'captured_meanwhile', actor: 'look_up' });
}
