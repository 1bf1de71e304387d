/** What starters, callers and the workflow agree on: names, ids, messages, results. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { RefundConfig } from '../../domain/refund/config.js';
import type { SettledAmount } from '../../domain/refund/settlement.js';
import { PUBLIC_STATUS, type RefundState, type RefundStatus } from '../../domain/refund/states.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { CorrectionOutcome } from '../../domain/refund/correction.js';
import type { CaseReason } from '../../domain/payment/reconciliation.js';
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import type { CommandResult } from '../../activities/refund/refunds.js';

export const REFUND_WORKFLOW = 'refund';

/** Workflows that schedules run. */
export const SWEEP_WORKFLOW = 'sweep';
export const AUDIT_WORKFLOW = 'audit';
export type { AuditInput } from '../../activities/maintenance/audit.js';
export type { SweepInput } from '../../activities/maintenance/sweep.js';

export interface SweepResult {
  /** Refunds that were silent and have a run now. */
  readonly started: number;
  readonly failed: number;
  /** Attempts left open under refunds that have ended. */
  readonly queried: number;
}

/** Where refunds run unless a caller says otherwise. */
export const DEFAULT_TASK_QUEUE = 'refunds';

/** The refund's promise is unique in the ledger; its workflow id only keeps two runs from going at once. */
export const refundWorkflowId = (refundId: string): string => `refund-${refundId}`;

export const PAYMENT_UPDATES_WORKFLOW = 'paymentUpdates';

/** One run for each payment: whatever is told about it meanwhile is looked up together. */
export const paymentUpdatesWorkflowId = (paymentId: string): string => `payment-news-${paymentId}`;

/** Never encrypted by Temporal: they hold a state, a flag and the gateway's payment id, nothing personal. */
export const SEARCH_ATTRIBUTES = {
  state: defineSearchAttributeKey('RefundState', SearchAttributeType.KEYWORD),
  needsOperator: defineSearchAttributeKey('RefundNeedsOperator', SearchAttributeType.BOOL),
  paymentId: defineSearchAttributeKey('PaymentId', SearchAttributeType.KEYWORD),
} as const;

/** The refund must be accepted in the ledger. A history replays with the plan that it was started with. */
export interface RefundInput {
  readonly refundId: string;
  readonly config: RefundConfig;
  /** Queries go here. */
  readonly queryTaskQueue: string;
}

/**
 * How a refund ended. Decide by `settledBy` and `settledAmount`, never by `status` alone: a refund that is canceled or failed may have been
 * settled elsewhere, and one that succeeded may have been settled in part by a chargeback.
 */
export interface RefundResult extends SettledAmount {
  readonly refundId: string;
  readonly state: RefundState;
  readonly status: RefundStatus;
  /** Why it ended so, where there is more to say than the state. */
  readonly why: string | null;
}

export const resultOf = ({ refundId, state, why, settled }: RefundSnapshot): RefundResult => ({
  refundId,
  state,
  status: PUBLIC_STATUS[state],
  why,
  ...settled,
});

/** `version`: where the refund stood in the ledger when the notice was passed on, so that a run about to end knows whether it has heard of that. */
export type GatewayNotificationArgs = [version?: number, about?: 'gateway' | 'ledger'];

/**
 * The gateway gave notice about this refund. A hint: it only brings the next look-up forward. About the `ledger`: the sweep asks whether
 * this run knows of `version`; where it does, nothing follows, and no query is spent.
 */
export const gatewayNotification = defineSignal<GatewayNotificationArgs>('gatewayNotification');

/** A person's word on the exact instruction that was shown. */
export interface DecisionMessage extends OperatorNote {
  readonly verdict: 'approved' | 'refused';
  readonly instruction: string;
}
export const decideUpdate = defineUpdate<CommandResult<'decide'>, [DecisionMessage]>('decide');

/** A second person's word on a correction that was proposed. The gateway is asked first. */
export const confirmUpdate = defineUpdate<CommandResult<'confirm'>, [DecisionMessage]>('confirm');

export type WithdrawMessage = OperatorNote;
export const withdrawUpdate = defineUpdate<CommandResult<'withdraw'>, [WithdrawMessage]>('withdraw');

/** Look at the gateway now. Reads only; answers where the refund stands afterwards. With a word, the word is on record. */
export const syncUpdate = defineUpdate<RefundSnapshot, [OperatorNote | undefined]>('sync');

/** "This gateway transaction is this attempt." */
export interface LinkMessage extends OperatorNote {
  readonly gatewayId: string;
}
export const linkUpdate = defineUpdate<CommandResult<'link'>, [LinkMessage]>('link');

/** What became of an attempt, or that a case is settled, where the gateway cannot be asked. */
export interface CorrectMessage extends OperatorNote {
  readonly outcome: CorrectionOutcome;
  /** A letter of the acquirer, a settlement line, an ARN. Never a card number. */
  readonly evidence: string;
  /** Which attempt, by its own reference; absent: the open one, else the newest. */
  readonly reference?: string;
  /** Which case is closed; absent: all that only a person closes. */
  readonly case?: CaseReason;
}
export const correctUpdate = defineUpdate<CommandResult<'correct'>, [CorrectMessage]>('correct');

/** Another destination for the credit of a refund that waits for a person. */
export interface ChangeDestinationMessage extends OperatorNote {
  readonly registrationId: string;
}
export const changeDestinationUpdate = defineUpdate<
  CommandResult<'change_destination'>,
  [ChangeDestinationMessage]
>('change_destination');
