/** Doubts: linked transactions that cannot be counted as the gateway shows them. Each blocks credits and opens a case. */
export const ORIGINAL_DOUBTS = {
  no_id: 'a linked transaction has no id',
  unusual_id: 'a linked transaction has an id that the gateway never gives',
  amount_unreadable: 'a linked transaction has an amount that cannot be read',
  currency_differs: 'a linked transaction has another currency',
  capture_unreadable: 'a capture shows no amount that can be read',
  registration_unreadable: 'the registration has an id that the gateway never gives',
  refund_charged_back: 'a chargeback is of a refund or reversal: it does not show who has the money',
  chargeback_unplaced: 'a chargeback names none of several captures',
  chargeback_vanished: 'a chargeback that was final is not listed any more',
  reversal_of_reversal:
    'a chargeback reversal refers to a chargeback reversal: the merchant may have lost again',
  reversal_unclear: 'a chargeback reversal has a code that does not show who has the money',
  reversal_without_amount: 'a chargeback reversal shows no amount',
  reversal_of_unknown: 'a chargeback reversal refers to a transaction that is not listed',
  reversal_too_large: 'chargeback reversals add up to more than their chargeback',
  reversal_unplaced: 'a chargeback reversal names no chargeback, and not exactly one fits',
  capture_elsewhere: 'a capture belongs to another payment as well',
} as const;
export type DoubtReason = keyof typeof ORIGINAL_DOUBTS;

export interface OriginalDoubt {
  /** The transaction in doubt; empty if it has no id. */
  readonly gatewayId: string;
  readonly why: DoubtReason;
}
