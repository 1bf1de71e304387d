/** Interface of the ledger: what was accepted, submitted and answered. Every call is one short transaction. */
import type { CreditVerdict } from '../domain/refund/credit-guard.js';
import type { ReconciliationResult } from '../domain/payment/reconciliation.js';
import type { CaseReason, GiveUpReason } from '../domain/refund/reasons.js';
import type { RefundSnapshot } from '../domain/refund/next-step.js';
import type { OriginalFacts } from '../domain/payment/original.js';
import type { Outcome } from '../domain/refund/outcome.js';
import type { SealedCard } from '../domain/card/sealed-card.js';
import type { RecordedResult, SettlementDetails } from '../domain/transaction.js';
import type { RefundConfig, Policy, Timings } from '../domain/refund/config.js';
import type { GatewayId } from '../domain/ids.js';
import type { RefundState } from '../domain/refund/states.js';
import type { AttemptState } from '../domain/refund/attempt-states.js';
import type { CreditRequest, RefundRequest } from '../domain/refund/request.js';
import type { Operation } from '../domain/refund/operation.js';
import type { QueryStart, UnreadablePayment } from './core/queries.js';
import type { PaymentRecord, RefundRecord } from './core/refund-record.js';
import type {
  BulkCursor,
  Waiting,
  WaitingSums,
  LinkCommand,
  LinkRefusal,
  CommandResult,
  Confirmation,
  Correction,
  Decision,
  DestinationChange,
  Replay,
  OperatorCommand,
  ReturnProof,
} from './core/commands.js';

/** A validated request. `clientId` is the client that owns the idempotency key; `requestedBy` is the operator or system that requested it. */
export interface AcceptInput {
  readonly clientId: string;
  readonly idempotencyKey: string;
  readonly requestedBy: string;
  readonly request: RefundRequest | CreditRequest;
}

/** An original as a query just showed it, to be stored with the first refund on it. */
export interface ImportedPayment {
  readonly entityId: string;
  readonly facts: OriginalFacts;
}

/** Takes the place of an original for an unlinked credit or a declared payment: only the entity is known. */
export interface UnlinkedCredit {
  readonly entityId: string;
  readonly facts: null;
}

export interface Accepted {
  readonly refund: RefundRecord;
  /** False if the same key and body were accepted before. */
  readonly isNew: boolean;
}

/** An attempt that only the receiver of this order submits, once and now. Minor units. */
export interface Submission {
  readonly attemptId: string;
  /** Number of the submission. Weak evidence about an earlier submission does not count. */
  readonly send: number;
  readonly operation: Operation;
  readonly entityId: string;
  readonly originalId: string | null;
  readonly registrationId: string | null;
  /** The sealed card that the credit goes to; null if it goes to a registration. */
  readonly cardRef: string | null;
  readonly reference: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** True for a reversal of less than was authorized. */
  readonly isPartialReversal: boolean;
}

export type Opened =
  | { readonly kind: 'send'; readonly order: Submission }
  /** Another run was first, or nothing may be submitted now: continue from the snapshot. */
  | {
      readonly kind: 'resume';
      readonly snapshot: RefundSnapshot;
      /** A reversal is next, but the payment is only declared: it has to be queried first, because the gateway caps no reversal. */
      readonly needsQuery?: true;
    };

export type CreditOpened =
  | Opened
  /** The guard allows the credit, and its card has to be opened first. The attempt is not opened. */
  | { readonly kind: 'open_card'; readonly card: SealedCard; readonly entityId: string }
  /** The guard allows the credit, and the outcome of registering its card has to be queried first. */
  | { readonly kind: 'open_registration'; readonly registration: OpenRegistration };

/** The next step of registering a card at the gateway. */
export type RegistrationOpened =
  /** Only the receiver registers the card, once and now. */
  | { readonly kind: 'send'; readonly reference: string }
  /** The card is registered already, is being registered, or cannot be used as it was opened: check the credit again. */
  | { readonly kind: 'check_again' };

/** A registration whose outcome is open. */
export interface OpenRegistration {
  readonly cardRef: string;
  readonly entityId: string;
  readonly reference: string;
  /** The database's time, as the beginning of a query. */
  readonly at: Date;
}

/** Outcome of registering a card. */
export type RegistrationOutcome =
  | { readonly kind: 'registered'; readonly registrationId: string; readonly result: RecordedResult }
  | { readonly kind: 'rejected'; readonly result: RecordedResult }
  | { readonly kind: 'unknown' | 'not_sent' };

/** Source of the evidence. An answer belongs to one submission, a query to its beginning; a notification has no time. */
export type Source =
  | { readonly source: 'answer'; readonly send: number }
  | { readonly source: 'query'; readonly asked: QueryStart }
  | { readonly source: 'notification' }
  | { readonly source: 'operator'; readonly by: string };

