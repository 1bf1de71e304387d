/** Which refunds nobody seems to drive: read in pages, and remembered so that each is seen to ever more rarely while it rests. */
import { sql, type RawBuilder } from 'kysely';
import {
  FINAL_STATES,
  OPEN_ATTEMPT_STATES,
  PERSON_STATES,
  type RefundState,
} from '../../domain/refund/states.js';
import type { Database } from '../db/database.js';
import { upkeepOf } from '../db/upkeep-tables.js';

/** In the text of the statement, so that the planner sees that a partial index fits. Only for names of our own. */
const literals = (names: readonly string[]): RawBuilder<string> =>
  sql.join(names.map((name) => sql.lit(name)));

/** Milliseconds, by the database's clock. */
export interface SweepPatience {
  /** A refund that has not changed for this long may have no run. */
  readonly quiet: number;
  /** Seen to again when its rest has doubled, but at least this often, … */
  readonly longest: number;
  /** … or this often while only a person can go on: that person's word starts a run itself. */
  readonly longestForPeople: number;
}

export interface Silent {
  readonly id: string;
  /** The root payment. */
  readonly paymentId: string;
  readonly entityId: string;
  readonly state: RefundState;
  /** Changes with the refund; the mark that is left belongs to it. */
  readonly version: number;
}

/** Refunds that are not final, have not changed for a while and are due. Longest silent first. */
export async function silentRefunds(
  database: Database,
  patience: SweepPatience,
  limit: number,
): Promise<readonly Silent[]> {
  return due(database, patience, limit, sql<boolean>`r.state not in (${literals(FINAL_STATES)})`);
}

/** Refunds that have ended with an attempt still open: their workflow is over, so nobody looks that attempt up. */
export async function endedWithOpenAttempt(
  database: Database,
  patience: SweepPatience,
  limit: number,
): Promise<readonly Silent[]> {
  return due(
    database,
    patience,
    limit,
    sql<boolean>`r.state in (${literals(FINAL_STATES)})
      and r.id in (select refund_id from attempts where state in (${literals(OPEN_ATTEMPT_STATES)}))`,
  );
}

async function due(
  database: Database,
  { quiet }: SweepPatience,
  limit: number,
  which: RawBuilder<boolean>,
): Promise<readonly Silent[]> {
  const { rows } = await sql<Silent>`
    select r.id, r.payment_id as "paymentId", p.entity_id as "entityId", r.state, r.version
    from refunds r
    join payments p on p.id = r.payment_id
    left join sweeps s on s.refund_id = r.id and s.version = r.version
    where ${which}
      and r.updated_at <= now() - ${quiet} * interval '1 millisecond'
      and (s.refund_id is null or s.due_at <= now())
    order by coalesce(s.due_at, r.updated_at), r.id
    limit ${limit}`.execute(database.db);
  return rows;
}

/** What was seen to rests: for as long as it has rested already, within the bounds. A change of the refund ends that at once. */
export async function markSwept(
  database: Database,
  swept: readonly Silent[],
  { quiet, longest, longestForPeople }: SweepPatience,
): Promise<void> {
  if (swept.length === 0) return;
  await sql`
    insert into sweeps (refund_id, version, due_at)
    select r.id, seen.version, now() + greatest(
      ${quiet} * interval '1 millisecond',
      least(now() - r.updated_at,
        case when r.state in (${literals(PERSON_STATES)}) then ${longestForPeople}::float8 else ${longest}::float8 end
          * interval '1 millisecond'))
    from unnest(${swept.map(({ id }) => id)}::uuid[], ${swept.map(({ version }) => version)}::integer[])
      as seen (id, version)
    join refunds r on r.id = seen.id
    on conflict (refund_id) do update
      set version = excluded.version, swept_at = now(), due_at = excluded.due_at`.execute(database.db);
}

/** After Temporal has lost its memory: every refund that is under way is due at once. */
export async function forgetSweeps(database: Database): Promise<void> {
  await upkeepOf(database).deleteFrom('sweeps').execute();
}
