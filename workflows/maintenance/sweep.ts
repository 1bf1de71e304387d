/** The sweep: starts a run for each refund that has none, and queries attempts that are still open under refunds that have ended. */
import { ActivityFailure, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { SweepActivities } from '../../activities/maintenance/sweep.js';
import type { RefundActivities } from '../../activities/refund/activities.js';
import type { SweepInput, SweepResult } from './contract.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Run by a schedule, one at a time. Refunds beyond its limits are due in the next sweep. */
export async function sweep(input: SweepInput): Promise<SweepResult> {
  const { startIdleRefunds } = proxyActivities<SweepActivities>({
    startToCloseTimeout: 10 * MINUTE,
    heartbeatTimeout: 10 * SECOND,
    // The schedule starts the next sweep anyway.
    retry: { maximumAttempts: 3 },
  });
  const { started, failed, openAttempts } = await startIdleRefunds(input);
  const isQueried = await Promise.all(
    openAttempts.map(async ({ taskQueue, ...task }) => {
      const { queryOutcome } = proxyActivities<Pick<RefundActivities, 'queryOutcome'>>({
        taskQueue,
        startToCloseTimeout: 2 * MINUTE,
        // No worker listens on the queue of an entity that is not configured any more.
        scheduleToCloseTimeout: 5 * MINUTE,
        heartbeatTimeout: 10 * SECOND,
      });
      try {
        await queryOutcome(task);
        return true;
      } catch (error) {
        if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
        return false;
      }
    }),
  );
  return { started, failed, queried: isQueried.filter(Boolean).length };
}
