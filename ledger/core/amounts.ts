/** Sums over a payment, a refund and its attempts: what may still be given back, what was, and what is still owed. */
import { isOpenAttempt } from '../../domain/refund/states.js';
import { unpaidOf, type SettlementFacts } from '../../domain/refund/settlement.js';
import type { AttemptRow, Locked, PaymentRow } from './books.js';

/**
 * The money that can be given back at most: what was captured and what our reversals released beside it, or what was authorized while
 * nothing is captured. `payment_limit` of the database is the same.
 */
export function limitOf(payment: PaymentRow): bigint {
  return payment.captured_minor > 0n
    ? payment.captured_minor + payment.released_minor
    : payment.authorized_minor;
}

/** What has been given back beyond the limit. What is only promised beyond it has not left, and is not in it. Never negative. */
export function overpaidOf(payment: PaymentRow): bigint {
  const given = payment.succeeded_minor - payment.returned_minor + payment.disputed_minor;
  const beyond = given - limitOf(payment);
  return beyond > 0n ? beyond : 0n;
}

/** What an attempt that succeeded gave back: what was ordered, or less where a reversal could not release as much. */
export const givenBy = (attempt: AttemptRow): bigint => attempt.given_minor ?? attempt.amount_minor;

/** What may still be asked for on a payment; never negative. */
export function refundableOf(payment: PaymentRow): bigint {
  const left =
    limitOf(payment) -
    payment.reserved_minor -
    payment.succeeded_minor +
    payment.returned_minor -
    payment.disputed_minor;
  return left > 0n ? left : 0n;
}

/** What refunds of ours took from a capture, or may take. */
export function takenByOurs(attempts: readonly AttemptRow[], captureId: string): bigint {
  return attempts
    .filter(
      ({ original_id, way, state }) =>
        original_id === captureId && way === 'refund' && (state === 'succeeded' || isOpenAttempt(state)),
    )
    .reduce((sum, attempt) => sum + attempt.amount_minor, 0n);
}

/** What the customer's money is derived from: the promise, its attempts, and what counts for it from outside. */
export function settlementFacts({ refund, attempts }: Pick<Locked, 'refund' | 'attempts'>): SettlementFacts {
  return {
    amountMinor: refund.amount_minor,
    attempts: attempts.map((attempt) => ({
      way: attempt.way,
      state: attempt.state,
      amountMinor: givenBy(attempt),
    })),
    elsewhereMinor: refund.elsewhere_minor,
    chargedBackMinor: refund.charged_back_minor,
  };
}

/** What of the promise is still to be paid: the amount less what succeeded and did not come back, and less what counts from outside. */
export const remainingOf = (locked: Pick<Locked, 'refund' | 'attempts'>): bigint =>
  unpaidOf(settlementFacts(locked));
