/** What operators may order about a refund, and the results. */
import type { AdoptionMismatch } from '../../domain/refund/adoption.js';
import type { CorrectionOutcome, CorrectionRefusal, GatewayWord } from '../../domain/refund/correction.js';
import type { CaseReason } from '../../domain/payment/finding.js';
import type { Position } from '../../domain/refund/next-step.js';
import type { Outcome } from '../../domain/refund/outcome.js';
import type { OperatorNote } from '../../domain/refund/people.js';
import type { ReplayStep } from '../../domain/refund/replay.js';
import type { Asked } from './queries.js';

/** What a correction is bound to: another amount, attempt or evidence is another instruction. */
export interface CorrectionDetails {
  readonly outcome: CorrectionOutcome;
  readonly evidence: string;
  readonly amountMinor: string;
  readonly currency: string;
  /** The attempt's own reference, and which handing-over of it is meant. */
  readonly reference?: string;
  readonly sends?: number;
  /** How often the attempt had come back, where it had. */
  readonly returns?: number;
  /** The cases that it closes. */
  readonly cases?: readonly string[];
}

/** A command that is being carried out. */
export interface OperatorCommand extends OperatorNote {
  /**
   * The same whenever this command is carried out, another one for every other command. Absent: the command is carried out each time, on
   * the refund as it is.
   */
  readonly commandId?: string | undefined;
}

export interface Decision extends OperatorCommand {
  readonly refundId: string;
  readonly verdict: 'approved' | 'refused';
  /** The instruction that the person saw. */
  readonly instruction: string;
}

/** Why a word on an approval or a proposal is not taken. */
export type DecisionRefusal =
  | 'not_awaiting_approval'
  | 'instruction_changed'
  /** Whoever asked for the refund does not decide about it. */
  | 'own_request'
  /** Nor does whoever proposed it or named the destination. */
  | 'own_proposal'
  /** Somebody else has said it, or said otherwise; `by` names who. */
  | 'already_decided'
  /** A correction of the same refund waits for a second person. */
  | 'proposal_open';

/** A transaction as the gateway shows it, which a person says is an attempt of this refund. */
export interface Adoption extends OperatorCommand {
  readonly attemptId: string;
  /** The submission of the attempt that it was compared with, and when the gateway was asked. */
  readonly asked: Asked;
  readonly gatewayId: string;
  readonly outcome: Extract<Outcome, { kind: 'succeeded' | 'pending' | 'rejected' }>;
  /** True where the gateway shows it without a reference. */
  readonly isBare: boolean;
  /** What else the gateway showed of the attempt just before; asked only where the transaction was refused. */
  readonly gateway: GatewayWord;
  readonly code: string;
  readonly description: string;
}

export interface Correction extends OperatorCommand {
  readonly refundId: string;
  readonly outcome: CorrectionOutcome;
  /** What shows it: a letter of the acquirer, a settlement line, an ARN. Never a card number. */
  readonly evidence: string;
  /** Which attempt, by its own reference; absent: the open one, else the newest. */
  readonly reference?: string;
  /** Which case is closed; absent: all that only a person closes. */
  readonly case?: CaseReason;
  readonly gateway: GatewayWord;
}

/** A second person's word on a proposal, with what the gateway shows now. */
export interface Confirmation extends Decision {
  readonly gateway: GatewayWord;
}

/** An attempt that came back, and when a query began that showed it so still. */
export interface SeenReturned {
  readonly attemptId: string;
  readonly at: Date;
}

export interface Redirection extends OperatorCommand {
  readonly refundId: string;
  readonly registrationId: string;
}

/** An operator says that what stopped the refund is fixed. */
export interface Replay extends OperatorCommand {
  readonly refundId: string;
  /** Names the bulk command that it is part of. */
  readonly bulk?: string;
}

export type ReplayRefusal =
  | 'final'
  | 'not_in_review'
  | 'may_have_left'
  | 'proposal_open'
  /** A case is open after which the customer may have the money already. */
  | 'case_not_replayable';

/** Why a person's word on an attempt or a destination is not taken. Nothing is changed then. */
export type PersonRefusal =
  | CorrectionRefusal
  | 'own_request'
  | 'own_proposal'
  | 'already_decided'
  /** Another correction of the same refund waits for a second person. */
  | 'proposal_open'
  | 'no_proposal'
  /** The refund ended by other evidence, or went on, before the second person spoke. */
  | 'overtaken'
  /** No case is open that a person would have to close, or the refund is not over. */
  | 'no_case'
  | 'not_final'
  /** The transaction is another attempt's. */
  | 'belongs_to_another'
  /** The attempt is over, and this says nothing new about it. */
  | 'attempt_is_over'
  | 'not_in_review'
  | 'may_have_left'
  | 'same_destination';

/** Why a transaction is not adopted. Besides the ledger's own reasons: what the gateway shows is not what the person says. */
export type AdoptRefusal =
  | PersonRefusal
  | AdoptionMismatch
  | 'nothing_sent'
  | 'not_at_gateway'
  | 'gateway_unavailable'
  | 'gateway_unreadable';

/** `already_decided`: somebody else withdrew it before. */
export type WithdrawRefusal = 'may_have_left' | 'final' | 'already_decided';

export interface Refused<Why> {
  readonly kind: 'refused';
  readonly why: Why;
  readonly by?: string;
}

/** What became of a command, by kind, as it is kept. */
export interface CommandResults {
  readonly withdraw: { readonly kind: 'withdrawn' } | Refused<WithdrawRefusal>;
  readonly decide: { readonly kind: 'decided' } | Refused<DecisionRefusal>;
  readonly adopt: { readonly kind: 'done' } | Refused<AdoptRefusal>;
  readonly correct:
    | { readonly kind: 'done' }
    /** Written down; a second person has to confirm exactly this instruction. */
    | { readonly kind: 'proposed'; readonly instruction: string }
    | Refused<PersonRefusal>;
  readonly confirm: { readonly kind: 'done' } | Refused<PersonRefusal>;
  readonly redirect: { readonly kind: 'done' } | Refused<PersonRefusal>;
  readonly replay: { readonly kind: 'replayed'; readonly step: ReplayStep } | Refused<ReplayRefusal>;
  readonly resolve: { readonly kind: 'noted' };
  readonly restart: { readonly kind: 'noted' };
}

/** Where the refund stands is told with each answer, as it is now. */
export type CommandResult<Kind extends keyof CommandResults> = CommandResults[Kind] & {
  readonly position: Position;
};

export interface Waiting {
  readonly case: CaseReason;
  /** Only cases that were opened then or later. */
  readonly since?: Date;
}

/** Where a bulk replay stands: the case it has come to, and the last one that was open when it began. */
export interface BulkCursor {
  readonly after: bigint;
  readonly upTo: bigint;
}

export interface WaitingSums {
  readonly count: number;
  /** Minor units by currency, as text. */
  readonly sums: Readonly<Record<string, string>>;
  /** Of the newest case; 0 where none waits. */
  readonly upTo: bigint;
}
