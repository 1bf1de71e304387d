/** Reversals of an authorization: how much each released, and what is owed again if captures show that it was less. */
import { CLOSED_STATES } from '../../domain/refund/states.js';
import { append, reservedFor } from '../core/events.js';
import { attemptsOf, type AttemptRow, type PaymentRow } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import type { Tx } from '../db/database.js';
import { paidBackBy, remainingOf } from '../core/balances.js';

/** Returns the amount that was authorized, never captured and not released by a reversal of ours. Never negative. */
export function releasableOf(payment: PaymentRow): bigint {
  const left = payment.authorized_minor - payment.captured_minor - payment.released_minor;
  return left > 0n ? left : 0n;
}

/**
 * Returns the amount that an executed attempt paid back. A reversal releases only what was never captured, whatever amount the gateway
 * shows for it; a captured amount can only be refunded. The captures decide: an answer that shows less may be wrong, and ordering the
 * difference again would pay it twice.
 */
export function amountPaidBack(payment: PaymentRow, attempt: AttemptRow): bigint {
  if (attempt.operation !== 'reversal' || payment.captured_minor === 0n) return attempt.amount_minor;
  const most = releasableOf(payment);
  return most < attempt.amount_minor ? most : attempt.amount_minor;
}

/**
 * Compares the reversals of a payment with the captures that the gateway shows now. If they released less than recorded, the latest ones
 * are reduced; the difference is owed again and continues as a refund of the captures. True if a reversal was reduced.
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
    .where('operation', '=', 'reversal')
    .where('state', '=', 'succeeded')
    .orderBy('sent_at', 'desc')
    .execute();
  for (const attempt of reversals) {
    const given = paidBackBy(attempt);
    const cut = given < beyond ? given : beyond;
    if (cut > 0n) await releasedLess(tx, attempt, given - cut, cut);
    beyond -= cut;
  }
  return true;
}

async function releasedLess(tx: Tx, attempt: AttemptRow, given: bigint, cut: bigint): Promise<void> {
  await tx.updateTable('attempts').set({ paid_back_minor: given }).where('id', '=', attempt.id).execute();
  const refund = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('id', '=', attempt.refund_id)
    .executeTakeFirstOrThrow();
  const owed = remainingOf({ refund, attempts: await attemptsOf(tx, refund.id) });
  const held = await reservedFor(tx, refund.id);
  // A refund that ended unpaid owes nothing, even if a part of it was paid.
  const hasEnded = CLOSED_STATES.includes(refund.state);
  await append(tx, {
    key: `attempt:${attempt.id}:release_reduced:${given}`,
    type: 'attempt.release_reduced',
    paymentId: attempt.payment_id,
    refundId: refund.id,
    attemptId: attempt.id,
    succeeded: -cut,
    released: -cut,
    reserved: !hasEnded && owed > held ? owed - held : 0n,
    fromOutside: true,
    actor: 'query',
    data: { paidBackMinor: given.toString() },
  });
  if (owed > 0n && (refund.state === 'succeeded' || refund.state === 'settled'))
    await move(tx, refund, { on: 'release_reduced', why: 'captured_meanwhile', actor: 'query' });
}
