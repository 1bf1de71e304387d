/** What starters, callers and the workflow agree on: names, ids, messages, results. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Plan } from '../domain/plan.js';
import type { RefundState, RefundStatus } from '../domain/states.js';
import type { Position } from '../domain/next-step.js';
import type { DecisionResult, WithdrawResult } from '../activities/refunds.js';

export const REFUND_WORKFLOW = 'refund';

/** Workflows that schedules run. */
export const SWEEP_WORKFLOW = 'sweep';
export const AUDIT_WORKFLOW = 'audit';
export type { AuditInput } from '../activities/audit.js';
export type { SweepInput } from '../activities/sweep.js';

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
  /** Look-ups go here: the gateway throttles them per entity, so each entity's queue has a rate of its own. */
  readonly lookUpTaskQueue: string;
}

export interface RefundResult {
  readonly refundId: string;
  readonly state: RefundState;
  readonly status: RefundStatus;
  /** Why it ended so, where there is more to say than the state. */
  readonly why: string | null;
}

/** The gateway gave notice about this refund. A hint: it only brings the next look-up forward. */
export const gatewayNotice = defineSignal('gatewayNotice');

/** A person's word on the exact instruction that was shown. */
export interface DecisionMessage {
  readonly verdict: 'approved' | 'refused';
  readonly instruction: string;
  readonly by: string;
  readonly reason: string;
  readonly ticket?: string;
}
export const decideUpdate = defineUpdate<DecisionResult, [DecisionMessage]>('decide');

export interface WithdrawMessage {
  readonly by: string;
  readonly reason: string;
}
export const withdrawUpdate = defineUpdate<WithdrawResult, [WithdrawMessage]>('withdraw');

/** Look at the gateway now. Reads only; answers where the refund stands afterwards. */
export const resolveUpdate = defineUpdate<Position>('resolve');
