/** Starts a refund's workflow, sends messages to it and describes its newest run. Each call works whether a run is alive or not. */
import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import type { StartSettings } from '../activities/pay-back/activities.js';
import { refundStartOptions, START_WITHIN, type Startable } from '../temporal/start-refund.js';
import type { TaskQueues } from '../temporal/task-queues.js';
import {
  gatewayNotification,
  REFUND_WORKFLOW,
  type GatewayNotificationArgs,
} from '../workflows/refund/contract.js';
import type { refund as refundWorkflow } from '../workflows/refund/workflow.js';
import { describeRun, type Run } from './workflow-runs.js';
import { fromStart, fromUpdate } from './translate-errors.js';

export interface RefundWorkflow {
  /** Starts a run where none is alive; otherwise does nothing. */
  start(refund: Startable): Promise<void>;
  /** Makes the run read the ledger and query the gateway now. Starts a run where none is alive. */
  wake(refund: Startable): Promise<void>;
  /** Terminates the run that is alive, if any, and starts the next one in the same request. */
  restart(refund: Startable): Promise<void>;
  /** Returns the newest run, or null where Temporal knows of none. */
  runOf(refundId: string): Promise<Run | null>;
  /** Starts a run where none is alive, sends it the update and returns the update's result. Each call is an update of its own. */
  command<Answer, Args extends [unknown?]>(
    refund: Startable,
    update: UpdateDefinition<Answer, Args>,
    args: Args,
  ): Promise<Answer>;
}

/** Limits of waiting for Temporal, in milliseconds. */
export interface Patience {
  readonly answerWithin?: number | undefined;
  readonly startWithin?: number | undefined;
}

/** Milliseconds. Longer than a worker needs to restart, short enough for an operator who waits. */
export const ANSWER_WITHIN = 30_000;

export function createRefundWorkflow(
  temporal: Client,
  start: StartSettings,
  queues: TaskQueues,
  patience: Patience = {},
): RefundWorkflow {
  const { answerWithin = ANSWER_WITHIN, startWithin = Math.min(answerWithin, START_WITHIN) } = patience;
  /** Translates Temporal errors. The refund itself is already stored. */
  async function started<T>(refundId: string, work: () => Promise<T>): Promise<T> {
    try {
      return await temporal.withDeadline(Date.now() + startWithin, work);
    } catch (error) {
      throw fromStart(refundId, error);
    }
  }

  const begin = (subject: Startable, conflict: 'USE_EXISTING' | 'TERMINATE_EXISTING'): Promise<void> =>
    started(subject.id, async () => {
      await temporal.workflow.start<typeof refundWorkflow>(REFUND_WORKFLOW, {
        ...refundStartOptions(subject, start, queues),
        workflowIdConflictPolicy: conflict,
      });
    });

  return {
    start: (subject) => begin(subject, 'USE_EXISTING'),
    restart: (subject) => begin(subject, 'TERMINATE_EXISTING'),
    wake: (subject) =>
      started(subject.id, async () => {
        await temporal.workflow.signalWithStart<typeof refundWorkflow, GatewayNotificationArgs>(
          REFUND_WORKFLOW,
          {
            ...refundStartOptions(subject, start, queues),
            signal: gatewayNotification,
            signalArgs: [subject.version],
          },
        );
      }),
    runOf: (refundId) => started(refundId, () => describeRun(temporal, refundId, queues)),
    async command(subject, update, args) {
      const startWorkflowOperation = new WithStartWorkflowOperation<typeof refundWorkflow>(
        REFUND_WORKFLOW,
        refundStartOptions(subject, start, queues),
      );
      try {
        return await temporal.withDeadline(Date.now() + answerWithin, () =>
          temporal.workflow.executeUpdateWithStart(update, {
            updateId: randomUUID(),
            args,
            startWorkflowOperation,
          }),
        );
      } catch (error) {
        throw fromUpdate(subject.id, error);
      }
    },
  };
}
