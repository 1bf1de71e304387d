/** Cancels an order: hold it, pay the customer back, then finish it, or restore it where nothing of the money has gone back. */
import { CancellationScope, proxyActivities } from '@temporalio/workflow';
import type { RefundResult } from '../../workflows/refund/contract.js';
import { isSafeToCompensate, payBack } from '../../workflows/refund/pay-back.js';
import type { Order, OrderActivities } from './orders.js';

export interface OrderCancellation {
  readonly orderId: string;
  /** Who cancels: kept with the refund, and not allowed to approve a credit for it. */
  readonly by: string;
  /** The task queue of the workers that run refunds. */
  readonly refunds?: string;
}

export interface OrderCancellationResult {
  /** `on_hold`: the customer has a part of the money; somebody has to decide about the order. */
  readonly order: 'cancelled' | 'restored' | 'on_hold';
  readonly refund: RefundResult;
}

const { holdOrder, finishOrder, restoreOrder } = proxyActivities<OrderActivities>({
  startToCloseTimeout: '30 seconds',
});

/** While a refund waits for a person the order stays on hold, for as long as that takes. */
export async function orderCancellation({
  orderId,
  by,
  refunds,
}: OrderCancellation): Promise<OrderCancellationResult> {
  // Canceled meanwhile, the order is held all the same: whether it may be restored is known only after asking for its refund.
  const order = await CancellationScope.nonCancellable(() => holdOrder(orderId));
  const refund = await refundOf(order, by, refunds).catch(async (error: unknown) => {
    // Not even a cancellation may leave the order on hold. But where a refund of it may pay, it stays so, and this failure shows it.
    if (isSafeToCompensate(error)) await CancellationScope.nonCancellable(() => restoreOrder(orderId));
    throw error;
  });
  // From here on the money has or has not moved, and the order follows it.
  return CancellationScope.nonCancellable(async () => {
    switch (whatReachedTheCustomer(refund)) {
      case 'all':
        await finishOrder(orderId);
        return { order: 'cancelled', refund };
      case 'nothing':
        await restoreOrder(orderId);
        return { order: 'restored', refund };
      case 'part':
        return { order: 'on_hold', refund };
    }
  });
}

function refundOf(order: Order, by: string, refunds: string | undefined): Promise<RefundResult> {
  return payBack(
    {
      clientId: 'orders',
      // One key for one intent: cancelling an order twice refunds it once.
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
    refunds,
  );
}

/** By the refund, a chargeback, or a refund that somebody made elsewhere: the ledger says it, whatever the status is. */
function whatReachedTheCustomer({
  amount,
  settledBy,
  settledAmount,
}: RefundResult): 'all' | 'part' | 'nothing' {
  if (settledBy === null) return 'nothing';
  return Number(settledAmount) >= Number(amount) ? 'all' : 'part';
}
