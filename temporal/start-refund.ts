/** How a refund's workflow is started, whoever starts it: the client, a person's word, the sweep. */
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import type { StartSettings } from '../domain/refund/config.js';
import { OPERATOR_STATES, type RefundState } from '../domain/refund/states.js';
import {
  gatewayNotification,
  REFUND_WORKFLOW,
  refundWorkflowId,
  SEARCH_ATTRIBUTES,
  type GatewayNotificationArgs,
} from '../workflows/refund/contract.js';
import type { refund as refundWorkflow } from '../workflows/refund/refund.js';
import type { TaskQueues } from './task-queues.js';

/** What a run is started with. */
export interface Startable {
  readonly id: string;
  readonly paymentId: string;
  readonly entityId: string;
  readonly state: RefundState;
  /** Where it stands in the ledger. */
  readonly version: number;
}

export type RefundStartOptions = WorkflowStartOptions<typeof refundWorkflow> & {
  readonly workflowIdConflictPolicy: 'USE_EXISTING';
};

/** The ledger makes a refund unique; the workflow's id only keeps two runs from going at once, and running again repairs. */
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
    typedSearchAttributes: [
      { key: SEARCH_ATTRIBUTES.state, value: subject.state },
      { key: SEARCH_ATTRIBUTES.needsOperator, value: OPERATOR_STATES.includes(subject.state) },
      { key: SEARCH_ATTRIBUTES.paymentId, value: subject.paymentId },
    ],
  };
}

/** A start needs no worker: milliseconds until Temporal counts as away. */
export const START_WITHIN = 10_000;

/**
 * Answers when the refund has a run: a new one, or the one that is there. That one is told to look at the ledger, unless a person is
 * waited for: what a process that was stopped for hours wrote after all, no run has heard of. `within`: milliseconds until it fails instead.
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
