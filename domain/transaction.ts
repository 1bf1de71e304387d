/** What the gateway said, in its own field names, reduced to what may be kept: no card data ever gets this far. */

/** One transaction as an answer, a look-up entry or a webhook tells it (gateway.md 3). Absent means the gateway left it out. */
export interface GatewayTransaction {
  /** 32 lowercase hex. Absent on validation errors: no transaction was created. */
  readonly id?: string;
  /** `DB`, `PA`, `CP`, `RF`, `RV`, `CD`, `CB`, `CR`, `RB`, `RC` … as the gateway spells it. */
  readonly paymentType?: string;
  /** Decimal string, major units. */
  readonly amount?: string;
  /** ISO 4217, three capitals. */
  readonly currency?: string;
  readonly merchantTransactionId?: string;
  /** The transaction that this one refers to. Missing in old recordings even where there is one. */
  readonly referencedId?: string;
  readonly registrationId?: string;
  readonly paymentBrand?: string;
  readonly result: { readonly code: string; readonly description: string };
  /** `resultDetails.ExtendedDescription`, for people. Never decides anything. */
  readonly extendedDescription?: string;
  /** Each `result.parameterErrors` entry as `name: message`; values are dropped, they may hold a card number. */
  readonly parameterErrors?: readonly string[];
  readonly timestamp?: string;
}

/** Why a request certainly never left: nothing of it reached the gateway, so sending again is safe. */
export type NotSentReason = 'refused' | 'dns' | 'tls' | 'connect_timeout' | 'deadline_passed' | 'closed';

/** Why a request that may have left has no usable answer. */
export type NoAnswerReason =
  | 'timeout'
  | 'connection_lost'
  | 'redirected'
  | 'not_json'
  | 'no_result_code'
  | 'body_too_large'
  | 'body_cut_off';

/** What became of one request that moves money. Exactly one HTTP request, or none, stands behind it. */
export type SendResult =
  | { readonly kind: 'answered'; readonly httpStatus: number; readonly transaction: GatewayTransaction }
  | { readonly kind: 'no_answer'; readonly why: NoAnswerReason; readonly httpStatus?: number }
  | { readonly kind: 'not_sent'; readonly why: NotSentReason };

/** Why a look-up told nothing. It never means "does not exist". */
export type UnavailableReason = NoAnswerReason | NotSentReason | 'throttled' | 'forbidden' | 'error';

/** The answer to a read. `not_found` is the gateway's own word (`700.400.580`) or an empty list; a wrong entity gives it too. */
export type LookUp<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'not_found' }
  | {
      readonly kind: 'unavailable';
      readonly why: UnavailableReason;
      readonly httpStatus?: number;
      readonly code?: string;
    };

/** An original with everything that refers to it, directly or through a capture. */
export interface TransactionTree {
  readonly original: GatewayTransaction;
  readonly linked: readonly GatewayTransaction[];
}
