/** What the gateway said, in its own field names, reduced to what may be kept: no card data ever gets this far. */

/** One transaction as an answer, a look-up entry or a webhook tells it. Absent means the gateway left it out. */
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

/**
 * Why a request certainly never left: nothing of it reached the gateway, so sending again is safe.
 *
 * - `refused`: no connection, the host or the network said no at once
 * - `dns`: the name has no address, or nobody could say
 * - `tls`: no encrypted connection, or a certificate that is not to be trusted
 * - `connect_timeout`: the connection took too long
 * - `deadline_passed`: it was not on its way by its send-by deadline, waiting for a connection included
 * - `closed`: the connection broke before it was used, or the client was closed
 */
export type NotSentReason = 'refused' | 'dns' | 'tls' | 'connect_timeout' | 'deadline_passed' | 'closed';

/**
 * Why a request that may have left has no usable answer. The gateway may have done what was asked.
 *
 * - `timeout`: the whole answer was not there in time, however much of it was
 * - `connection_lost`: the connection broke before the head of an answer
 * - `destinationChanged`: an answer of 3xx that may not be followed
 * - `not_json`: a body that does not have the expected shape: not JSON, not an object, a name given twice, or a wrong type in a
 *   field that says whose money it is (`id`, `amount`, `currency`, `paymentType`, `merchantTransactionId`, `referencedId`)
 * - `no_result_code`: a JSON object without a well-formed `result.code`
 * - `body_too_large`: a body over the limit, as sent or decoded, not read to its end
 * - `not_decodable`: a `content-encoding` that is not known, or a body that is not in it
 * - `body_cut_off`: the connection broke after the head
 */
export type NoAnswerReason =
  | 'timeout'
  | 'connection_lost'
  | 'destination_changed'
  | 'not_json'
  | 'no_result_code'
  | 'body_too_large'
  | 'not_decodable'
  | 'body_cut_off';

/** What became of one request that moves money. Exactly one HTTP request, or none, stands behind it. */
export type SendResult =
  | { readonly kind: 'answered'; readonly httpStatus: number; readonly transaction: GatewayTransaction }
  | {
      readonly kind: 'no_answer';
      readonly why: NoAnswerReason;
      readonly httpStatus?: number;
      /** Ids of a transaction in what came of the answer. */
      readonly ids?: readonly string[];
    }
  | { readonly kind: 'not_sent'; readonly why: NotSentReason };

/**
 * Why a query told nothing. It never means "does not exist".
 *
 * - `throttled`, `forbidden`, `error`: as the gateway says
 * - `not_offered`: the account has no v3 reporting (`800.121.*`), and v1 does not show what was asked for
 * - `unreadable_entry`: one of the transactions in a list has no result code, or another shape than transactions have
 * - `too_many_pages`: more pages than any payment or reference has
 */
export type UnavailableReason =
  NoAnswerReason | NotSentReason | 'throttled' | 'forbidden' | 'not_offered' | 'error' | LastingReason;

/** Asking again does not change it, whatever the state of network, gateway and credentials. */
export const LASTING_REASONS = ['unreadable_entry', 'too_many_pages'] as const;
export type LastingReason = (typeof LASTING_REASONS)[number];

export const isLasting = (why: UnavailableReason): boolean => LASTING_REASONS.some((one) => one === why);

/** What the gateway answered, for operators. */
const LASTING_TEXTS: Readonly<Record<LastingReason, string>> = {
  unreadable_entry:
    'one of the transactions that the gateway lists cannot be read (it has no result code, or another shape)',
  too_many_pages: 'the gateway lists more pages of transactions than are read',
};

export function answerOf({ why, code }: { readonly why: UnavailableReason; readonly code?: string }): string {
  const lasting = LASTING_REASONS.find((one) => one === why);
  return lasting === undefined ? (code ?? why) : LASTING_TEXTS[lasting];
}

/** The answer to a read. `not_found` is the gateway's own word (`700.400.580`) or an empty list; a wrong entity gives it too. */
export type QueryResult<T> =
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
