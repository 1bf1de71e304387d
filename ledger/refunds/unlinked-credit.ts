/** An unlinked credit has its own row in `payments`, which holds its balance. The row's limit is the requested amount. */

/** Returns the row's id: the refund's id without dashes, which has the form of a gateway id but is unknown to the gateway. */
export const balanceRowOf = (refundId: string): string => refundId.replaceAll('-', '');

/** Returns the payment of a refund, or null for an unlinked credit. */
export const paymentOf = (refundId: string, paymentId: string): string | null =>
  paymentId === balanceRowOf(refundId) ? null : paymentId;
