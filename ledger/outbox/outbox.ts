/** The outbox as its dispatchers see it: events are taken under a lease, tried, and settled. Rows are made by a trigger on events. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { upkeepOf } from '../db/upkeep-tables.js';

/** Facts of refunds that are told. The trigger `events_tell` has the same list, which a test compares. */
export const TOLD_EVENTS = [
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

/** One event to be posted now, by whoever took it and nobody else while its lease lasts. */
export interface DueEvent {
  /** The same for every try. */
  readonly id: string;
  readonly type: string;
  readonly refundId: string;
  /** Of two events of one refund the larger one is the later fact. */
  readonly sequence: string;
  /** Why the refund is there, as the fact says it. */
  readonly why: string | null;
  /** When the fact was written. */
  readonly at: Date;
  /** This try included, counted from the first one or from the last time that it was sent again by hand. */
  readonly tries: number;
  /** Milliseconds since tries began. */
  readonly age: number;
}

/** Whether facts become events from now on. What happened while it was off is never told. */
export async function switchOutlet(database: Database, isOn: boolean): Promise<void> {
  await upkeepOf(database)
    .insertInto('event_outlet')
    .values({ is_on: isOn })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ is_on: isOn }))
    .execute();
}

/**
 * Takes up to `limit` due events for `lease` milliseconds. One that an earlier event of its refund is just being tried before
 * waits for it; one that is waiting to be tried again holds up nobody.
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

/** What came of a try. `after`: milliseconds until the next one. */
export type Settlement =
  | { readonly kind: 'delivered'; readonly status: number }
  | { readonly kind: 'again'; readonly after: number; readonly status: number | null; readonly error: string }
  | { readonly kind: 'dead'; readonly status: number | null; readonly error: string };

/** Ignored where the lease was lost to another try meanwhile: that one settles it. */
export async function settleEvent(
  database: Database,
  { id, tries }: Pick<DueEvent, 'id' | 'tries'>,
  settlement: Settlement,
): Promise<void> {
  const common = { leased_until: null, last_status: settlement.status };
  const own = upkeepOf(database)
    .updateTable('event_deliveries')
    .where('id', '=', id)
    .where('state', '=', 'waiting');
  switch (settlement.kind) {
    case 'delivered':
      // True whoever else is trying it again: it has arrived.
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

/** Milliseconds: what has arrived so long ago is forgotten, at most `limit` of it. The fact itself stays. Answers how many. */
export async function forgetDelivered(database: Database, olderThan: number, limit: number): Promise<number> {
  const gone = await upkeepOf(database)
    .deleteFrom('event_deliveries')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('event_deliveries')
        .select('id')
        .where('state', '=', 'delivered')
        .where('delivered_at', '<', sql<Date>`now() - ${olderThan} * interval '1 millisecond'`)
        .orderBy('delivered_at')
        .limit(limit)
        // Whoever sends one again at this moment keeps it.
        .forUpdate()
        .skipLocked(),
    )
    .executeTakeFirst();
  return Number(gone.numDeletedRows);
}
