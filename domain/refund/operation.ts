/** The three ways to give money back, and what the gateway calls them. */

/**
 * `refund`: refers to a debit or a capture, and the gateway caps it by what was captured.
 * `reversal`: takes back an authorisation before it is captured.
 * `credit`: a payment of its own to the customer's card. It refers to nothing, and nothing at the gateway caps it.
 */
export type Operation = 'refund' | 'reversal' | 'credit';

/** `paymentType` of the order that goes to the gateway, and of the answer that belongs to it. */
export const PAYMENT_TYPES: Readonly<Record<Operation, 'RF' | 'RV' | 'CD'>> = {
  refund: 'RF',
  reversal: 'RV',
  credit: 'CD',
};
