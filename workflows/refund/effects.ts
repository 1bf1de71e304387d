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
    'lookUp' | 'reconcile' | 'readPayment' | 'adopt' | 'correct' | 'confirm'
  >;
  /** What changes only our side. */
  readonly ledger: Pick<
    RefundActivities,
    'askPerson' | 'giveUp' | 'withdraw' | 'decide' | 'redirect' | 'position'
  >;
}

export function effectsOf({ plan, lookUpTaskQueue }: RefundInput): Effects {
  const { sendWindow, answerWithin } = plan.timings;
  return {
    money: proxyActivities<RefundActivities>({
      startToCloseTimeout: sendWindow + answerWithin + RECORDING,
      heartbeatTimeout: HEARTBEAT_TIMEOUT,
      retry: RETRY,
    }),
    gateway: queries(lookUpTaskQueue),
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
    lookUp: (task) => (task.word === undefined ? planned : ordered).lookUp(task),
    reconcile: planned.reconcile,
    readPayment: planned.readPayment,
    adopt: ordered.adopt,
    correct: ordered.correct,
    confirm: ordered.confirm,
  };
}
