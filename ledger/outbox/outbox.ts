/** The outbox: dispatchers lease due events, try them, and record the result. A trigger on `events` inserts the rows. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { maintenanceDb } from '../db/maintenance-tables.js';

/** Types of events that are delivered. The trigger `events_enqueue` has the same list; a test compares them. */
export const OUTGOING_EVENT_TYPES = [
  'refund.pending',
  'refund.awaiting_approval',
  'refund.manual_review',
  'refund.succeeded',
  'refund.settled',
  'refund.returned',
  'refund.failed',
  'refund.canceled',
  'refund.closed_by_dispute',
  'refund.refunded_elsewhere',
  'refund.settlement_changed',
] as const;

/** An event to deliver now. Only the dispatcher that leased it may do so while the lease lasts. */
export interface DueEvent {
  /** Event id, the same for every try. */
  readonly id: string;
  readonly type: string;
  readonly refundId: string;
  /** Of two events of one refund, the one with the larger number is later. */
  readonly sequence: string;
  /** Reason of the refund's state, as stored with the event. */
  readonly why: string | null;
  /** Time of the event. */
  readonly at: Date;
  /** Number of tries including this one, since the first one or since the event was last sent again by hand. */
  readonly tries: number;
  /** Milliseconds since the first of these tries. */
  readonly age: number;
}

/** Turns delivery on or off. Events that happen while it is off are never delivered. */
export async function setEventsEnabled(database: Database, isOn: boolean): Promise<void> {
  await maintenanceDb(database)
    .insertInto('event_outlet')
    .values({ is_on: isOn })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ is_on: isOn }))
    .execute();
}

/**
 * Leases up to `limit` due events for `lease` milliseconds. An event waits while an earlier event of its refund has not been tried yet or
 * is being tried; an earlier one that waits for another try does not delay it.
 */
export async function takeDueEvents(
  database: Database,
  limit: number,
  lease: number,
): Promise<readonly DueEvent[]> {
  const { rows } = await sql<DueEvent>`
    with due as (
      select d.id from event_deliveries d
      where d.state = 'waiting' and d.due_at <= now() and (d.leased_until is null or d.leased_until <= now())
        and not exists (
          select from event_deliveries earlier
          where earlier.refund_id = d.refund_id and earlier.event_id < d.event_id and earlier.state = 'waiting'
            and (earlier.tries = 0 or earlier.leased_until > now()))
      order by d.due_at, d.event_id
      limit ${limit}
      for update of d skip locked),
    taken as (
      update event_deliveries d
      set tries = d.tries + 1, last_try_at = now(), leased_until = now() + ${lease} * interval '1 millisecond'
      from due where due.id = d.id
      returning d.id, d.type, d.refund_id, d.event_id, d.tries, d.since)
    select t.id, t.type, t.refund_id as "refundId", t.event_id::text as sequence, e.data->>'why' as why, e.at, t.tries,
      (extract(epoch from now() - t.since) * 1000)::float8 as age
    from taken t join events e on e.id = t.event_id
    order by t.event_id`.execute(database.db);
  return rows;
}

/** Result of a try. `after`: milliseconds until the next try. */
export type Settlement =
  | { readonly kind: 'delivered'; readonly status: number }
  | { readonly kind: 'again'; readonly after: number; readonly status: number | null; readonly error: string }
  | { readonly kind: 'dead'; readonly status: number | null; readonly error: string };

/** Records the result of a try. Ignored if the lease has passed to another try, which records its own result. */
export async function recordDelivery(
  database: Database,
  { id, tries }: Pick<DueEvent, 'id' | 'tries'>,
  settlement: Settlement,
): Promise<void> {
  const common = { leased_until: null, last_status: settlement.status };
  const own = maintenanceDb(database)
    .updateTable('event_deliveries')
    .where('id', '=', id)
    .where('state', '=', 'waiting');
  switch (settlement.kind) {
    case 'delivered':
      // Recorded even if another try has started: the event was delivered.
      await own.set({ ...common, state: 'delivered', last_error: null, delivered_at: NOW }).execute();
      return;
    case 'again':
      await own
        .where('tries', '=', tries)
        .set({
          ...common,
          last_error: settlement.error,
          due_at: sql<Date>`now() + ${settlement.after} * interval '1 millisecond'`,
        })
        .execute();
      return;
    case 'dead':
      await own
        .where('tries', '=', tries)
        .set({ ...common, last_error: settlement.error, state: 'dead' })
        .execute();
      return;
    default:
      settlement satisfies never;
  }
}

/**
 * Deletes at most `limit` deliveries that succeeded more than `olderThan` milliseconds ago. The events stay. Returns the number deleted.
 */
export async function deleteDelivered(database: Database, olderThan: number, limit: number): Promise<number> {
  const gone = await maintenanceDb(database)
    .deleteFrom('event_deliveries')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('event_deliveries')
        .select('id')
        .where('state', '=', 'delivered')
        .where('delivered_at', '<', sql<Date>`now() - ${olderThan} * interval '1 millisecond'`)
        .orderBy('delivered_at')
        .limit(limit)
        // Skips rows that are being sent again at this moment.
        .forUpdate()
        .skipLocked(),
    )
    .executeTakeFirst();
  return Number(gone.numDeletedRows);
}
