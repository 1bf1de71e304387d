/** One look-up of a payment for all that the gateway has told about it since the last one, at the rate that its entity is allowed. */
import { proxyActivities, setHandler } from '@temporalio/workflow';
import type { PaymentActivities, PaymentTask } from '../../activities/maintenance/payment-updates.js';
import { gatewayNotification } from '../refund/contract.js';

export interface PaymentUpdatesInput extends PaymentTask {
  /** Shared with the refunds' own look-ups: the gateway throttles an entity, not a purpose. */
  readonly queryTaskQueue: string;
}

/** Started by a notice, and told of each further one. What it is to find out is in the ledger, so losing this run loses nothing. */
export async function paymentUpdates({ queryTaskQueue, ...task }: PaymentUpdatesInput): Promise<void> {
  const { queryPayment } = proxyActivities<PaymentActivities>({
    taskQueue: queryTaskQueue,
    startToCloseTimeout: 120_000,
    heartbeatTimeout: 10_000,
    retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 60_000 },
  });
  let reported = 1;
  let queried = 0;
  setHandler(gatewayNotification, () => {
    reported += 1;
  });
  // The notice that started this run is heard first: it is no further one.
  await Promise.resolve();
  while (queried < reported) {
    queried = reported;
    await queryPayment(task);
  }
}
