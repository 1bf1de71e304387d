/** Contract of the maintenance workflows: names, ids, inputs and results. Shared by schedules, the worker and the workflows. */
import type { PaymentTask } from '../../activities/maintenance/payment-updates.js';

export type { AuditInput, AuditSummary } from '../../activities/maintenance/audit.js';
export type { SweepInput } from '../../activities/maintenance/sweep.js';

export const SWEEP_WORKFLOW = 'sweep';
export const AUDIT_WORKFLOW = 'audit';
export const PAYMENT_UPDATES_WORKFLOW = 'paymentUpdates';

/** Counts of one sweep. */
export interface SweepResult {
  /** Idle refunds that have a run now. */
  readonly started: number;
  /** Idle refunds that could not be started; the next sweep tries again. */
  readonly failed: number;
  /** Open attempts of ended refunds that were queried. */
  readonly queried: number;
}

export interface PaymentUpdatesInput extends PaymentTask {
  /** The task queue of queries, shared with refunds: the gateway's limit is for an entity, whatever the query is for. */
  readonly queryTaskQueue: string;
}

/** One run for each payment: notifications that arrive during a query are covered by one further query. */
export const paymentUpdatesWorkflowId = (paymentId: string): string => `payment-updates-${paymentId}`;
