/** The smallest client: a workflow of another application that pays a customer back. */
import type { ClientOrder } from '../../activities/pay-back/activities.js';
import type { RefundResult } from '../../workflows/refund/contract.js';
import { payBack } from '../../workflows/pay-back/pay-back.js';

export function parent(order: ClientOrder, refunds: string): Promise<RefundResult> {
  return payBack(order, refunds);
}
