/** Ends refunds that the program does not pay: settled outside, failed or withdrawn. */
import { formatAmount, storedMoney } from '../../domain/money/money.js';
import { afterTrigger } from '../../domain/refund/states.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { remainingOf } from '../core/balances.js';
import { openCase } from '../core/cases.js';
import type { LockedRefund, RefundRow } from '../core/locks.js';
import { move, type Move } from '../core/state-changes.js';
import { cover, unclaimedSince } from '../payments/coverage.js';
import type { Tx } from '../db/database.js';

/**
 * Ends a refund of which nothing is owed because the customer was paid outside of the program. It succeeds if the program paid a part of
 * it.
 */
export async function settle(tx: Tx, locked: LockedRefund, why: string, actor = 'system'): Promise<void> {
  const { refund, attempts } = locked;
  const isPaid = attempts.some((attempt) => attempt.state === 'succeeded');
  const on = isPaid ? 'rest_settled' : outsideOf(refund);
  if (afterTrigger(refund.state, on) !== undefined) await move(tx, refund, { on, why, actor });
}

/** Returns the amounts that an operator needs for the decision, as decimal strings. */
export function moneyOf(locked: LockedRefund): Readonly<Record<string, string>> {
  const { refund, payment } = locked;
  const text = (minor: bigint): string => formatAmount(storedMoney(minor, refund.currency));
  return {
    owed: text(remainingOf(locked)),
    refundedElsewhere: text(refund.elsewhere_minor),
    chargedBack: text(refund.charged_back_minor),
    chargebacksOnPayment: text(payment.disputed_minor),
  };
}

/** True if money of this refund has left or may have left. */
export function mayHaveLeft({ attempts }: LockedRefund): boolean {
  return attempts.some((attempt) => isOpenAttempt(attempt.state) || attempt.state === 'succeeded');
}

/** Ends a refund as failed. If a part was paid, opens a case instead: an operator decides about the rest. */
export async function close(
  tx: Tx,
  locked: LockedRefund,
  on: 'give_up' | 'correct_failed',
  why: string,
  actor = 'system',
): Promise<void> {
  if (mayHaveLeft(locked)) {
    await openCase(tx, locked.refund, 'partly_refunded', { why, ...moneyOf(locked) });
    if (afterTrigger(locked.refund.state, 'open_case') !== undefined)
      await move(tx, locked.refund, { on: 'open_case', why: 'partly_refunded', actor });
    return;
  }
  if (afterTrigger(locked.refund.state, on) !== undefined) await end(tx, locked, { on, why, actor });
}

/**
 * Moves a refund that paid nothing to its final state. Counts what the customer received outside of the program since the request; if
 * that covers the whole amount, the refund is settled instead.
 */
export async function end(tx: Tx, locked: LockedRefund, change: Move): Promise<void> {
  let refund = await cover(tx, locked.refund, await unclaimedSince(tx, locked));
  if (remainingOf({ ...locked, refund }) > 0n) {
    await move(tx, refund, change);
    return;
  }
  const on = outsideOf(refund);
  // A signed correction may end the refund while its attempt is open: the attempt is declined first.
  if (afterTrigger(refund.state, on) === undefined)
    refund = await move(tx, refund, { ...change, on: 'answer_rejected' });
  await move(tx, refund, { ...change, on });
}

/** Returns the trigger for the larger part of what was paid outside. */
const outsideOf = (refund: RefundRow): 'dispute' | 'refund_elsewhere' =>
  refund.charged_back_minor > refund.elsewhere_minor ? 'dispute' : 'refund_elsewhere';
