/** Events and what became of their delivery, for people: listed, and sent again. */
import { isRefundId } from '../../domain/ids.js';
import type { Database } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { upkeepOf, type DeliveryState } from '../db/upkeep-tables.js';

export { DELIVERY_STATES, type DeliveryState } from '../db/upkeep-tables.js';

export interface DeliveryRecord {
  readonly id: string;
  readonly type: string;
  readonly refundId: string;
  readonly state: DeliveryState;
  readonly tries: number;
  /** The last answer's HTTP status, where there was an answer. */
  readonly lastStatus: number | null;
  /** A stable code of what went wrong last; never a text of the receiver's. */
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly lastTryAt: Date | null;
  readonly deliveredAt: Date | null;
  /** When it is tried next; null where it is not. */
  readonly nextTryAt: Date | null;
}

export interface DeliveryFilter {
  /** One event. */
  readonly id?: string;
  readonly refundId?: string;
  readonly state?: DeliveryState;
  /** Default 100. */
  readonly limit?: number;
  /** The id of an event: only older ones. */
  readonly before?: string;
}

/** Newest first. An id that is none finds nothing. */
export async function listDeliveries(
  database: Database,
  { id, refundId, state, limit = 100, before }: DeliveryFilter = {},
): Promise<readonly DeliveryRecord[]> {
  if (id !== undefined && !isEventId(id)) return [];
  if (refundId !== undefined && !isRefundId(refundId)) return [];
  if (before !== undefined && !isEventId(before)) return [];
  const db = upkeepOf(database);
  let query = db.selectFrom('event_deliveries').selectAll().orderBy('event_id', 'desc').limit(limit);
  if (id !== undefined) query = query.where('id', '=', id);
  if (refundId !== undefined) query = query.where('refund_id', '=', refundId);
  if (state !== undefined) query = query.where('state', '=', state);
  if (before !== undefined)
    query = query.where('event_id', '<', (eb) =>
      eb.selectFrom('event_deliveries').select('event_id').where('id', '=', before),
    );
  const rows = await query.execute();
  return rows.map((row) => ({
    id: row.id,
    type: row.type,
    refundId: row.refund_id,
    state: row.state,
    tries: row.tries,
    lastStatus: row.last_status,
    lastError: row.last_error,
    createdAt: row.created_at,
    lastTryAt: row.last_try_at,
    deliveredAt: row.delivered_at,
    nextTryAt: row.state === 'waiting' ? row.due_at : null,
  }));
}

/** An event's id has the form of a refund's. */
const isEventId: (text: string) => boolean = isRefundId;

/** Which events are to be sent again. */
export type Resending =
  | { readonly id: string }
  | { readonly refundId: string }
  /** All that were given up. */
  | { readonly dead: true };

/**
 * Due at once, with the whole time for tries before them again; under the same id, so that a receiver that has it already knows it.
 * One that a dispatcher holds just now is left to it. Answers the ids.
 */
export async function resendEvents(database: Database, which: Resending): Promise<readonly string[]> {
  if ('id' in which && !isEventId(which.id)) return [];
  if ('refundId' in which && !isRefundId(which.refundId)) return [];
  const query = upkeepOf(database)
    .updateTable('event_deliveries')
    .set({
      state: 'waiting',
      tries: 0,
      leased_until: null,
      due_at: NOW,
      since: NOW,
    })
    .where((eb) => eb.or([eb('leased_until', 'is', null), eb('leased_until', '<=', NOW)]))
    .returning('id');
  const rows = await (
    'id' in which
      ? query.where('id', '=', which.id)
      : 'refundId' in which
        ? query.where('refund_id', '=', which.refundId)
        : query.where('state', '=', 'dead')
  ).execute();
  return rows.map(({ id }) => id);
}
