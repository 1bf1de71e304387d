/** Transactions and answers of the gateway in the domain's terms, reduced to what may be stored: no card data gets this far. */
import type { DeclineClass } from './decline-class.js';
import type { Operation } from './refund/operation.js';

/**
 * Effect of a transaction on money. `other:` and the gateway's own name: a type that neither takes money for an original nor gives any
 * back.
 */
export type TransactionType =
  | 'debit'
  | 'preauthorization'
  | 'capture'
  /** A card that became a registration. It moves no money. */
  | 'registration'
  | Operation
  | 'chargeback'
  | 'chargeback_reversal'
  | `other:${string}`;

/** Reasons that a result is inconclusive: neither a success, nor pending, nor a decline. */
export type ResultDoubt =
  /** The result does not have the form that the gateway documents. */
  | 'malformed_code'
  /** The result is not documented, or its documentation does not say that it is a decline. */
  | 'unlisted_code'
  /** The gateway lost its own line to the acquirer: executed or not is not known. */
  | 'communication'
  /** The gateway itself failed. */
  | 'system'
  /** Looks like a success but is none: partial, still open, of another amount, or about a chargeback. An operator must check. */
  | 'manual_code'
  /** The answer to something else: a query, a checkout, an account update. */
  | 'not_a_result'
  /** A live host answered with a success of the test system. */
  | 'test_success_on_live'
  /** A transaction with this reference exists already: that one shows the outcome. */
  | 'duplicate'
  /** It is being executed at this moment, perhaps by an earlier submission of the same order. */
  | 'already_processing';

/** Meaning of a result for an order. `flagged`: executed, and the gateway asks for a manual check. */
export type ResultMeaning =
  | { readonly kind: 'succeeded'; readonly flagged: boolean }
  | { readonly kind: 'pending' }
  | { readonly kind: 'declined'; readonly class: DeclineClass }
  | { readonly kind: 'unknown'; readonly why: ResultDoubt };

/** The gateway's own code and text, recorded for operators. No decision depends on them. */
export interface RecordedResult {
  readonly code: string;
  readonly description: string;
}

/** A result with its meaning. */
export interface GatewayResult extends RecordedResult {
  /** Per operation: one code may mean different things for a refund and for a credit. */
  readonly meaning: Readonly<Record<Operation, ResultMeaning>>;
  /** True if a chargeback with this result was executed. */
  readonly isChargeback: boolean;
}

/** Ids and texts of an answer that find the transaction in settlement reports. Recorded for operators; decide nothing. */
export interface SettlementDetails {
  readonly reconciliationId?: string;
  /** The acquirer's ids, by the gateway's own names, such as `ConnectorTxID1`. */
  readonly connectorTxIds?: Readonly<Record<string, string>>;
  readonly acquirerResponse?: string;
  readonly clearingInstituteName?: string;
  readonly shortId?: string;
  readonly descriptor?: string;
}

/** One transaction in an answer, a query or a notification. Absent fields: the gateway left them out. */
interface TransactionFields {
  /** Absent if no transaction was created. */
  readonly id?: string;
  readonly type?: TransactionType;
  /** Decimal string, major units. */
  readonly amount?: string;
  /** ISO 4217, three capitals. */
  readonly currency?: string;
  /** Our reference. */
  readonly reference?: string;
  /** The transaction that this one refers to. Old recordings leave it out. */
  readonly referencedId?: string;
  readonly registrationId?: string;
  readonly paymentBrand?: string;
  /** The acquirer's longer text, for operators. Decides nothing. */
  readonly extendedDescription?: string;
  /** Each wrong field of the request as `name: message`; values are dropped, they may hold a card number. */
  readonly parameterErrors?: readonly string[];
  /** The gateway's own time. Sorts as text. */
  readonly timestamp?: string;
  readonly settlement?: SettlementDetails;
  /** Last four digits of the card that the gateway shows. */
  readonly cardLast4?: string;
}

/** A transaction without the meaning of its result, as the ledger stores it. `Gateway.interpret` adds the meaning. */
export interface RecordedTransaction extends TransactionFields {
  readonly result: RecordedResult;
}

export interface GatewayTransaction extends TransactionFields {
  readonly result: GatewayResult;
}

/**
 * Reasons that a request certainly never left. Nothing of it reached the gateway, so sending it again is safe.
 *
 * - `refused`: no connection, the host or the network refused it
 * - `dns`: the name has no address, or could not be resolved
 * - `tls`: no encrypted connection, or a certificate that is not trusted
 * - `connect_timeout`: the connection took too long
 * - `deadline_passed`: it was not sent by its deadline, which includes the wait for a connection
 * - `closed`: the connection broke before it was used, or the client was closed
 */
export type NotSentReason = 'refused' | 'dns' | 'tls' | 'connect_timeout' | 'deadline_passed' | 'closed';

/**
 * Reasons that a request which may have left has no usable answer. The gateway may have executed the order.
 *
 * - `timeout`: the answer was not complete in time
 * - `connection_lost`: the connection broke before the head of an answer
 * - `destination_changed`: an answer of 3xx that may not be followed
 * - `not_json`: a body that does not have the expected shape: not JSON, not an object, a name given twice, or a wrong type in a
 *   field that identifies the money (id, type, amount, currency, our reference, the transaction that it refers to)
 * - `no_result_code`: a JSON object without a well-formed `result.code`
 * - `body_too_large`: a body over the limit, as sent or decoded; it was not read to its end
 * - `not_decodable`: an unknown `content-encoding`, or a body that does not have that encoding
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
 * Reasons that a query has no result. None of them means "does not exist".
 *
 * - `throttled`, `forbidden`, `error`: the gateway's answer
 * - `not_offered`: the account's reporting does not show what was queried
 * - `unreadable_entry`: a transaction in a list has no result code, or not the shape of a transaction
 * - `too_many_pages`: more pages than any payment or reference has
 */
export type UnavailableReason =
  NoAnswerReason | NotSentReason | 'throttled' | 'forbidden' | 'not_offered' | 'error' | LastingReason;

/** Reasons that a repeated query does not change. */
export const LASTING_REASONS = ['unreadable_entry', 'too_many_pages'] as const;
export type LastingReason = (typeof LASTING_REASONS)[number];

/** True if a repeated query would have the same result, whatever the state of network, gateway and credentials. */
export const isLasting = (why: UnavailableReason): boolean => LASTING_REASONS.some((one) => one === why);

/** Texts for operators. */
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

/** Result of a query. `not_found`: the gateway answered so, or with an empty list. It answers so for a wrong entity too. */
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
