/** The merchant's orders, and the activities that change them. A map takes the place of the merchant's database. */
import { ApplicationFailure } from '@temporalio/common';

export type OrderState = 'open' | 'on_hold' | 'canceled';

export interface Order {
  readonly id: string;
  /** The gateway's id of the debit or capture that paid for the order: 32 lowercase hex digits. */
  readonly paymentId: string;
  /** A decimal string with the currency's own decimals. */
  readonly amount: string;
  readonly currency: string;
  readonly state: OrderState;
}

/** Each activity may run several times, because Temporal retries it when its result was lost. */
export interface OrderActivities {
  /** Stops shipping and selling the order's goods, and returns the order. Fails for an order that is canceled already. */
  holdOrder(orderId: string): Promise<Order>;
  /** Cancels the order, after the customer got the money back. */
  finishOrder(orderId: string): Promise<void>;
  /** Opens the order again: the compensation of `holdOrder`. */
  restoreOrder(orderId: string): Promise<void>;
}

export function createOrderActivities(orders: Map<string, Order>): OrderActivities {
  function change(orderId: string, state: OrderState): Order {
    const order = orders.get(orderId);
    if (order === undefined)
      throw ApplicationFailure.nonRetryable(`there is no order ${orderId}`, 'order_unknown');
    if (order.state === 'canceled' && state !== 'canceled')
      throw ApplicationFailure.nonRetryable(`order ${orderId} is canceled already`, 'order_canceled');
    const changed = { ...order, state };
    orders.set(orderId, changed);
    return changed;
  }
  return {
    holdOrder: async (orderId) => change(orderId, 'on_hold'),
    finishOrder: async (orderId) => {
      change(orderId, 'canceled');
    },
    restoreOrder: async (orderId) => {
      change(orderId, 'open');
    },
  };
}
