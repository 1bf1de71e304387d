/** Transactions and answers of the gateway in the domain's terms, reduced to what may be stored: no card data gets this far. */
import type { DeclineClass } from './decline-class.js';
import type { Operation } from './refund/operation.js';

/**
 * What a transaction does with money. `other:` and the gateway's own name: a kind that neither takes money for an original nor gives any
 * back.
 */
export type TransactionType =
  | 'debit'
  | 'preauthorization'
  | 'capture'
  | Operation
  | 'chargeback'
  | 'chargeback_reversal'
  | `other:${string}`;

/** Why a result that is neither a success nor pending proves no decline either. */
export type ResultDoubt =
  /** The result does not have the form that the gateway documents. */
  | 'malformed_code'
  /** The result is not documented, or its documentation does not say that it is a decline. */
  | 'unlisted_code'
  /** The gateway lost its own line to the acquirer: executed or not is not known. */
  | 'communication'
  /** The gateway itself failed. */
  | 'system'
  /** Reads like a success and is none: partial, still open, of another amount, or about a chargeback. An operator must look. */
  | 'manual_code'
  /** The answer to something else: a query, a checkout, an account update. */
  | 'not_a_result'
  /** A live host answered with a success of the test system. */
  | 'test_success_on_live'
  /** There is one already under this reference: that one shows the outcome. */
  | 'duplicate'
  /** It is being executed at this moment, perhaps by an earlier submission of the same order. */
  | 'already_processing';

/** What a result says of an order. `flagged`: executed, and the gateway asks for a check by hand. */
export type ResultMeaning =
  | { readonly kind: 'succeeded'; readonly flagged: boolean }
  | { readonly kind: 'pending' }
  | { readonly kind: 'declined'; readonly class: DeclineClass }
  | { readonly kind: 'unknown'; readonly why: ResultDoubt };

/** The gateway's own code and text. For the record and for operators: nothing is decided by them. */
export interface RecordedResult {
  readonly code: string;
  readonly description: string;
}

/** A result with what it means. */
export interface GatewayResult extends RecordedResult {
  /** By the operation that was answered: one code may mean different things for a refund and a credit. */
  readonly meaning: Readonly<Record<Operation, ResultMeaning>>;
  /** True where a chargeback with this result was executed. */
  readonly isChargeback: boolean;
}

/** One transaction as an answer, an entry of a query or a notification shows it. Absent: the gateway left it out. */
interface TransactionFields {
  /** Absent where no transaction was created. */
  readonly id?: string;
  readonly type?: TransactionType;
  /** Decimal string, major units. */
  readonly amount?: string;
  /** ISO 4217, three capitals. */
  readonly currency?: string;
  /** Our reference. */
  readonly reference?: string;
  /** The transaction that this one refers to. Missing in old recordings even where there is one. */
  readonly referencedId?: string;
  readonly registrationId?: string;
  readonly paymentBrand?: string;
  /** The acquirer's longer text, for operators. Decides nothing. */
  readonly extendedDescription?: string;
  /** Each wrong field of the request as `name: message`; values are dropped, they may hold a card number. */
  readonly parameterErrors?: readonly string[];
  /** The gateway's own time. Sorts as text. */
  readonly timestamp?: string;
}

/** A transaction without what its result means: as the ledger keeps it. `Gateway.interpret` adds the meaning. */
export interface RecordedTransaction extends TransactionFields {
  readonly result: RecordedResult;
}

export interface GatewayTransaction extends TransactionFields {
  readonly result: GatewayResult;
}

/**
 * Why a request certainly never left: nothing of it reached the gateway, so sending again is safe.
 *
 * - `refused`: no connection, the host or the network refused it
 * - `dns`: the name has no address, or could not be resolved
 * - `tls`: no encrypted connection, or a certificate that is not to be trusted
 * - `connect_timeout`: the connection took too long
 * - `deadline_passed`: it was not on its way by its send-by deadline, waiting for a connection included
 * - `closed`: the connection broke before it was used, or the client was closed
 */
export type NotSentReason = 'refused' | 'dns' | 'tls' | 'connect_timeout' | 'deadline_passed' | 'closed';

/**
 * Why a request that may have left has no usable answer. The gateway may have executed the order.
 *
 * - `timeout`: the whole answer was not there in time, however much of it was
 * - `connection_lost`: the connection broke before the head of an answer
 * - `destinationChanged`: an answer of 3xx that may not be followed
 * - `not_json`: a body that does not have the expected shape: not JSON, not an object, a name given twice, or a wrong type in a
 *   field that says whose money it is (id, type, amount, currency, our reference, the transaction that it refers to)
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

/** The result of one request that moves money: exactly one HTTP request, or none. */
export type SendResult =
  | { readonly kind: 'answered'; readonly httpStatus: number; readonly transaction: GatewayTransaction }
  | {
      readonly kind: 'no_answer';
      readonly why: NoAnswerReason;
      readonly httpStatus?: number;
      /** Ids of a transaction in the received part of the answer. */
      readonly ids?: readonly string[];
    }
  | { readonly kind: 'not_sent'; readonly why: NotSentReason };

/**
 * Why a query has no result. It never means "does not exist".
 *
 * - `throttled`, `forbidden`, `error`: the gateway's answer
 * - `not_offered`: the account's reporting does not show what was queried
 * - `unreadable_entry`: one of the transactions in a list has no result code, or another shape than transactions have
 * - `too_many_pages`: more pages than any payment or reference has
 */
export type UnavailableReason =
  NoAnswerReason | NotSentReason | 'throttled' | 'forbidden' | 'not_offered' | 'error' | LastingReason;

/** Reasons that a repeated query does not change. */
export const LASTING_REASONS = ['unreadable_entry', 'too_many_pages'] as const;
export type LastingReason = (typeof LASTING_REASONS)[number];

/** True if a repeated query would have the same result, whatever the state of network, gateway and credentials. */
export const isLasting = (why: UnavailableReason): boolean => LASTING_REASONS.some((one) => one === why);

/** The gateway's answers in words, for operators. */
const LASTING_TEXTS: Readonly<Record<LastingReason, string>> = {
  unreadable_entry:
    'one of the transactions that the gateway lists cannot be read (it has no result code, or another shape)',
  too_many_pages: 'the gateway lists more pages of transactions than are read',
};

/** Returns the reason as operators read it: a sentence, the gateway's code, or the reason's name. */
export function answerOf({ why, code }: { readonly why: UnavailableReason; readonly code?: string }): string {
  const lasting = LASTING_REASONS.find((one) => one === why);
  return lasting === undefined ? (code ?? why) : LASTING_TEXTS[lasting];
}

/** The answer to a read. `not_found`: the gateway's own answer, or an empty list. A wrong entity gets it too. */
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
