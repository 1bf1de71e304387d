/** The ledger as the rest of the program sees it: what was promised, sent and answered. Every call is one short transaction. */
import type { CreditVerdict } from '../domain/refund/credit-guard.js';
import type { CaseReason, Finding, GiveUpReason } from '../domain/payment/finding.js';
import type { Position } from '../domain/refund/next-step.js';
import type { OriginalFacts } from '../domain/payment/original.js';
import type { Outcome } from '../domain/refund/outcome.js';
import type { Plan, Policy, Timings } from '../domain/refund/plan.js';
import type { GatewayId } from '../domain/ids.js';
import type { AttemptState, RefundState } from '../domain/refund/states.js';
import type { CreditRequest, RefundRequest } from '../domain/refund/request.js';
import type { Way } from '../domain/refund/way.js';
import type { Asked, Unreadable } from './core/queries.js';
import type { PaymentRecord, RefundRecord } from './core/refund-record.js';
import type {
  BulkCursor,
  Waiting,
  WaitingSums,
  Adoption,
  AdoptRefusal,
  CommandResult,
  Confirmation,
  Correction,
  Decision,
  Redirection,
  Replay,
  OperatorCommand,
  SeenReturned,
} from './core/people.js';

/** A checked request with who asks. `caller` owns the idempotency key; `requestedBy` is the person or system behind it. */
export interface AcceptOrder {
  readonly caller: string;
  readonly idempotencyKey: string;
  readonly requestedBy: string;
  readonly request: RefundRequest | CreditRequest;
}

/** An original as just looked up, to be stored with the first refund on it. */
export interface ImportedPayment {
  readonly entityId: string;
  readonly facts: OriginalFacts;
}

/** In place of an original, where a free-standing credit is asked for or the payment is declared: only the entity. */
export interface FreeStanding {
  readonly entityId: string;
  readonly facts: null;
}

export interface Accepted {
  readonly refund: RefundRecord;
  /** False where the same key and body had been accepted before. */
  readonly isNew: boolean;
}

/** An attempt that this caller, and nobody else, is to send once, now. Minor units. */
export interface SendOrder {
  readonly attemptId: string;
  /** Which handing-over of the attempt this is: a later one makes weak answers to this one worthless. */
  readonly send: number;
  readonly way: Way;
  readonly entityId: string;
  readonly originalId: string | null;
  readonly registrationId: string | null;
  readonly reference: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** True for a reversal of less than was authorised. */
  readonly isPartialReversal: boolean;
}

export type Opened =
  | { readonly kind: 'send'; readonly order: SendOrder }
  /** Somebody else is or was there first, or nothing is to be sent now: go on from the position. */
  | {
      readonly kind: 'resume';
      readonly position: Position;
      /** A reversal is next, and the payment was only declared: it is read first, because the gateway caps no reversal. */
      readonly mustSee?: true;
    };

/** Who reports the outcome. An answer belongs to one submission, a query to its beginning; a notification has no date. */
export type Source =
  | { readonly source: 'answer'; readonly send: number }
  | { readonly source: 'look_up'; readonly asked: Asked }
  | { readonly source: 'notice' }
  | { readonly source: 'person'; readonly by: string };

/** What is known about an attempt's outcome, and from where. */
export type Evidence = Source & {
  readonly attemptId: string;
  readonly outcome: Outcome;
  /** The original as it was read with the outcome: a reversal is measured against its captures. */
  readonly original?: OriginalFacts;
  readonly code?: string;
  readonly description?: string;
  /** Every id that the gateway gave with it. All are kept, whatever the outcome. */
  readonly ids?: readonly string[];
};

