/** A credit that is linked to no payment: what it promises and pays is counted on a row of its own, whose limit is the amount asked for. */

/** That row's id: the refund's own, as long as a gateway's. No gateway knows it. */
export const ownRowOf = (refundId: string): string => refundId.replaceAll('-', '');

/** The payment that a refund is about, or null where it is a free-standing credit. */
export const paymentOf = (refundId: string, paymentId: string): string | null =>
  paymentId === ownRowOf(refundId) ? null : paymentId;
