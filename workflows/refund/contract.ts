/** Contract of the refund workflow: name, ids, input, result, signals and updates. Shared by clients, the worker and the workflow. */
import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CommandResult } from '../../activities/refund/activities.js';
import type { CaseReason } from '../../domain/refund/reasons.js';
import type { CorrectionOutcome } from '../../domain/refund/correction.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { Destination } from '../../domain/refund/destination.js';
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import type { RefundConfig } from '../../domain/refund/config.js';
import type { SettledAmount } from '../../domain/refund/settlement.js';
import { PUBLIC_STATUS, type RefundState, type RefundStatus } from '../../domain/refund/states.js';

export const REFUND_WORKFLOW = 'refund';

/** The task queue of refunds unless a deployment sets another name. */
export const DEFAULT_TASK_QUEUE = 'refunds';

/** Keeps two runs of one refund from running at once. The refund itself is unique in the ledger, by its idempotency key. */
export const refundWorkflowId = (refundId: string): string => `refund-${refundId}`;

/** The refund must be accepted in the ledger. A history replays with the config that it was started with. */
export interface RefundInput {
  readonly refundId: string;
  readonly config: RefundConfig;
  /** The task queue of queries to the gateway. */
  readonly queryTaskQueue: string;
}

/**
 * The end of a refund. Decide by `settledBy` and `settledAmount`, never by `status` alone: a refund that is canceled or failed may have been
 * settled elsewhere, and one that succeeded may have been settled in part by a chargeback.
 */
export interface RefundResult extends SettledAmount {
  readonly refundId: string;
  readonly state: RefundState;
  readonly status: RefundStatus;
  /** The reason of the end; null where the state tells it. */
  readonly why: string | null;
}

export const resultOf = ({ refundId, state, why, settled }: RefundSnapshot): RefundResult => ({
  refundId,
  state,
  status: PUBLIC_STATUS[state],
  why,
  ...settled,
});

/**
 * `version`: the refund's version in the ledger when the signal was sent. A run that is about to end reads the ledger if its own snapshot is
 * older.
 */
export type GatewayNotificationArgs = [version?: number, about?: 'gateway' | 'ledger'];

/**
 * Sent after a notification of the gateway about this refund. It only brings the next query forward. With `ledger`: sent after a change in the
 * ledger, or by the sweep; nothing follows, and no query is spent, if the run knows `version` already.
 */
export const gatewayNotification = defineSignal<GatewayNotificationArgs>('gatewayNotification');

/** An operator's verdict on an instruction, identified by its hash: the exact one that the operator was shown. */
export interface DecisionMessage extends OperatorNote {
  readonly verdict: 'approved' | 'refused';
  readonly instruction: string;
}
/** Approves or rejects the credit that waits for approval. */
export const decideUpdate = defineUpdate<CommandResult<'decide'>, [DecisionMessage]>('decide');

/** Approves or rejects a proposed correction; the approver is another operator. The gateway is queried first. */
export const confirmUpdate = defineUpdate<CommandResult<'confirm'>, [DecisionMessage]>('confirm');

export type WithdrawMessage = OperatorNote;
/** Ends the refund, if no money has left and none may have left. */
export const withdrawUpdate = defineUpdate<CommandResult<'withdraw'>, [WithdrawMessage]>('withdraw');

/** Queries the gateway now and returns the snapshot after that. Moves no money. A note, where there is one, is stored. */
export const syncUpdate = defineUpdate<RefundSnapshot, [OperatorNote | undefined]>('sync');

/** Links a gateway transaction to the refund: the transaction is the outcome of one of its attempts. */
export interface LinkMessage extends OperatorNote {
  readonly gatewayId: string;
}
export const linkUpdate = defineUpdate<CommandResult<'link'>, [LinkMessage]>('link');

/** States the outcome of an attempt, or that a case is settled, where the gateway cannot be queried. */
export interface CorrectMessage extends OperatorNote {
  readonly outcome: CorrectionOutcome;
  /** A letter of the acquirer, a settlement line, an ARN. Never a card number. */
  readonly evidence: string;
  /** Names the attempt by its own reference; absent: the open one, else the newest. */
  readonly reference?: string;
  /** Names the case that is closed; absent: all that only an operator closes. */
  readonly case?: CaseReason;
}
export const correctUpdate = defineUpdate<CommandResult<'correct'>, [CorrectMessage]>('correct');

/** Names another destination for the credit of a refund that waits for an operator. */
export type ChangeDestinationMessage = OperatorNote & Destination;
export const changeDestinationUpdate = defineUpdate<
  CommandResult<'change_destination'>,
  [ChangeDestinationMessage]
>('change_destination');
