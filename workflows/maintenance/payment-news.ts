/** One look-up of a payment for all that the gateway has told about it since the last one, at the rate that its entity is allowed. */
import { proxyActivities, setHandler } from '@temporalio/workflow';
import type { PaymentActivities, PaymentTask } from '../../activities/maintenance/payment-news.js';
import { gatewayNotice } from '../refund/contract.js';

export interface PaymentNewsInput extends PaymentTask {
  /** Shared with the refunds' own look-ups: the gateway throttles an entity, not a purpose. */
  readonly lookUpTaskQueue: string;
}

/** Started by a notice, and told of each further one. What it is to find out is in the ledger, so losing this run loses nothing. */
export async function paymentNews({ lookUpTaskQueue, ...task }: PaymentNewsInput): Promise<void> {
  const { lookUpPayment } = proxyActivities<PaymentActivities>({
    taskQueue: lookUpTaskQueue,
    startToCloseTimeout: 120_000,
    heartbeatTimeout: 10_000,
    retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 60_000 },
  });
  let told = 1;
  let lookedUp = 0;
  setHandler(gatewayNotice, () => {
    told += 1;
  });
  // The notice that started this run is heard first: it is no further one.
  await Promise.resolve();
  while (lookedUp < told) {
    lookedUp = told;
    await lookUpPayment(task);
  }
}
