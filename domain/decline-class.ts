/** Why the gateway said no, reduced to the few answers that call for something different. */

/**
 * The class of a final refusal: this instruction moved no money and never will. A closed set; which code falls in which class,
 * for which way, is data in `result-codes.ts`. In the order in which operators read them: ways
 * onward, what stands against paying, what to correct, the rest.
 *
 * Two answers are missing on purpose. "Duplicate" and "already being processed" say that another transaction may have done the
 * work under the same reference: that is an unknown outcome, because a refusal would free money that may be on its way.
 */
export const DECLINE_CLASSES = [
  /**
   * The structure forbids a refund that refers to the original, whoever the customer is: session full or closed, customer data
   * deleted, wrong kind of original, unknown to the acquirer. A credit may follow, once a look-up has proved the original captured
   * and nothing given back.
   */
  'not_linkable',
  /** The acquirer does not find the original: a credit may follow, but only a settlement line would prove that it was paid out. */
  'unknown_to_acquirer',
  /** The card's bank refused the refund. Once more later, then another way by policy; the generic decline may hide a chargeback. */
  'issuer_declined',
  /** The function does not fit the original's present state, most often because it is not settled. Wait for settlement, then again. */
  'not_settled_yet',
  /** The acquirer takes back only the whole amount. Another way for this part, by policy; a full refund might still work. */
  'partial_not_supported',
  /** Refunds are not configured for this channel or method. A person confirms it before any credit. */
  'refund_not_enabled',
  /** Credits are not configured for this merchant. Final; no more credits there until somebody has changed that. */
  'credit_not_enabled',
  /**
   * `700.400.200`: too much, or reversed, or an invalid order of things; a second refund gets it too. Look at what is linked to the
   * original, our own reference first, before anything is released or tried. Never opens the way to a credit by itself.
   */
  'ambiguous',
  /** Refunded, captured or reversed before. It may be our own success: look at what is linked to the original first. */
  'already_given_back',
  /** A chargeback stands on the original: the customer has the money, or will. Nothing more goes out. */
  'disputed',
  /** The customer's bank is taking the debit back already. Nothing more goes out. */
  'repaid_by_bank',
  /** Nothing was captured. If there is only an authorisation, reverse it; never credit. */
  'not_captured',
  /** The original took no money: rejected, or a test account. Nothing is owed through this payment. */
  'not_owed',
  /** Amount or currency does not fit the original. Our books are wrong: stop, and a person compares. */
  'our_data_wrong',
  /** Request, channel or credentials are wrong. Somebody mends it, then the same again; never another way. */
  'configuration',
  /** Not executed for a reason that passes: throttled, limit, maintenance, original pending. The same later, after a look-up. */
  'wait',
  /** The authorisation cannot be reversed, or not any more. A refund is next, never a credit. */
  'reversal_too_late',
  /** The card or the stored card is dead or unusable. The same card will refuse a credit as well: other data for it, or a person. */
  'card_unusable',
  /** Fraud, blacklist or velocity rules stopped it. A person looks; no money goes out by itself. */
  'risk',
  /** A code that belongs to another operation than the one sent. A person looks. */
  'other_operation',
  /** Refused, and no rule says what must follow. A person decides. */
  'unlisted',
] as const;

export type DeclineClass = (typeof DECLINE_CLASSES)[number];
