/** How a refund ends that the program does not pay: settled from outside, given up, withdrawn. */
import { formatAmount, storedMoney } from '../../domain/money/money.js';
import { afterTrigger, isOpenAttempt } from '../../domain/refund/states.js';
import { remainingOf } from '../core/amounts.js';
import { move, openCase, type Locked, type Move, type RefundRow } from '../core/books.js';
import { cover, unclaimedSince } from '../payments/coverage.js';
import type { Tx } from '../db/database.js';

/** Nothing of it is owed any more, because of what happened outside. It has succeeded where a part of it was paid by the program. */
export async function settle(tx: Tx, locked: Locked, why: string, actor = 'system'): Promise<void> {
  const { refund, attempts } = locked;
  const isPaid = attempts.some((attempt) => attempt.state === 'succeeded');
  const on = isPaid ? 'rest_settled' : outsideOf(refund);
  if (afterTrigger(refund.state, on) !== undefined) await move(tx, refund, { on, why, actor });
}

/** How much an operator decides about, as decimal amounts. */
export function moneyOf(locked: Locked): Readonly<Record<string, string>> {
  const { refund, payment } = locked;
  const text = (minor: bigint): string => formatAmount(storedMoney(minor, refund.currency));
  return {
    owed: text(remainingOf(locked)),
    refundedElsewhere: text(refund.elsewhere_minor),
    chargedBack: text(refund.charged_back_minor),
    chargebacksOnPayment: text(payment.disputed_minor),
  };
}

/** Money of this refund that has left, or may have. */
export function mayHaveLeft({ attempts }: Locked): boolean {
  return attempts.some((attempt) => isOpenAttempt(attempt.state) || attempt.state === 'succeeded');
}

/** Ends a refund with nothing paid. Where a part was paid, "failed" would be a lie: a person decides about the rest. */
export async function close(
  tx: Tx,
  locked: Locked,
  on: 'give_up' | 'correct_failed',
  why: string,
  actor = 'system',
): Promise<void> {
  if (mayHaveLeft(locked)) {
    await openCase(tx, locked.refund, 'partly_refunded', { why, ...moneyOf(locked) });
    if (afterTrigger(locked.refund.state, 'ask_person') !== undefined)
      await move(tx, locked.refund, { on: 'ask_person', why: 'partly_refunded', actor });
    return;
  }
  if (afterTrigger(locked.refund.state, on) !== undefined) await end(tx, locked, { on, why, actor });
}

/** The last move of a refund that paid nothing. What the customer has from outside since it was asked for counts for it, and is said. */
export async function end(tx: Tx, locked: Locked, change: Move): Promise<void> {
  let refund = await cover(tx, locked.refund, await unclaimedSince(tx, locked));
  if (remainingOf({ ...locked, refund }) > 0n) {
    await move(tx, refund, change);
    return;
  }
  const on = outsideOf(refund);
  // A signed correction ends it while its attempt was open: that one was not executed, which comes first.
  if (afterTrigger(refund.state, on) === undefined)
    refund = await move(tx, refund, { ...change, on: 'answer_rejected' });
  await move(tx, refund, { ...change, on });
}

/** Named after what counts most of it. */
const outsideOf = (refund: RefundRow): 'dispute' | 'refund_elsewhere' =>
  refund.charged_back_minor > refund.elsewhere_minor ? 'dispute' : 'refund_elsewhere';
