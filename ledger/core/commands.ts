/** Types of the commands that operators give about a refund, and of their results. */
import type { LinkMismatch } from '../../domain/refund/link.js';
import type {
  CorrectionOutcome,
  CorrectionRefusal,
  GatewayEvidence,
} from '../../domain/refund/correction.js';
import type { CaseReason } from '../../domain/refund/reasons.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { Outcome } from '../../domain/refund/outcome.js';
import type { Destination } from '../../domain/refund/destination.js';
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import type { ReplayStep } from '../../domain/refund/replay.js';
import type { SettlementDetails } from '../../domain/transaction.js';
import type { QueryStart } from './queries.js';

/** The content of a correction. Another amount, attempt or evidence is another instruction. */
export interface CorrectionDetails {
  readonly outcome: CorrectionOutcome;
  readonly evidence: string;
  readonly amountMinor: string;
  readonly currency: string;
  /** The attempt's reference, and the number of the submission that is meant. */
  readonly reference?: string;
  readonly submissions?: number;
  /** How often the attempt had been returned; absent if never. */
  readonly returns?: number;
  /** Cases that the correction closes. */
  readonly cases?: readonly string[];
}

/** A command of an operator. */
export interface OperatorCommand extends OperatorNote {
  /**
   * Identifies the command: the same on every repetition, different for every other command. Without an id, the command is carried out
   * each time, on the refund as it is then.
   */
  readonly commandId?: string | undefined;
}

export interface Decision extends OperatorCommand {
  readonly refundId: string;
  readonly verdict: 'approved' | 'refused';
  /** Hash of the instruction that the operator saw. */
  readonly instruction: string;
}

/** Why a decision on an approval or a proposal is refused. */
export type DecisionRefusal =
  | 'not_awaiting_approval'
  | 'instruction_changed'
  /** The operator requested the refund. */
  | 'requester_cannot_decide'
  /** The operator proposed the correction or chose the destination. */
  | 'proposer_cannot_approve'
  /** Another operator has decided already; `by` is that operator. */
  | 'already_decided'
  /** A correction of the refund waits for a second operator. */
  | 'proposal_open';

/** Links a transaction, as the gateway shows it, to an attempt of the refund. */
export interface LinkCommand extends OperatorCommand {
  readonly attemptId: string;
  /** The submission with which the transaction was compared, and the time of the query. */
  readonly asked: QueryStart;
  readonly gatewayId: string;
  readonly outcome: Extract<Outcome, { kind: 'succeeded' | 'pending' | 'rejected' }>;
  /** True if the gateway shows the transaction without a reference. */
  readonly hasNoReference: boolean;
  /** Everything else that the gateway showed of the attempt. Queried only if the transaction was declined. */
  readonly gateway: GatewayEvidence;
  readonly code: string;
  readonly description?: string;
  readonly settlement?: SettlementDetails;
  readonly cardLast4?: string;
}

export interface Correction extends OperatorCommand {
  readonly refundId: string;
  readonly outcome: CorrectionOutcome;
  /** The operator's evidence: a letter of the acquirer, a settlement line, an ARN. Never a card number. */
  readonly evidence: string;
  /** Reference of the attempt. Absent: the open attempt, or else the newest. */
  readonly reference?: string;
  /** The case to close. Absent: all cases that only an operator closes. */
  readonly case?: CaseReason;
  readonly gateway: GatewayEvidence;
}

/** A second operator's decision on a proposal, with what the gateway shows now. */
export interface Confirmation extends Decision {
  readonly gateway: GatewayEvidence;
}

/** A returned attempt, and the time of a query that still showed it as returned. */
export interface ReturnProof {
  readonly attemptId: string;
  readonly at: Date;
}

export type DestinationChange = OperatorCommand & { readonly refundId: string } & Destination;

/** Resumes a refund whose cause an operator has fixed. */
export interface Replay extends OperatorCommand {
  readonly refundId: string;
  /** Id of the bulk command that this one is part of. */
  readonly bulk?: string;
}

export type ReplayRefusal =
  | 'final'
  | 'not_in_review'
  | 'may_have_left'
  | 'proposal_open'
  /** A case is open in which the customer may have the money already. */
  | 'case_not_replayable';

/** Why a command about an attempt or a destination is refused. Nothing is changed then. */
export type CommandRefusal =
  | CorrectionRefusal
  | 'requester_cannot_decide'
  | 'proposer_cannot_approve'
  | 'already_decided'
  /** Another correction of the refund waits for a second operator. */
  | 'proposal_open'
  | 'no_proposal'
  /** The refund ended by other evidence, or continued, before the second operator decided. */
  | 'superseded'
  /** No case is open that only an operator closes, or the refund is not final. */
  | 'no_case'
  | 'not_final'
  /** The transaction belongs to another attempt. */
  | 'linked_elsewhere'
  /** The attempt is final, and the transaction adds nothing. */
  | 'attempt_final'
  | 'not_in_review'
  | 'may_have_left'
  | 'same_destination'
  /** The new destination is a card that does not exist, or whose keys were destroyed. */
  | 'card_unknown'
  | 'card_destroyed';

/** Why a transaction is not linked: the ledger's reasons, and those found by comparing it with what the gateway shows. */
export type LinkRefusal =
  | CommandRefusal
  | LinkMismatch
  | 'nothing_submitted'
  | 'not_at_gateway'
  | 'gateway_unavailable'
  | 'gateway_unreadable';

/** `already_decided`: another operator has withdrawn it before. */
export type WithdrawRefusal = 'may_have_left' | 'final' | 'already_decided';

export interface Refused<Why> {
  readonly kind: 'refused';
  readonly why: Why;
  readonly by?: string;
}

/** Stored result of each kind of command. */
export interface CommandResults {
  readonly withdraw: { readonly kind: 'withdrawn' } | Refused<WithdrawRefusal>;
  readonly decide: { readonly kind: 'decided' } | Refused<DecisionRefusal>;
  readonly link: { readonly kind: 'done' } | Refused<LinkRefusal>;
  readonly correct:
    | { readonly kind: 'done' }
    /** Stored; a second operator has to confirm exactly this instruction. */
    | { readonly kind: 'proposed'; readonly instruction: string }
    | Refused<CommandRefusal>;
  readonly confirm: { readonly kind: 'done' } | Refused<CommandRefusal>;
  readonly change_destination: { readonly kind: 'done' } | Refused<CommandRefusal>;
  readonly replay: { readonly kind: 'replayed'; readonly step: ReplayStep } | Refused<ReplayRefusal>;
  readonly sync: { readonly kind: 'noted' };
  readonly restart: { readonly kind: 'noted' };
}

/** The stored result, with the refund's current snapshot. */
export type CommandResult<Kind extends keyof CommandResults> = CommandResults[Kind] & {
  readonly snapshot: RefundSnapshot;
};

export interface Waiting {
  readonly case: CaseReason;
  /** Only cases opened at this time or later. */
  readonly since?: Date;
}

/** Progress of a bulk replay: the last case processed, and the last one that was open when it began. */
export interface BulkCursor {
  readonly after: bigint;
  readonly upTo: bigint;
}

export interface WaitingSums {
  readonly count: number;
  /** Minor units by currency, as decimal text. */
  readonly sums: Readonly<Record<string, string>>;
  /** Id of the newest case; 0 if there is none. */
  readonly upTo: bigint;
}