/** What a look-up needs to know. */
export interface Inquiry {
  readonly attemptId: string;
  readonly way: Way;
  readonly state: AttemptState;
  readonly entityId: string;
  /** Null where there is no original: of a free-standing credit. */
  readonly paymentId: string | null;
  readonly originalId: string | null;
  readonly reference: string;
  /** Every id that the gateway gave it, the certain one first: what it shows under one of them is this attempt. */
  readonly gatewayIds: readonly GatewayId[];
  readonly asked: Asked;
  readonly amountMinor: bigint;
  readonly currency: string;
  /**
   * What a look-up may find and explain: reference and gateway id of every attempt on the payment, and gateway ids of returns made
   * elsewhere that were on record before this attempt was opened.
   */
  readonly explained: ReadonlySet<string>;
}

/** A query that found nothing certain. */
export interface Miss {
  readonly answer: string;
  /** True where nothing of it is there though the original is: late enough, that counts towards absence. */
  readonly countsIfLate: boolean;
  readonly asked: Asked;
}

/** What comparing with the original needs to know. */
export interface RefundScope {
  readonly refundId: string;
  /** Null where there is no original: of a free-standing credit. */
  readonly paymentId: string | null;
  readonly entityId: string;
  /** Of the payment. */
  readonly currency: string;
  /** The ledger's clock: from when a query of the payment counts that begins now. */
  readonly observedAt: Date;
}

export interface RefundFilter {
  /** With `idempotencyKey`: the one refund that is stored under it. */
  readonly caller?: string;
  readonly idempotencyKey?: string;
  readonly paymentId?: string;
  readonly states?: readonly RefundState[];
  /** Not final. */
  readonly unfinished?: boolean;
  readonly limit?: number;
  /** Refunds created before this refund, newest first. */
  readonly before?: string;
}

export interface Ledger {
  /**
   * Stores the refund and reserves its amount, or answers the one that the same key stored before. Throws `LedgerError`. `checkInTime` is called
   * in the moment before the commit; where it throws, nothing is stored.
   */
  accept(
    order: AcceptOrder,
    imported: ImportedPayment | FreeStanding | null,
    checkInTime?: () => void,
  ): Promise<Accepted>;
  /** The root of a payment or capture id that is known, or null. What a free-standing credit is counted on is no payment. */
  findPayment(id: string): Promise<PaymentRecord | null>;
  /** The same, with the ledger's clock: from when a query of the payment counts that begins now. */
  beforeQuery(id: string): Promise<{ readonly payment: PaymentRecord | null; readonly at: Date }>;
  findRefund(id: string): Promise<RefundRecord | null>;
  listRefunds(filter: RefundFilter): Promise<readonly RefundRecord[]>;
  position(refundId: string): Promise<Position>;
  scope(refundId: string): Promise<RefundScope>;