/** Evidence about an attempt's outcome, with its source. */
export type Evidence = Source & {
  readonly attemptId: string;
  readonly outcome: Outcome;
  /** The original as it was read with the outcome: a reversal is compared with its captures. */
  readonly original?: OriginalFacts;
  readonly code?: string;
  readonly description?: string;
  /** All ids that the gateway gave with the outcome. All are stored, whatever the outcome. */
  readonly ids?: readonly string[];
  /** Ids and texts of the answer that find the transaction in settlement. */
  readonly settlement?: SettlementDetails;
  /** Last four digits of the card in the answer. */
  readonly cardLast4?: string;
};

/** An attempt as a query of it needs it. */
export interface QueryTarget {
  readonly attemptId: string;
  readonly operation: Operation;
  readonly state: AttemptState;
  readonly entityId: string;
  /** Null for an unlinked credit, which has no original. */
  readonly paymentId: string | null;
  readonly originalId: string | null;
  readonly reference: string;
  /** All ids that the gateway gave the attempt, the certain one first: a transaction under one of them is this attempt. */
  readonly gatewayIds: readonly GatewayId[];
  readonly asked: QueryStart;
  readonly amountMinor: bigint;
  readonly currency: string;
  /**
   * Known transactions of the payment: reference and gateway id of every attempt, and gateway ids of returns made elsewhere that were
   * recorded before this attempt was opened.
   */
  readonly explained: ReadonlySet<string>;
}

/** A query that found nothing certain. */
export interface InconclusiveQuery {
  readonly answer: string;
  /** True if the gateway shows the original but nothing of the attempt: late enough, that counts towards absence. */
  readonly countsTowardsAbsence: boolean;
  readonly asked: QueryStart;
}

/** A refund as the reconciliation with its original needs it. */
export interface RefundScope {
  readonly refundId: string;
  /** Null for an unlinked credit, which has no original. */
  readonly paymentId: string | null;
  readonly entityId: string;
  /** Currency of the payment. */
  readonly currency: string;
  /** The database's time: a query of the payment that begins now counts from then. */
  readonly observedAt: Date;
}

export interface RefundFilter {
  /** The client. With `idempotencyKey`: the one refund stored under it. */
  readonly clientId?: string;
  readonly idempotencyKey?: string;
  readonly paymentId?: string;
  readonly states?: readonly RefundState[];
  /** Only refunds that are not final. */
  readonly unfinished?: boolean;
  readonly limit?: number;
  /** Refunds created before this refund, newest first. */
  readonly before?: string;
}

export interface Ledger {
  /**
   * Stores the refund and reserves its amount, or returns the refund that the same key stored before. Throws `LedgerError`. `checkStillWanted`
   * is called just before the commit; if it throws, nothing is stored.
   */
  accept(
    order: AcceptInput,
    imported: ImportedPayment | UnlinkedCredit | null,
    checkStillWanted?: () => void,
  ): Promise<Accepted>;
  /** Returns the payment of a payment or capture id, or null. Rows of unlinked credits are not returned. */
  findPayment(id: string): Promise<PaymentRecord | null>;
  /** The same, with the database's time: a query of the payment that begins now counts from then. */
  paymentBeforeQuery(id: string): Promise<{ readonly payment: PaymentRecord | null; readonly at: Date }>;
  findRefund(id: string): Promise<RefundRecord | null>;
  listRefunds(filter: RefundFilter): Promise<readonly RefundRecord[]>;
  snapshot(refundId: string): Promise<RefundSnapshot>;
  scope(refundId: string): Promise<RefundScope>;

