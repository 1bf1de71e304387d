/** The gateway's payment types, as the public API and the command line show them. */
import type { DeclaredType } from '../domain/payment/declared-payment.js';
import type { OriginalType } from '../domain/payment/original.js';
import type { Operation } from '../domain/refund/operation.js';

/** `type` of an attempt. */
export const ATTEMPT_TYPES = { refund: 'RF', reversal: 'RV', credit: 'CD' } as const satisfies Record<
  Operation,
  string
>;

/** `type` of a payment; a client declares it by the same names. */
export const PAYMENT_TYPES: Readonly<Record<OriginalType, DeclaredType>> = {
  debit: 'DB',
  preauthorization: 'PA',
  capture: 'CP',
};
