/** Input that activities of a refund share. */
import type { RefundConfig } from '../../domain/refund/config.js';
import type { RefundScope } from '../../ledger/ledger.js';

/** The refund and its config: timings and policy. */
export interface Task {
  readonly refundId: string;
  readonly config: RefundConfig;
}

export type ScopeOfPayment = RefundScope & { readonly paymentId: string };

/** False for an unlinked credit: it has no payment that could be queried. */
export const hasPayment = (scope: RefundScope): scope is ScopeOfPayment => scope.paymentId !== null;
