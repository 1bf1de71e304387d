/** What a client says that it captured, so that the gateway need not be queried before a refund. */
import { formatAmount, type Money } from '../money/money.js';

/** `PA`: an authorization of which nothing is known to be captured. `CP`: one capture, refunded by its own id. */
export const DECLARED_TYPES = ['DB', 'PA', 'CP'] as const;

export interface DeclaredPayment {
  readonly type: (typeof DECLARED_TYPES)[number];
  readonly money: Money;
  /** Never a credit's destination before the gateway has shown it. */
  readonly registrationId?: string;
}

/** As clients write it. */
export interface DeclaredPaymentInput {
  readonly type: (typeof DECLARED_TYPES)[number];
  readonly amount: string;
  readonly currency: string;
  readonly registrationId?: string;
}

export const isSameDeclaration = (one: DeclaredPayment, other: DeclaredPayment): boolean =>
  one.type === other.type &&
  one.registrationId === other.registrationId &&
  one.money.currency === other.money.currency &&
  formatAmount(one.money) === formatAmount(other.money);
