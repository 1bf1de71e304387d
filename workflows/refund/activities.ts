/** Activities of the refund workflow, each kind of side effect with its own options. */
import { proxyActivities } from '@temporalio/workflow';
import type { RefundActivities } from '../../activities/refund/activities.js';
import type { RefundInput } from './contract.js';

const SECOND = 1_000;
/** Silence after which a worker counts as dead. The next try resumes what that worker was doing and never submits it again. */
const HEARTBEAT_TIMEOUT = 10 * SECOND;
/** Time for recording the gateway's answer while the database is unavailable. */
const RECORDING = 120 * SECOND;

/**
 * Unlimited retries: each activity reads the ledger first, so running it again is always safe. Only a refund that the ledger does not know
 * fails at once.
 */
const RETRY = {
  initialInterval: SECOND,
  backoffCoefficient: 2,
  maximumInterval: 60 * SECOND,
  nonRetryableErrorTypes: ['refund_unknown'],
};

/** Moves money. One run of an activity submits at most one request to the gateway. */
export interface SubmitActivities {
  readonly refund: RefundActivities['submitRefund'];
  readonly credit: RefundActivities['submitCredit'];
}

/** Reads the gateway, at the rate that the entity is allowed. */
export type GatewayActivities = Pick<
  RefundActivities,
  'queryOutcome' | 'reconcile' | 'queryPayment' | 'linkTransaction' | 'correctRefund' | 'confirmCorrection'
>;

/** Changes only the ledger. */
export type LedgerActivities = Pick<
  RefundActivities,
  'openCase' | 'failRefund' | 'withdrawRefund' | 'decideApproval' | 'changeDestination' | 'readSnapshot'
>;

export function activitiesFor({ config, queryTaskQueue }: RefundInput): {
  readonly submit: SubmitActivities;
  readonly gateway: GatewayActivities;
  readonly ledger: LedgerActivities;
} {
  const { sendWindow, answerWithin } = config.timings;
  const { submitRefund, submitCredit } = proxyActivities<RefundActivities>({
    startToCloseTimeout: sendWindow + answerWithin + RECORDING,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: RETRY,
  });
  return {
    submit: { refund: submitRefund, credit: submitCredit },
    gateway: gatewayActivities(queryTaskQueue),
    ledger: proxyActivities<RefundActivities>({ startToCloseTimeout: 30 * SECOND, retry: RETRY }),
  };
}

/** Two priorities (Temporal's priority keys): an operator who waits for the answer goes before the workflow's own queries. */
function gatewayActivities(taskQueue: string): GatewayActivities {
  const withPriority = (priorityKey: number): GatewayActivities =>
    proxyActivities<RefundActivities>({
      taskQueue,
      startToCloseTimeout: 120 * SECOND,
      heartbeatTimeout: HEARTBEAT_TIMEOUT,
      retry: RETRY,
      priority: { priorityKey },
    });
  const forOperator = withPriority(1);
  const forWorkflow = withPriority(3);
  return {
    queryOutcome: (task) => (task.note === undefined ? forWorkflow : forOperator).queryOutcome(task),
    reconcile: forWorkflow.reconcile,
    queryPayment: forWorkflow.queryPayment,
    linkTransaction: forOperator.linkTransaction,
    correctRefund: forOperator.correctRefund,
    confirmCorrection: forOperator.confirmCorrection,
  };
}