  /** Opens an attempt on the original (a refund, or a reversal if nothing is captured), or reopens the absent one. */
  openLinked(refundId: string, timings: Timings, policy: Policy): Promise<Opened>;
  /**
   * Checks a credit with the guard, under the payment's lock and with the query just made, and opens it only if the guard allows.
   * `original` is null for unlinked credits only. A credit to a card is opened only with `prepared`, the card that was opened, if
   * the ledger still holds the same ciphertexts: another CVV may have taken the place of one that was submitted.
   */
  openCredit(
    refundId: string,
    original: OriginalFacts | null,
    timings: Timings,
    policy: Policy,
    prepared?: SealedCard,
  ): Promise<CreditOpened & { readonly verdict?: CreditVerdict }>;
  /** Stores the reference of a registration before a byte of it leaves, and deletes the key of the card's CVV. */
  openRegistration(prepared: SealedCard, entityId: string, timings: Timings): Promise<RegistrationOpened>;
  /** Records the outcome of a registration. Once it is registered, the keys of the card are destroyed. The same fact twice has no effect. */
  recordRegistration(
    refundId: string,
    registration: Omit<OpenRegistration, 'at'>,
    outcome: RegistrationOutcome,
  ): Promise<void>;
  /** Counts a query that did not find the registration. False once enough of them, late enough, prove that it is absent. */
  recordRegistrationNotFound(registration: OpenRegistration, timings: Timings): Promise<boolean>;
  /** Records an answer, a query result or a notification. The same fact twice has no effect. */
  record(evidence: Evidence): Promise<RefundSnapshot>;
  /** Stores ids that a notification gave an attempt. An attempt that was marked absent is open again. */
  storeIds(attemptId: string, ids: readonly string[]): Promise<void>;
  /** Returns the database's time, as the beginning of a query. */
  clock(): Promise<Date>;
  /** Returns the refund's open attempt for a query, or else its last returned attempt, which may be shown as paid again; else null. */
  queryTarget(refundId: string): Promise<QueryTarget | null>;
  /** Records a query that showed nothing about the outcome, and counts it towards absence if it may. */
  recordInconclusive(
    attemptId: string,
    notFound: InconclusiveQuery,
    timings: Timings,
  ): Promise<RefundSnapshot>;
  /** Stores what the gateway shows of the payment: limits, captures, disputes and returns. */
  recordOriginal(paymentId: string, original: OriginalFacts): Promise<void>;
  /**
   * Compares a refund whose attempts are final with the original. `decide` carries out the result; `before_credit` only what ends the
   * refund (a dispute, a reversal), and leaves the rest to the guard of the credit.
   */
  applyReconciliation(
    refundId: string,
    original: OriginalFacts,
    purpose: 'decide' | 'before_credit',
  ): Promise<{ readonly reconciliation: ReconciliationResult; readonly snapshot: RefundSnapshot }>;
  openCase(
    refundId: string,
    why: CaseReason,
    details?: Readonly<Record<string, unknown>>,
  ): Promise<RefundSnapshot>;
  /** Records a query of the payment that could not be read. Opens a case if another query would not change that. */
  recordUnreadable(refundId: string, unreadable: UnreadablePayment): Promise<RefundSnapshot>;
  /** Records that the payment was read: a refund that is in review only for that returns to the step that needed it. */
  recordReadable(refundId: string, original: OriginalFacts): Promise<RefundSnapshot>;
  giveUp(refundId: string, why: GiveUpReason, actor: string): Promise<RefundSnapshot>;
  /** Counts a query that did not find the payment. True if enough spaced ones did not: then it is not the gateway's visibility lag. */
  recordPaymentNotFound(paymentId: string, timings: Timings): Promise<boolean>;
  withdraw(
    refundId: string,
    by: string,
    reason: string,
    ticket?: string,
    commandId?: string,
    /** Returned attempts that a query has just shown as still returned. */
    stillReturned?: readonly ReturnProof[],
  ): Promise<CommandResult<'withdraw'>>;
  decide(decision: Decision): Promise<CommandResult<'decide'>>;
  /** Links a gateway transaction to an attempt, once the gateway has shown the transaction and it fits. */
  link(linkCommand: LinkCommand, timings: Timings): Promise<CommandResult<'link'>>;
  /** Records that the transaction does not fit; nothing is changed. Returns the stored result if the command was carried out before. */
  refuseLink(
    refundId: string,
    operatorCommand: OperatorCommand,
    why: LinkRefusal,
  ): Promise<CommandResult<'link'>>;
  /** Proposes a correction, or applies it if a single operator may. */
  correct(correction: Correction, config: RefundConfig): Promise<CommandResult<'correct'>>;
  /** A second operator confirms or refuses a proposal. */
  confirm(confirmation: Confirmation, timings: Timings): Promise<CommandResult<'confirm'>>;
  /** Changes the destination of a credit while the refund is in review. The credit is checked again and approved by a second operator. */
  changeDestination(destinationChange: DestinationChange): Promise<CommandResult<'change_destination'>>;
  /** Replays a refund in review from its first step that was not submitted, with fresh budgets. Submits nothing. */
  replay(order: Replay): Promise<CommandResult<'replay'>>;
  /** Returns the number of refunds in review for one cause, and their amounts. */
  reviewSums(waiting: Waiting): Promise<WaitingSums>;
  /** Returns the next refunds in review for one cause, oldest case first. */
  nextInReview(
    waiting: Waiting,
    cursor: BulkCursor,
    limit: number,
  ): Promise<readonly { readonly caseId: bigint; readonly refundId: string }[]>;
  /** Records that an operator synced the refund with the gateway or restarted its run. */
  note(refundId: string, command: 'sync' | 'restart', operatorCommand: OperatorCommand): Promise<void>;
}

/** Thrown when an observation is older than the stored one: nothing may be concluded from it, and the payment is queried again. */
export class ObservationOutdated extends Error {
  override readonly name = 'ObservationOutdated';

  constructor(paymentId: string) {
    super(
      `payment ${paymentId} was queried later than this, and that is stored already; it is queried again`,
    );
  }
}

/** Codes of the ledger's errors. `details` holds nothing secret and is shown to the client. */
export type LedgerErrorCode =
  | 'idempotency_key_reused'
  | 'exceeds_refundable'
  | 'payment_differs'
  | 'currency_mismatch'
  | 'payment_not_refundable'
  | 'payment_unknown'
  | 'card_unknown'
  | 'card_destroyed'
  | 'refund_unknown'
  | 'illegal_transition'
  | 'reference_taken';

export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly code: LedgerErrorCode;
  readonly details: Readonly<Record<string, string>>;

  constructor(code: LedgerErrorCode, message: string, details: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}
