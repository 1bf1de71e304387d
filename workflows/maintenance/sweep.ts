/** Finds refunds that nobody drives and gives each a run; looks up what was left open under refunds that have ended. */
import { ActivityFailure, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { RefundActivities } from '../../activities/refund/refunds.js';
import type { SweepActivities, SweepInput } from '../../activities/maintenance/sweep.js';
import type { SweepResult } from '../refund/contract.js';

const MINUTE = 60_000;

/** Run by a schedule, one at a time. What it does not get to is due in the next one. */
export async function sweep(input: SweepInput): Promise<SweepResult> {
  const { sweepRefunds } = proxyActivities<SweepActivities>({
    startToCloseTimeout: 10 * MINUTE,
    heartbeatTimeout: MINUTE / 6,
    // The next sweep comes by itself.
    retry: { maximumAttempts: 3 },
  });
  const { started, failed, queries } = await sweepRefunds(input);
  const answers = await Promise.all(
    queries.map(async ({ taskQueue, ...task }) => {
      const { query } = proxyActivities<Pick<RefundActivities, 'query'>>({
        taskQueue,
        startToCloseTimeout: 2 * MINUTE,
        // An entity that is no longer configured has no worker on its queue.
        scheduleToCloseTimeout: 5 * MINUTE,
        heartbeatTimeout: MINUTE / 6,
      });
      try {
        await query(task);
        return true;
      } catch (error) {
        if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
        return false;
      }
    }),
  );
  return { started, failed, queried: answers.filter(Boolean).length };
}
