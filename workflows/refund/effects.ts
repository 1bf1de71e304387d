/** The side effects of a refund, each kind with the options that fit it: one policy for all would be wrong for most. */
import { proxyActivities } from '@temporalio/workflow';
import type { RefundActivities } from '../../activities/refund/refunds.js';
import type { RefundInput } from './contract.js';

const SECOND = 1_000;
/** A worker that stops heartbeating is taken for dead after this; what it was doing is then adopted, never repeated. */
const HEARTBEAT_TIMEOUT = 10 * SECOND;
/** Time for recording an answer while the database is away. */
const RECORDING = 120 * SECOND;

/**
 * Retried without limit: every one begins by reading the ledger, so that running again is always safe. Only a refund that the
 * ledger does not know fails at once.
 */
const RETRY = {
  initialInterval: SECOND,
  backoffCoefficient: 2,
  maximumInterval: 60 * SECOND,
  nonRetryableErrorTypes: ['refund_unknown'],
};

export interface Effects {
  /** What moves money. One run hands over at most one request. */
  readonly money: Pick<RefundActivities, 'sendRefund' | 'sendCredit'>;
  /** What reads the gateway, at the rate that the entity is allowed. */
  readonly gateway: Pick<
    RefundActivities,
    'query' | 'reconcile' | 'readPayment' | 'link' | 'correct' | 'confirm'
  >;
  /** What changes only our side. */
  readonly ledger: Pick<
    RefundActivities,
    'openCase' | 'giveUp' | 'withdraw' | 'decide' | 'changeDestination' | 'snapshot'
  >;
}

export function effectsOf({ config, queryTaskQueue }: RefundInput): Effects {
  const { sendWindow, answerWithin } = config.timings;
  return {
    money: proxyActivities<RefundActivities>({
      startToCloseTimeout: sendWindow + answerWithin + RECORDING,
      heartbeatTimeout: HEARTBEAT_TIMEOUT,
      retry: RETRY,
    }),
    gateway: queries(queryTaskQueue),
    ledger: proxyActivities<RefundActivities>({ startToCloseTimeout: 30 * SECOND, retry: RETRY }),
  };
}

/** An operator waits for the answer: those go first also where tasks queue up (Temporal's priority keys). */
function queries(taskQueue: string): Effects['gateway'] {
  const ofPriority = (priorityKey: number): Effects['gateway'] =>
    proxyActivities<RefundActivities>({
      taskQueue,
      startToCloseTimeout: 120 * SECOND,
      heartbeatTimeout: HEARTBEAT_TIMEOUT,
      retry: RETRY,
      priority: { priorityKey },
    });
  const ordered = ofPriority(1);
  const planned = ofPriority(3);
  return {
    query: (task) => (task.note === undefined ? planned : ordered).query(task),
    reconcile: planned.reconcile,
    readPayment: planned.readPayment,
    link: ordered.link,
    correct: ordered.correct,
    confirm: ordered.confirm,
  };
}
