/** Deliveries of outgoing events: listed for operators, and sent again. */
import { isRefundId } from '../../domain/ids.js';
import type { Database } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { maintenanceDb, type DeliveryState } from '../db/maintenance-tables.js';

export { DELIVERY_STATES, type DeliveryState } from '../db/maintenance-tables.js';

export interface DeliveryRecord {
  readonly id: string;
  readonly type: string;
  readonly refundId: string;
  readonly state: DeliveryState;
  readonly tries: number;
  /** HTTP status of the last answer; null without an answer. */
  readonly lastStatus: number | null;
  /** Stable code of the last error; never the receiver's text. */
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly lastTryAt: Date | null;
  readonly deliveredAt: Date | null;
  /** Time of the next try; null if there is none. */
  readonly nextTryAt: Date | null;
}

export interface DeliveryFilter {
  /** Id of one event. */
  readonly id?: string;
  readonly refundId?: string;
  readonly state?: DeliveryState;
  /** Default 100. */
  readonly limit?: number;
  /** Id of an event: only older ones are listed. */
  readonly before?: string;
}

/** Lists deliveries, newest first. A malformed id finds nothing. */
export async function listDeliveries(
  database: Database,
  { id, refundId, state, limit = 100, before }: DeliveryFilter = {},
): Promise<readonly DeliveryRecord[]> {
  if (id !== undefined && !isEventId(id)) return [];
  if (refundId !== undefined && !isRefundId(refundId)) return [];
  if (before !== undefined && !isEventId(before)) return [];
  const db = maintenanceDb(database);
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

/** Event ids have the form of refund ids. */
const isEventId: (text: string) => boolean = isRefundId;

/** Which events are to be sent again. */
export type ResendFilter =
  | { readonly id: string }
  | { readonly refundId: string }
  /** All events that were given up. */
  | { readonly dead: true };

/**
 * Makes events due at once, with a new time limit for tries. They keep their ids, so a receiver recognizes those it has. An event that a
 * dispatcher is trying now is left out. Returns the ids.
 */
export async function resendEvents(database: Database, which: ResendFilter): Promise<readonly string[]> {
  if ('id' in which && !isEventId(which.id)) return [];
  if ('refundId' in which && !isRefundId(which.refundId)) return [];
  const query = maintenanceDb(database)
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
