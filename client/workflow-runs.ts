/** Describes the newest run of a refund's workflow: its status, its pending steps, and how long they have waited for a worker. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { TaskQueues } from '../temporal/task-queues.js';
import { refundWorkflowId } from '../workflows/refund/contract.js';

/** A step that is not complete: an activity, or a workflow task where `activity` is null. */
export interface PendingStep {
  readonly activity: string | null;
  /** Number of tries, this one included. */
  readonly attempt: number;
  /** True if a worker has taken it. */
  readonly isRunning: boolean;
  readonly lastFailure: string | null;
}

export interface Run {
  readonly runId: string;
  /** As Temporal calls it: `RUNNING`, `COMPLETED`, `TERMINATED` … */
  readonly status: string;
  readonly isAlive: boolean;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly closedAt: string | null;
  readonly pending: readonly PendingStep[];
  /**
   * Age of the oldest task in the queue of a step that no worker has taken, in milliseconds of Temporal's clock; null where no step waits for
   * a worker.
   */
  readonly waitsForWorkerMs: number | null;
}

const isStarted = (state: unknown): boolean => state === STARTED;
/** `STARTED` of both `PendingActivityState` and `PendingWorkflowTaskState` in the server's API. */
const STARTED = 2;

/** Returns the age of the oldest task in a queue, in milliseconds. Workers take tasks at once, so an old task means that none is running. */
async function backlogMs(temporal: Client, taskQueue: string, taskQueueType: number): Promise<number> {
  const { stats } = await temporal.workflowService.describeTaskQueue({
    namespace: temporal.options.namespace,
    taskQueue: { name: taskQueue },
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enum is in a package of the SDK that is not ours to import
    taskQueueType,
    reportStats: true,
  });
  const age = stats?.approximateBacklogAge;
  return age == null ? 0 : tsToMs(age);
}

/** `TaskQueueType` in the server's API. */
const WORKFLOW_TASKS = 1;
const ACTIVITY_TASKS = 2;

/** Returns the newest run, or null where Temporal knows of none: never started, or deleted after its retention. */
export async function describeRun(
  temporal: Client,
  refundId: string,
  queues: TaskQueues,
): Promise<Run | null> {
  const handle = temporal.workflow.getHandle(refundWorkflowId(refundId));
  const found = await handle.describe().catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  });
  if (found === null) return null;
  const { raw } = found;
  const converter = temporal.options.loadedDataConverter;
  const activities = await Promise.all(
    (raw.pendingActivities ?? []).map(async (activity): Promise<PendingStep> => {
      const failure = await decodeOptionalFailureToOptionalError(converter, activity.lastFailure);
      return {
        activity: activity.activityType?.name ?? null,
        attempt: activity.attempt ?? 1,
        isRunning: isStarted(activity.state),
        lastFailure: failure?.message ?? null,
      };
    }),
  );
  const task = raw.pendingWorkflowTask;
  const own: readonly PendingStep[] =
    task == null
      ? []
      : [
          {
            activity: null,
            attempt: task.attempt ?? 1,
            isRunning: isStarted(task.state),
            lastFailure: null,
          },
        ];
  const isActivityWaiting = (raw.pendingActivities ?? []).some(
    ({ state, attempt }) => !isStarted(state) && (attempt ?? 1) <= 1,
  );
  const isTaskWaiting = task != null && !isStarted(task.state);
  const waiting = await Promise.all([
    ...(isTaskWaiting ? [backlogMs(temporal, queues.refunds, WORKFLOW_TASKS)] : []),
    ...(isActivityWaiting
      ? [queues.refunds, queues.queries].map((queue) => backlogMs(temporal, queue, ACTIVITY_TASKS))
      : []),
  ]);
  return {
    runId: found.runId,
    status: found.status.name,
    isAlive: found.status.name === 'RUNNING',
    startedAt: found.startTime.toISOString(),
    closedAt: found.closeTime?.toISOString() ?? null,
    pending: [...own, ...activities],
    waitsForWorkerMs: waiting.length === 0 ? null : Math.max(...waiting),
  };
}
