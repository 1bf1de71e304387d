/** The schedules that look after refunds: made or brought up to date when a worker starts, one set for each deployment. */
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { AUDIT_WORKFLOW, SWEEP_WORKFLOW } from '../workflows/refund/contract.js';
import type { audit } from '../workflows/maintenance/audit.js';
import type { sweep } from '../workflows/maintenance/sweep.js';
import type { TaskQueues } from './task-queues.js';
import type { MaintenanceSchedule } from './maintenance.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Ids by the name of the task queue: deployments that share a namespace do not disturb each other. */
export const sweepScheduleId = ({ refunds }: TaskQueues): string => `${refunds}-sweep`;
export const auditScheduleId = ({ refunds }: TaskQueues): string => `${refunds}-audit`;

export interface Kept {
  /**
   * The schedule of the sweep was not there. It lives where the workflows live: with a ledger that is older, Temporal has lost
   * its memory, and every refund that is under way needs a new run.
   */
  readonly isNew: boolean;
}

/** Several workers may do this at once, and again at each start. A schedule that a person has paused stays paused. */
export async function ensureSchedules(
  temporal: Client,
  queues: TaskQueues,
  maintenance: MaintenanceSchedule,
): Promise<Kept> {
  const isNew = await keep<typeof sweep>(temporal, {
    scheduleId: sweepScheduleId(queues),
    every: maintenance.sweepEvery,
    workflow: SWEEP_WORKFLOW,
    args: [maintenance.sweep],
    taskQueue: queues.refunds,
    runWithin: 30 * MINUTE,
  });
  await keep<typeof audit>(temporal, {
    scheduleId: auditScheduleId(queues),
    every: maintenance.auditEvery,
    workflow: AUDIT_WORKFLOW,
    args: [maintenance.audit],
    taskQueue: queues.refunds,
    runWithin: 2 * HOUR,
  });
  return { isNew };
}

interface Scheduled<W extends typeof sweep | typeof audit> {
  readonly scheduleId: string;
  readonly every: number;
  readonly workflow: string;
  readonly args: Parameters<W>;
  readonly taskQueue: string;
  /** A run that hangs longer is ended, so that the next one comes. */
  readonly runWithin: number;
}

/** True where it was made now; its first run is then now too. */
async function keep<W extends typeof sweep | typeof audit>(
  temporal: Client,
  { scheduleId, every, workflow, args, taskQueue, runWithin }: Scheduled<W>,
): Promise<boolean> {
  const options = {
    spec: { intervals: [{ every }] },
    action: {
      type: 'startWorkflow' as const,
      workflowType: workflow,
      workflowId: scheduleId,
      args,
      taskQueue,
      workflowExecutionTimeout: runWithin,
    },
    // What was missed while the server was down is done by the next one.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: Math.max(10_000, every) },
  };
  try {
    await temporal.schedule.create({ ...options, scheduleId, state: { triggerImmediately: true } });
    return true;
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  await temporal.schedule.getHandle(scheduleId).update(({ state }) => ({
    ...options,
    state: { paused: state.paused, ...(state.note === undefined ? {} : { note: state.note }) },
  }));
  return false;
}
