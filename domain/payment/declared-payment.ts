/** A payment as declared by a client, so that the gateway need not be queried before a refund is accepted. */
import { formatAmount, type Money } from '../money/money.js';
import type { OriginalType } from './original.js';

/** The types of an original as the public API names them, with our own. */
export const DECLARED_TYPES = {
  DB: 'debit',
  PA: 'preauthorization',
  CP: 'capture',
} as const satisfies Record<string, OriginalType>;

export type DeclaredType = keyof typeof DECLARED_TYPES;

export interface DeclaredPayment {
  /** `preauthorization`: no capture of it is known. `capture`: one capture, refunded by its own id. */
  readonly type: OriginalType;
  readonly money: Money;
  /** Not used as a credit's destination until the gateway has shown it. */
  readonly registrationId?: string;
}

/** The wire format of a declared payment. */
export interface DeclaredPaymentInput {
  readonly type: DeclaredType;
  readonly amount: string;
  readonly currency: string;
  readonly registrationId?: string;
}

export const isSameDeclaration = (one: DeclaredPayment, other: DeclaredPayment): boolean =>
  one.type === other.type &&
  one.registrationId === other.registrationId &&
  one.money.currency === other.money.currency &&
  formatAmount(one.money) === formatAmount(other.money);
