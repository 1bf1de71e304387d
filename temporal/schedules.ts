/** Schedules of the sweep and the audit: created or updated when a worker starts, one set for each deployment. */
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { AUDIT_WORKFLOW, SWEEP_WORKFLOW } from '../workflows/maintenance/contract.js';
import type { audit } from '../workflows/maintenance/audit.js';
import type { sweep } from '../workflows/maintenance/sweep.js';
import type { TaskQueues } from './task-queues.js';
import type { MaintenanceSchedule } from './maintenance.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Schedule ids contain the name of the task queue, so deployments that share a namespace have their own schedules. */
export const sweepScheduleId = ({ refunds }: TaskQueues): string => `${refunds}-sweep`;
export const auditScheduleId = ({ refunds }: TaskQueues): string => `${refunds}-audit`;

export interface Kept {
  /**
   * True if the sweep's schedule did not exist. Temporal stores it beside the workflows: with a ledger that is older, Temporal has lost its
   * data, and every unfinished refund needs a new run.
   */
  readonly isNew: boolean;
}

/** Creates or updates both schedules. Several workers may do this at once and at each start. A schedule that an operator has paused stays paused. */
export async function ensureSchedules(
  temporal: Client,
  queues: TaskQueues,
  maintenance: MaintenanceSchedule,
): Promise<Kept> {
  const isNew = await retain<typeof sweep>(temporal, {
    scheduleId: sweepScheduleId(queues),
    every: maintenance.sweepEvery,
    workflow: SWEEP_WORKFLOW,
    args: [maintenance.sweep],
    taskQueue: queues.refunds,
    runWithin: 30 * MINUTE,
  });
  await retain<typeof audit>(temporal, {
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
  /** Milliseconds after which Temporal ends a run, so that the next one can start. */
  readonly runWithin: number;
}

/** Returns true if the schedule was created; its first run then starts at once. */
async function retain<W extends typeof sweep | typeof audit>(
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
    // Runs that were missed while the server was down are skipped; the next run does their work.
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
