/** The merchant of `examples/order-cancellation`: orders, an order system that fails as configured, and a log of its calls. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll } from 'vitest';
import {
  createOrderActivities,
  type Order,
  type OrderState,
} from '../../examples/order-cancellation/orders.js';
import type { orderCancellation } from '../../examples/order-cancellation/workflow.js';
import type { Refund } from '../../client/index.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { startClientWorker } from '../support/client-worker.js';
import { CLERK, eventually, type Harness } from './harness.js';

export type Step = 'holdOrder' | 'finishOrder' | 'restoreOrder';

export interface Cancellation {
  readonly payment: CreatedPayment;
  readonly orderId: string;
}

export interface Merchant {
  readonly orders: Map<string, Order>;
  /** `fails`: the step of the order system that fails, and how often (`Infinity`: always). */
  newOrder(fails?: { readonly step: Step; readonly times: number }): Cancellation;
  /** The step works from now on. */
  repair(order: Cancellation): void;
  cancelOrder(order: Cancellation): Promise<WorkflowHandle<typeof orderCancellation>>;
  refundOf(order: Cancellation): Promise<Refund>;
  stateOf(order: Cancellation): OrderState | undefined;
  callsOf(order: Cancellation, step: Step): number;
  /** Returns the reservations and releases of this payment, one line for each event. */
  reservations(order: Cancellation): Promise<readonly bigint[]>;
}

/** Must be called at the top level of a test file. */
export async function openMerchant(harness: Harness): Promise<Merchant> {
  const orders = new Map<string, Order>();
  const failures = new Map<string, { readonly step: Step; left: number }>();
  const calls: { readonly step: Step; readonly orderId: string }[] = [];
  const working = createOrderActivities(orders);

  function failAsArranged(step: Step, orderId: string): void {
    calls.push({ step, orderId });
    const failure = failures.get(orderId);
    if (failure === undefined || failure.step !== step || failure.left <= 0) return;
    failure.left -= 1;
    if (failure.left === Infinity)
      throw ApplicationFailure.nonRetryable('this order can never be changed', 'order_broken');
    throw new Error('the order system is away');
  }

  const clients = await startClientWorker('examples/order-cancellation/workflow.ts', {
    holdOrder: async (orderId: string) => {
      failAsArranged('holdOrder', orderId);
      return working.holdOrder(orderId);
    },
    finishOrder: async (orderId: string) => {
      failAsArranged('finishOrder', orderId);
      return working.finishOrder(orderId);
    },
    restoreOrder: async (orderId: string) => {
      failAsArranged('restoreOrder', orderId);
      return working.restoreOrder(orderId);
    },
  });
  afterAll(() => clients.stop());

  return {
    orders,
    newOrder(fails) {
      const payment = harness.newPayment();
      const orderId = `order-${randomUUID()}`;
      orders.set(orderId, {
        id: orderId,
        paymentId: payment.paymentId,
        amount: '100.00',
        currency: 'EUR',
        state: 'open',
      });
      if (fails !== undefined) failures.set(orderId, { step: fails.step, left: fails.times });
      return { payment, orderId };
    },
    repair: ({ orderId }) => void failures.delete(orderId),
    cancelOrder: ({ orderId }) =>
      harness.temporal.workflow.start<typeof orderCancellation>('orderCancellation', {
        workflowId: `cancellation-${randomUUID()}`,
        taskQueue: clients.taskQueue,
        args: [{ orderId, by: CLERK, refundTaskQueue: harness.queues.refunds }],
      }),
    refundOf: ({ payment }) =>
      eventually(
        'the refund is accepted',
        async () => (await harness.client.listRefunds({ paymentId: payment.paymentId }))[0],
      ),
    stateOf: ({ orderId }) => orders.get(orderId)?.state,
    callsOf: ({ orderId }, step) =>
      calls.filter((call) => call.orderId === orderId && call.step === step).length,
    async reservations({ payment }) {
      const rows = await harness.database.db
        .selectFrom('events')
        .select('reserved_delta')
        .where('payment_id', '=', payment.paymentId)
        .where('reserved_delta', '<>', 0n)
        .orderBy('id')
        .execute();
      return rows.map(({ reserved_delta }) => reserved_delta);
    },
  };
}