  /** Opens an attempt on the original (refund, or reversal where nothing is captured), or re-opens the absent one. */
  openLinked(refundId: string, timings: Timings, policy: Policy): Promise<Opened>;
  /**
   * Weighs the credit under the payment's lock with the look-up just made, and opens it only if the guard allows. `original` is null
   * for a free-standing credit, and for no other.
   */
  openCredit(
    refundId: string,
    original: OriginalFacts | null,
    timings: Timings,
    policy: Policy,
  ): Promise<Opened & { readonly verdict?: CreditVerdict }>;
  /** Records what an answer, look-up or notice says. The same fact twice changes nothing. */
  record(evidence: Evidence): Promise<Position>;
  /** Keeps ids that a notification gave an attempt. One that was taken for absent is open again. */
  keepIds(attemptId: string, ids: readonly string[]): Promise<void>;
  /** The database's time: when a query that begins now began. */
  clock(): Promise<Date>;
  /** The open attempt of a refund, for a query; else the last one that came back, which may be shown paid again; else null. */
  inquiry(refundId: string): Promise<Inquiry | null>;
  /** Records a look-up that told nothing about the outcome; counts it towards absence only where it may. */
  recordMiss(attemptId: string, miss: Miss, timings: Timings): Promise<Position>;
  /** Disputes and returns that the gateway shows and the ledger did not know; then what they mean for this refund. */
  recordOriginal(paymentId: string, original: OriginalFacts): Promise<void>;
  /**
   * Compares a refund whose attempts are over with the original. `decide` carries out whatever follows; `before_credit` only
   * what ends the refund (a dispute, a reversal), and leaves the rest to the guard of the credit.
   */
  applyFinding(
    refundId: string,
    original: OriginalFacts,
    purpose: 'decide' | 'before_credit',
  ): Promise<{ readonly finding: Finding; readonly position: Position }>;
  ask(refundId: string, why: CaseReason, details?: Readonly<Record<string, unknown>>): Promise<Position>;
  /** One query of the payment that could not be read. Opens a case where asking again will not change that. */
  noteUnreadable(refundId: string, unreadable: Unreadable): Promise<Position>;
  /** The payment was read: a refund that is in review for nothing else goes back to the step that needed it. */
  noteReadable(refundId: string, original: OriginalFacts): Promise<Position>;
  giveUp(refundId: string, why: GiveUpReason, actor: string): Promise<Position>;
  /** One more look-up of the payment that found nothing. True where enough spaced ones did: then it is not the visibility lag. */
  missOriginal(paymentId: string, timings: Timings): Promise<boolean>;
  withdraw(
    refundId: string,
    by: string,
    reason: string,
    ticket?: string,
    commandId?: string,
    /** Attempts that came back and that the gateway was just seen to show so still. */
    stillReturned?: readonly SeenReturned[],
  ): Promise<CommandResult<'withdraw'>>;
  decide(decision: Decision): Promise<CommandResult<'decide'>>;
  /** What a person says about an attempt, once the gateway has shown the transaction and it fits. */
  adopt(adoption: Adoption, timings: Timings): Promise<CommandResult<'adopt'>>;
  /** The same where the gateway shows nothing that fits: nothing is changed. Answers what the word was answered before, where it was. */
  refuseAdoption(refundId: string, said: OperatorCommand, why: AdoptRefusal): Promise<CommandResult<'adopt'>>;
  /** Proposes a correction, or makes it where one person may. */
  correct(correction: Correction, plan: Plan): Promise<CommandResult<'correct'>>;
  /** A second person confirms or refuses what was proposed. */
  confirm(confirmation: Confirmation, timings: Timings): Promise<CommandResult<'confirm'>>;
  /** Another destination for the credit of a refund that waits for a person; proven anew, and approved by a second one. */
  redirect(redirection: Redirection): Promise<CommandResult<'redirect'>>;
  /** Takes a refund in review back to its first unsent step, with fresh budgets. Sends nothing. */
  replay(order: Replay): Promise<CommandResult<'replay'>>;
  /** How many refunds wait for one cause, and the money that they are about. */
  waitingSums(waiting: Waiting): Promise<WaitingSums>;
  /** The next of them, oldest case first. */
  waitingAfter(
    waiting: Waiting,
    cursor: BulkCursor,
    limit: number,
  ): Promise<readonly { readonly caseId: bigint; readonly refundId: string }[]>;
  /** Puts on record that an operator checked with the gateway or started a run again. */
  note(refundId: string, command: 'resolve' | 'restart', said: OperatorCommand): Promise<void>;
}

/** A later query of the payment has been stored already: nothing may be concluded from this one. It is made again. */
export class ObservationOutdated extends Error {
  override readonly name = 'ObservationOutdated';

  constructor(paymentId: string) {
    super(
      `payment ${paymentId} was queried later than this, and that is stored already; it is queried again`,
    );
  }
}

/** Why the ledger refuses. `details` holds nothing secret and is shown to the caller. */
export type LedgerErrorCode =
  | 'idempotency_key_reused'
  | 'exceeds_refundable'
  | 'payment_differs'
  | 'currency_mismatch'
  | 'payment_not_refundable'
  | 'payment_unknown'
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
