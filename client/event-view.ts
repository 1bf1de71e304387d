/** An outgoing event and its delivery as the API and the command line show them. */
import type { DeliveryRecord } from '../ledger/outbox/deliveries.js';

type AsText<T> = T extends Date ? string : T;

/** Times are ISO 8601 in UTC. `id` is the `webhook-id` header of every delivery. */
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
