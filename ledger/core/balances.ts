/** Balances of a payment and of a refund: refundable, overpaid, paid back, and still owed. Amounts are minor units. */
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { unpaidOf, type SettlementFacts } from '../../domain/refund/settlement.js';
import type { AttemptRow, LockedRefund, PaymentRow } from './locks.js';

/**
 * Returns the most that can be paid back on a payment: the captured amount plus what our reversals released beside it, or the authorized
 * amount while nothing is captured. The SQL function `payment_limit` computes the same.
 */
export function limitOf(payment: PaymentRow): bigint {
  return payment.captured_minor > 0n
    ? payment.captured_minor + payment.released_minor
    : payment.authorized_minor;
}

/**
 * Returns the amount that was paid back or charged back beyond the limit. Reserved amounts have not left and do not count. Never
 * negative.
 */
export function overpaidOf(payment: PaymentRow): bigint {
  const given = payment.succeeded_minor - payment.returned_minor + payment.disputed_minor;
  const beyond = given - limitOf(payment);
  return beyond > 0n ? beyond : 0n;
}

/** Returns what a succeeded attempt paid back: the ordered amount, or less if a reversal could not release all of it. */
export const paidBackBy = (attempt: AttemptRow): bigint => attempt.paid_back_minor ?? attempt.amount_minor;

/** Returns the amount that a new refund may still request on the payment. Never negative. */
export function refundableOf(payment: PaymentRow): bigint {
  const left =
    limitOf(payment) -
    payment.reserved_minor -
    payment.succeeded_minor +
    payment.returned_minor -
    payment.disputed_minor;
  return left > 0n ? left : 0n;
}

/** Returns the amount that our refunds took from a capture, or may still take because their attempts are open. */
export function takenByOurs(attempts: readonly AttemptRow[], captureId: string): bigint {
  return attempts
    .filter(
      ({ original_id, operation, state }) =>
        original_id === captureId &&
        operation === 'refund' &&
        (state === 'succeeded' || isOpenAttempt(state)),
    )
    .reduce((sum, attempt) => sum + attempt.amount_minor, 0n);
}

/** Returns the inputs from which a refund's settlement is computed: its amount, its attempts, and what was paid outside of the program. */
export function settlementFacts({
  refund,
  attempts,
}: Pick<LockedRefund, 'refund' | 'attempts'>): SettlementFacts {
  return {
    amountMinor: refund.amount_minor,
    attempts: attempts.map((attempt) => ({
      operation: attempt.operation,
      state: attempt.state,
      amountMinor: paidBackBy(attempt),
    })),
    elsewhereMinor: refund.elsewhere_minor,
    chargedBackMinor: refund.charged_back_minor,
  };
}

/**
 * Returns the amount still owed: the refund's amount less succeeded attempts that were not returned, and less what was paid outside of
 * the program.
 */
export const remainingOf = (locked: Pick<LockedRefund, 'refund' | 'attempts'>): bigint =>
  unpaidOf(settlementFacts(locked));
