/**
 * A merchant's workflow that cancels an order: it holds the order, pays the customer back, and then finishes the order.
 * If the customer got nothing, it restores the order instead.
 */
import { CancellationScope, proxyActivities } from '@temporalio/workflow';
import type { RefundResult } from '../../workflows/refund/contract.js';
import { isSafeToCompensate, payBack } from '../../workflows/pay-back/pay-back.js';
import type { Order, OrderActivities } from './orders.js';

export interface OrderCancellation {
  readonly orderId: string;
  /** The employee who cancels. It is stored with the refund, and they cannot approve a credit for it themselves. */
  readonly by: string;
  /** The task queue of the workers that run refunds. Default: that of `npm run worker`. */
  readonly refundTaskQueue?: string;
}

export interface OrderCancellationResult {
  /** `on_hold`: the customer has a part of the money, and an employee has to decide about the order. */
  readonly order: 'canceled' | 'restored' | 'on_hold';
  readonly refund: RefundResult;
}

const { holdOrder, finishOrder, restoreOrder } = proxyActivities<OrderActivities>({
  startToCloseTimeout: '30 seconds',
});

/** The order stays on hold while the refund waits for an operator, however long that takes. */
export async function orderCancellation({
  orderId,
  by,
  refundTaskQueue,
}: OrderCancellation): Promise<OrderCancellationResult> {
  // Non-cancellable: a cancellation during the hold is handled below, once it is clear whether a refund may pay.
  const order = await CancellationScope.nonCancellable(() => holdOrder(orderId));
  const refund = await refundOf(order, by, refundTaskQueue).catch(async (error: unknown) => {
    // Restores the order only if no refund pays. Otherwise the order stays on hold, and this workflow fails.
    if (isSafeToCompensate(error)) await CancellationScope.nonCancellable(() => restoreOrder(orderId));
    throw error;
  });
  // The refund is final now, so the order must follow it even if this workflow is canceled.
  return CancellationScope.nonCancellable(async () => {
    switch (paidBack(refund)) {
      case 'all':
        await finishOrder(orderId);
        return { order: 'canceled', refund };
      case 'nothing':
        await restoreOrder(orderId);
        return { order: 'restored', refund };
      case 'part':
        return { order: 'on_hold', refund };
    }
  });
}

function refundOf(order: Order, by: string, taskQueue: string | undefined): Promise<RefundResult> {
  return payBack(
    {
      clientId: 'orders',
      // Made from the order's id, so that canceling an order twice refunds it once.
      idempotencyKey: `order-${order.id}-cancellation`,
      requestedBy: by,
      request: {
        paymentId: order.paymentId,
        amount: order.amount,
        currency: order.currency,
        reason: 'order_cancelled',
        orderId: order.id,
      },
    },
    taskQueue,
  );
}

/**
 * Returns how much the customer has got back, by the refund, by a chargeback, or by a refund in the gateway's portal.
 * `status` is not enough for this: a canceled refund may have been paid in the portal.
 */
function paidBack({ amount, settledBy, settledAmount }: RefundResult): 'all' | 'part' | 'nothing' {
  if (settledBy === null) return 'nothing';
  return Number(settledAmount) >= Number(amount) ? 'all' : 'part';
}
