/** What starters, callers and the workflow agree on: names, ids, messages, results. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Plan } from '../../domain/refund/plan.js';
import type { SettledAmount } from '../../domain/refund/settlement.js';
import { PUBLIC_STATUS, type RefundState, type RefundStatus } from '../../domain/refund/states.js';
import type { Position } from '../../domain/refund/next-step.js';
import type { CorrectionOutcome } from '../../domain/refund/correction.js';
import type { CaseReason } from '../../domain/payment/finding.js';
import type { OperatorNote } from '../../domain/refund/people.js';
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
  readonly lookedUp: number;
}

/** Where refunds run unless a caller says otherwise. */
export const DEFAULT_TASK_QUEUE = 'refunds';

/** The refund's promise is unique in the ledger; its workflow id only keeps two runs from going at once. */
export const refundWorkflowId = (refundId: string): string => `refund-${refundId}`;

export const PAYMENT_NEWS_WORKFLOW = 'paymentNews';

/** One run for each payment: whatever is told about it meanwhile is looked up together. */
export const paymentNewsWorkflowId = (paymentId: string): string => `payment-news-${paymentId}`;

/** Never encrypted by Temporal: they hold a state, a flag and the gateway's payment id, nothing personal. */
export const SEARCH_ATTRIBUTES = {
  state: defineSearchAttributeKey('RefundState', SearchAttributeType.KEYWORD),
  needsPerson: defineSearchAttributeKey('RefundNeedsPerson', SearchAttributeType.BOOL),
  paymentId: defineSearchAttributeKey('PaymentId', SearchAttributeType.KEYWORD),
} as const;

/** The refund must be accepted in the ledger. A history replays with the plan that it was started with. */
export interface RefundInput {
  readonly refundId: string;
  readonly plan: Plan;
  /** Queries go here. */
  readonly lookUpTaskQueue: string;
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

export const resultOf = ({ refundId, state, why, settled }: Position): RefundResult => ({
  refundId,
  state,
  status: PUBLIC_STATUS[state],
  why,
  ...settled,
});

/** `version`: where the refund stood in the ledger when the notice was passed on, so that a run about to end knows whether it has heard of that. */
export type NoticeArgs = [version?: number, about?: 'gateway' | 'ledger'];

/**
 * The gateway gave notice about this refund. A hint: it only brings the next look-up forward. About the `ledger`: the sweep asks whether
 * this run knows of `version`; where it does, nothing follows, and no query is spent.
 */
export const gatewayNotice = defineSignal<NoticeArgs>('gatewayNotice');

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
export const resolveUpdate = defineUpdate<Position, [OperatorNote | undefined]>('resolve');

/** "This gateway transaction is this attempt." */
export interface AdoptMessage extends OperatorNote {
  readonly gatewayId: string;
}
export const adoptUpdate = defineUpdate<CommandResult<'adopt'>, [AdoptMessage]>('adopt');

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
export interface RedirectMessage extends OperatorNote {
  readonly registrationId: string;
}
export const redirectUpdate = defineUpdate<CommandResult<'redirect'>, [RedirectMessage]>('redirect');
