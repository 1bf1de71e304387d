/** Payment updates: queries a payment once for all notifications about it that have arrived since the last query. */
import { proxyActivities, setHandler } from '@temporalio/workflow';
import type { PaymentActivities } from '../../activities/maintenance/payment-updates.js';
import { gatewayNotification } from '../refund/contract.js';
import type { PaymentUpdatesInput } from './contract.js';

const SECOND = 1_000;

/**
 * Started by a notification about a payment; further notifications signal the same run. The notifications themselves are in the ledger, so
 * nothing is lost when a run is lost.
 */
export async function paymentUpdates({ queryTaskQueue, ...task }: PaymentUpdatesInput): Promise<void> {
  const { queryNotifiedPayment } = proxyActivities<PaymentActivities>({
    taskQueue: queryTaskQueue,
    startToCloseTimeout: 120 * SECOND,
    heartbeatTimeout: 10 * SECOND,
    retry: { initialInterval: SECOND, backoffCoefficient: 2, maximumInterval: 60 * SECOND },
  });
  let received = 1;
  let covered = 0;
  setHandler(gatewayNotification, () => {
    received += 1;
  });
  // The signal that came with the start is delivered first and is not a further notification.
  await Promise.resolve();
  while (covered < received) {
    covered = received;
    await queryNotifiedPayment(task);
  }
}
