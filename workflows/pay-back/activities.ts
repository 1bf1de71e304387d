/** Activities of `payBack`, run by the refund worker's task queue. */
import { proxyActivities } from '@temporalio/workflow';
import type { ClientActivities } from '../../activities/pay-back/activities.js';
import type { RefundActivities } from '../../activities/refund/activities.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * Longer than acceptance may take from its last heartbeat to its commit (90 s, `activities/refund/accept.ts`): after Temporal counts a try as
 * lost and another try is refused, nothing of the first one can be stored any more.
 */
const ACCEPT_HEARTBEAT = 100 * SECOND;

export function activitiesOn(taskQueue: string) {
  const { acceptRefund } = proxyActivities<ClientActivities>({
    taskQueue,
    startToCloseTimeout: 10 * MINUTE,
    heartbeatTimeout: ACCEPT_HEARTBEAT,
  });
  const { findAccepted, readSnapshot, withdrawRefund } = proxyActivities<
    Pick<ClientActivities, 'findAccepted'> & Pick<RefundActivities, 'readSnapshot' | 'withdrawRefund'>
  >({ taskQueue, startToCloseTimeout: 2 * MINUTE });
  return { acceptRefund, findAccepted, readSnapshot, withdrawRefund };
}
export type PayBackActivities = ReturnType<typeof activitiesOn>;
