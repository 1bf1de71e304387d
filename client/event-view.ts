/** An outbound event and its delivery as everybody outside sees them. */
import type { DeliveryRecord } from '../ledger/outbox/deliveries.js';

type AsText<T> = T extends Date ? string : T;

/** Times are ISO 8601. Its id is the `webhook-id` of every try. */
export type OutboundEvent = { readonly [Field in keyof DeliveryRecord]: AsText<DeliveryRecord[Field]> };

export function eventOf(record: DeliveryRecord): OutboundEvent {
  return {
    ...record,
    createdAt: record.createdAt.toISOString(),
    lastTryAt: record.lastTryAt?.toISOString() ?? null,
    deliveredAt: record.deliveredAt?.toISOString() ?? null,
    nextTryAt: record.nextTryAt?.toISOString() ?? null,
  };
}
