/** An outbound event and its delivery as everybody outside sees them. */
import type { DeliveryRecord, DeliveryState } from '../ledger/deliveries.js';

export interface OutboundEvent {
  /** The `webhook-id` of every try. */
  readonly id: string;
  readonly type: string;
  readonly refundId: string;
  readonly state: DeliveryState;
  readonly tries: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAt: string;
  readonly lastTryAt: string | null;
  readonly deliveredAt: string | null;
  readonly nextTryAt: string | null;
}

export function eventOf(record: DeliveryRecord): OutboundEvent {
  return {
    id: record.id,
    type: record.type,
    refundId: record.refundId,
    state: record.state,
    tries: record.tries,
    lastStatus: record.lastStatus,
    lastError: record.lastError,
    createdAt: record.createdAt.toISOString(),
    lastTryAt: record.lastTryAt?.toISOString() ?? null,
    deliveredAt: record.deliveredAt?.toISOString() ?? null,
    nextTryAt: record.nextTryAt?.toISOString() ?? null,
  };
}
