/** The merchant's own orders. A map stands for whatever keeps them; the activities are what a workflow may do with them. */
import { ApplicationFailure } from '@temporalio/common';

export type OrderState = 'open' | 'on_hold' | 'cancelled';

export interface Order {
  readonly id: string;
  /** The debit or capture that paid for it: 32 lowercase hex, as the gateway gave it. */
  readonly paymentId: string;
  /** A decimal string with the currency's own decimals. */
  readonly amount: string;
  readonly currency: string;
  readonly state: OrderState;
}

/** Each may run any number of times: Temporal repeats an activity whose answer it did not get. */
export interface OrderActivities {
  /** Nothing of it is shipped or sold again from now on. Answers the order; one that is cancelled already fails. */
  holdOrder(orderId: string): Promise<Order>;
  /** The money is back: the order is over. */
  finishOrder(orderId: string): Promise<void>;
  /** The compensation of `holdOrder`. */
  restoreOrder(orderId: string): Promise<void>;
}

export function createOrderActivities(orders: Map<string, Order>): OrderActivities {
  function change(orderId: string, state: OrderState): Order {
    const order = orders.get(orderId);
    if (order === undefined)
      throw ApplicationFailure.nonRetryable(`there is no order ${orderId}`, 'order_unknown');
    if (order.state === 'cancelled' && state !== 'cancelled')
      throw ApplicationFailure.nonRetryable(`order ${orderId} is cancelled already`, 'order_cancelled');
    const changed = { ...order, state };
    orders.set(orderId, changed);
    return changed;
  }
  return {
    holdOrder: async (orderId) => change(orderId, 'on_hold'),
    finishOrder: async (orderId) => {
      change(orderId, 'cancelled');
    },
    restoreOrder: async (orderId) => {
      change(orderId, 'open');
    },
  };
}
