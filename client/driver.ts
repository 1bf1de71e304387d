/** Starts a refund's workflow, or speaks to it; whether one is running already makes no difference. */
import { createHash, randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation, type Client, type WorkflowStartOptions } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import type { StartSettings } from '../activities/caller.js';
import type { RefundState } from '../domain/states.js';
import type { TaskQueues } from '../temporal/task-queues.js';
import { REFUND_WORKFLOW, refundWorkflowId, SEARCH_ATTRIBUTES } from '../workflows/contract.js';
import type { refund as refundWorkflow } from '../workflows/refund.js';
import { describeRun, type Run } from './runs.js';
import { fromStart, fromUpdate } from './translate.js';
import { PERSON_STATES } from './view.js';

/** What a run is started with. */
export interface Drivable {
  readonly id: string;
  readonly paymentId: string;
  readonly entityId: string;
  readonly state: RefundState;
}

export interface Driver {
  start(refund: Drivable): Promise<void>;
  /** Ends the run that is alive, where there is one, and starts the next, in one step. */
  restart(refund: Drivable): Promise<void>;
  /** The newest run, or null where Temporal knows of none. */
  runOf(refundId: string): Promise<Run | null>;
  /** Starts a run where none is alive, and answers what the run answered. `sameAs`: equal ones are heard once by one run. */
  say<Answer, Args extends [unknown?]>(
    refund: Drivable,
    update: UpdateDefinition<Answer, Args>,
    args: Args,
    sameAs?: readonly string[],
  ): Promise<Answer>;
}

/** Milliseconds. */
export interface Patience {
  readonly answerWithin?: number | undefined;
  readonly startWithin?: number | undefined;
}

type StartOptions = WorkflowStartOptions<typeof refundWorkflow> & {
  readonly workflowIdConflictPolicy: 'USE_EXISTING' | 'TERMINATE_EXISTING';
};

/** Milliseconds. Longer than a worker needs for a restart, shorter than a person's patience. */
const ANSWER_WITHIN = 30_000;
/** A start needs no worker. */
const START_WITHIN = 10_000;

export function createDriver(
  temporal: Client,
  start: StartSettings,
  queues: TaskQueues,
  patience: Patience = {},
): Driver {
  const { answerWithin = ANSWER_WITHIN, startWithin = Math.min(answerWithin, START_WITHIN) } = patience;
  // The ledger makes a refund unique; the workflow's id only keeps two runs from going at once, and running again repairs.
  function optionsFor(
    subject: Drivable,
    workflowIdConflictPolicy: StartOptions['workflowIdConflictPolicy'] = 'USE_EXISTING',
  ): StartOptions {
    return {
      workflowId: refundWorkflowId(subject.id),
      taskQueue: queues.refunds,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy,
      args: [
        {
          refundId: subject.id,
          plan: start.planFor(subject.entityId),
          lookUpTaskQueue: start.lookUpTaskQueue(subject.entityId),
        },
      ],
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTES.state, value: subject.state },
        { key: SEARCH_ATTRIBUTES.needsPerson, value: PERSON_STATES.includes(subject.state) },
        { key: SEARCH_ATTRIBUTES.paymentId, value: subject.paymentId },
      ],
    };
  }

  async function begin(subject: Drivable, options: StartOptions): Promise<void> {
    try {
      await temporal.withDeadline(Date.now() + startWithin, () =>
        temporal.workflow.start<typeof refundWorkflow>(REFUND_WORKFLOW, options),
      );
    } catch (error) {
      throw fromStart(subject.id, error);
    }
  }

  return {
    start: (subject) => begin(subject, optionsFor(subject)),
    restart: (subject) => begin(subject, optionsFor(subject, 'TERMINATE_EXISTING')),
    async runOf(refundId) {
      try {
        return await temporal.withDeadline(Date.now() + startWithin, () => describeRun(temporal, refundId));
      } catch (error) {
        throw fromStart(refundId, error);
      }
    },
    async say(subject, update, args, sameAs) {
      const startWorkflowOperation = new WithStartWorkflowOperation<typeof refundWorkflow>(
        REFUND_WORKFLOW,
        optionsFor(subject),
      );
      const updateId = sameAs === undefined ? randomUUID() : digest(sameAs);
      try {
        return await temporal.withDeadline(Date.now() + answerWithin, () =>
          temporal.workflow.executeUpdateWithStart(update, { updateId, args, startWorkflowOperation }),
        );
      } catch (error) {
        throw fromUpdate(subject.id, error);
      }
    },
  };
}

/** An update's id is not encrypted in the history, and who spoke is nobody's business there. */
const digest = (parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
