/** Starts a refund's workflow, or speaks to it; whether one is running already makes no difference. */
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
import { describeRun, type Run } from './runs.js';
import { fromStart, fromUpdate } from './translate.js';

export interface Driver {
  start(refund: Startable): Promise<void>;
  /** Has it look at the gateway or the ledger now, and starts it where no run is alive. */
  wake(refund: Startable): Promise<void>;
  /** Ends the run that is alive, where there is one, and starts the next, in one step. */
  restart(refund: Startable): Promise<void>;
  /** The newest run, or null where Temporal knows of none. */
  runOf(refundId: string): Promise<Run | null>;
  /** Starts a run where none is alive, and answers what the run answered. Each is a word of its own. */
  command<Answer, Args extends [unknown?]>(
    refund: Startable,
    update: UpdateDefinition<Answer, Args>,
    args: Args,
  ): Promise<Answer>;
}

/** Milliseconds. */
export interface Patience {
  readonly answerWithin?: number | undefined;
  readonly startWithin?: number | undefined;
}

/** Milliseconds. Longer than a worker needs for a restart, shorter than a person's patience. */
export const ANSWER_WITHIN = 30_000;

export function createDriver(
  temporal: Client,
  start: StartSettings,
  queues: TaskQueues,
  patience: Patience = {},
): Driver {
  const { answerWithin = ANSWER_WITHIN, startWithin = Math.min(answerWithin, START_WITHIN) } = patience;
  /** What Temporal throws is told as what became of the refund: it is in the ledger. */
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
