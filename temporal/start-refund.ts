/** Starts the workflow of a refund: for the API, for an operator's command and for the sweep. */
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import type { StartSettings } from '../domain/refund/config.js';
import { OPERATOR_STATES, type RefundState } from '../domain/refund/states.js';
import { initialSearchAttributes } from '../workflows/refund/search-attributes.js';
import {
  gatewayNotification,
  REFUND_WORKFLOW,
  refundWorkflowId,
  type GatewayNotificationArgs,
} from '../workflows/refund/contract.js';
import type { refund as refundWorkflow } from '../workflows/refund/workflow.js';
import type { TaskQueues } from './task-queues.js';

/** A refund in the ledger whose workflow can be started. */
export interface Startable {
  readonly id: string;
  readonly paymentId: string;
  readonly entityId: string;
  readonly state: RefundState;
  /** Version of the refund in the ledger. */
  readonly version: number;
}

export type RefundStartOptions = WorkflowStartOptions<typeof refundWorkflow> & {
  readonly workflowIdConflictPolicy: 'USE_EXISTING';
};

/** Options that start a refund, also again after an earlier run. The workflow id keeps two runs of one refund from running at once. */
export function refundStartOptions(
  subject: Startable,
  start: StartSettings,
  queues: TaskQueues,
): RefundStartOptions {
  return {
    workflowId: refundWorkflowId(subject.id),
    taskQueue: queues.refunds,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [
      {
        refundId: subject.id,
        config: start.configFor(subject.entityId),
        queryTaskQueue: start.queryTaskQueue,
      },
    ],
    typedSearchAttributes: initialSearchAttributes(subject.state, subject.paymentId),
  };
}

/** Milliseconds for a start until Temporal counts as unavailable. A start needs no worker. */
export const START_WITHIN = 10_000;

/**
 * Returns a function that resolves when the refund has a run, a new or an existing one. An existing run gets a signal to read the ledger if its
 * version is older: a process that was frozen for hours may have written without a signal. A refund that waits for an operator gets none.
 * `within`: milliseconds until the start fails.
 */
export function refundStarter(
  temporal: Client,
  start: StartSettings,
  queues: TaskQueues,
  within: number = START_WITHIN,
): (subject: Startable) => Promise<void> {
  return async (subject) => {
    const options = refundStartOptions(subject, start, queues);
    await temporal.withDeadline(Date.now() + within, async () => {
      if (OPERATOR_STATES.includes(subject.state))
        await temporal.workflow.start<typeof refundWorkflow>(REFUND_WORKFLOW, options);
      else
        await temporal.workflow.signalWithStart<typeof refundWorkflow, GatewayNotificationArgs>(
          REFUND_WORKFLOW,
          {
            ...options,
            signal: gatewayNotification,
            signalArgs: [subject.version, 'ledger'],
          },
        );
    });
  };
}
