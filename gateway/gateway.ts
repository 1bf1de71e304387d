/** Interface of the gateway client: writes, each of them one request, and queries. */
import type { CardPayer } from '../domain/card/sealed-card.js';
import type { QueryNeed } from '../domain/query-budget.js';
import type { Moment } from '../domain/clock.js';
import type {
  GatewayTransaction,
  QueryResult,
  RecordedTransaction,
  SendResult,
  TransactionTree,
} from '../domain/transaction.js';

/** Time limits of a write and of its answer. */
export interface SendLimits {
  /** Just before the attempt was opened, by the client's clock. */
  readonly openedAt: Moment;
  /** Milliseconds from there after which no byte may leave any more. Checked in the tick that hands the request to the socket. */
  readonly sendWindow: number;
  /** Milliseconds from that tick until the answer counts as lost. */
  readonly answerWithin: number;
}

/** Fields common to every write. `amount` is the gateway's form: exactly two decimals. */
interface Write {
  readonly entityId: string;
  readonly merchantTransactionId: string;
  readonly limits: SendLimits;
}

export interface RefundOrder extends Write {
  /** The DB or CP to be refunded, 32 hex. */
  readonly paymentId: string;
  readonly amount: string;
  readonly currency: string;
}

export interface ReversalOrder extends Write {
  /** The PA to be reversed, 32 hex. */
  readonly paymentId: string;
  /** Only for a partial reversal. */
  readonly partial?: { readonly amount: string; readonly currency: string };
}

export interface RegistrationCreditOrder extends Write {
  readonly registrationId: string;
  readonly amount: string;
  readonly currency: string;
}

/** Brand and card in the gateway's spelling. */
export interface CardFields {
  readonly paymentBrand: string;
  readonly card: {
    readonly number: string;
    readonly holder: string;
    readonly expiryMonth: string;
    readonly expiryYear: string;
    readonly cvv?: string;
  };
}

export interface CardCreditOrder extends Write, CardFields, CardPayer {
  readonly amount: string;
  readonly currency: string;
}

/** A card that becomes a registration. It moves no money. */
export interface CardRegistrationOrder extends Write, CardFields, CardPayer {}

export interface ResultCodeText {
  readonly code: string;
  readonly description: string;
}

export interface Gateway {
  /** `RF`: `POST /v1/payments/{paymentId}`. */
  refund(order: RefundOrder): Promise<SendResult>;
  /** `RV`: `POST /v1/payments/{paymentId}`. */
  reverse(order: ReversalOrder): Promise<SendResult>;
  /** `CD` to a registration: `POST /v1/registrations/{registrationId}/payments`. */
  creditRegistration(order: RegistrationCreditOrder): Promise<SendResult>;
  /** `CD` to a card: `POST /v1/payments`. */
  creditCard(order: CardCreditOrder): Promise<SendResult>;
  /**
   * Makes a card a registration: `POST /v1/registrations` without `paymentType` (documented). The `id` of a successful answer is the
   * registration's id. The answer may have neither a type nor our reference. Assumption: the gateway takes `merchantTransactionId` here, and
   * `findByReference` then finds the registration as a transaction of type `registration` whose `id` is the registration's id. The
   * documentation lists the type `RG` in the transaction history, but shows no such query. Where the assumption is wrong, a registration
   * whose answer was lost is not found, and a second one is made. No money moves.
   */
  registerCard(order: CardRegistrationOrder): Promise<SendResult>;
  /**
   * Removes a registration: `DELETE /v1/registrations/{registrationId}?entityId=` (documented). A success means that it is removed. Sending
   * it again is safe: a registration that does not exist any more is answered with a decline of `100.150.*`.
   */
  removeRegistration(entityId: string, registrationId: string, limits: SendLimits): Promise<SendResult>;
  /**
   * Everything under our own reference. v3 search first; v1 where v3 is not offered. An empty list never comes as `found`. This and the
   * next two throw `QueryBudgetSpent` where the entity's budget has no query left for `need`, by default the least urgent one.
   */
  findByReference(
    entityId: string,
    merchantTransactionId: string,
    need?: QueryNeed,
  ): Promise<QueryResult<readonly GatewayTransaction[]>>;
  /** One transaction with what is linked to it, by v3. Without v3 reporting `unavailable` with `not_offered`, never an empty list. */
  findWithLinked(entityId: string, id: string, need?: QueryNeed): Promise<QueryResult<TransactionTree>>;
  /** One transaction alone, by v1: what is linked to it is not shown. */
  findById(entityId: string, id: string, need?: QueryNeed): Promise<QueryResult<GatewayTransaction>>;
  /** The gateway's published result codes. */
  resultCodes(entityId: string): Promise<QueryResult<readonly ResultCodeText[]>>;
  /** Adds what a stored result means. An entity that is not configured is read as on a live host. */
  interpret(entityId: string, recorded: RecordedTransaction): GatewayTransaction;
  close(): Promise<void>;
}
