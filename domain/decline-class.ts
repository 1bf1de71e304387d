/** Classes of declines. Each class has its own next step. */

/**
 * The class of a final decline: this instruction moved no money and never will. Closed: the gateway's adapter maps each of its codes to
 * one class for each operation (`gateway/oppwa/result-codes.ts`).
 *
 * To add a class, add it here with its meaning. The compiler then asks for what follows: `AFTER_DECLINE` and `AFTER_CREDIT_DECLINE` in
 * `refund/next-step.ts`, and `afterDecline` in `refund/credit-guard.ts`. To add a decline code, add it to the row of its class in
 * `gateway/oppwa/result-codes.ts`.
 *
 * "Duplicate" and "already being processed" are no classes: another transaction may have been executed under the same reference, so the
 * outcome is unknown. A decline would release the reservation of money that may be on its way (docs/decisions/007).
 */
export const DECLINE_CLASSES = [
  /**
   * The original does not allow any refund that refers to it: session full or closed, customer data deleted, wrong kind of original. A
   * credit may follow, once a query has proven that the original was captured and nothing was given back.
   */
  'not_linkable',
  /** The acquirer does not find the original. A credit may follow with approval: only a settlement line would prove that the original was paid out. */
  'unknown_to_acquirer',
  /** The card's bank declined the refund. Retried once later, then what policy allows. The generic decline may hide a chargeback. */
  'issuer_declined',
  /** The operation does not fit the original's present state, most often because it is not settled. Retried after settlement. */
  'not_settled_yet',
  /** The acquirer refunds only the whole amount. Another operation for this part, by policy. */
  'partial_not_supported',
  /** Refunds are not enabled for this channel or method. An operator confirms that before any credit. */
  'refund_not_enabled',
  /** Credits are not enabled for this merchant. Final until the set-up changes. */
  'credit_not_enabled',
  /**
   * Too much, or reversed, or an invalid sequence of operations; a second refund of the same money gets it too. The original's linked
   * transactions are queried, our own reference first, before anything is released or tried. Never leads to a credit by itself.
   */
  'ambiguous',
  /** Refunded, captured or reversed before. It may be our own success: the original's linked transactions are queried first. */
  'already_returned',
  /** A chargeback stands on the original: the customer has the money, or will have it. Nothing more is paid. */
  'disputed',
  /** The customer's bank is returning the debit already. Nothing more is paid. */
  'repaid_by_bank',
  /** Nothing was captured. A preauthorization is reversed, never credited. */
  'not_captured',
  /** The original took no money: rejected, or a test account. Nothing is owed on this payment. */
  'not_owed',
  /** Amount or currency does not fit the original. The ledger is wrong: an operator compares. */
  'our_data_wrong',
  /** Request, channel or credentials are wrong. Repeated once they are fixed; never paid by another operation. */
  'configuration',
  /** Not executed for a temporary reason: throttled, limit, maintenance, original pending. Retried later, after a query. */
  'wait',
  /** The preauthorization cannot be reversed, or cannot any more. A refund is next, never a credit. */
  'reversal_too_late',
  /** The card or the stored card cannot be used. A credit to it would be declined as well: another destination, or an operator. */
  'card_unusable',
  /** Fraud, blacklist or velocity rules declined it. An operator decides; no money is paid automatically. */
  'risk',
  /** The code belongs to another operation than the one submitted. An operator decides. */
  'other_operation',
  /** Declined, and no rule covers it. An operator decides. */
  'unlisted',
] as const;

export type DeclineClass = (typeof DECLINE_CLASSES)[number];
