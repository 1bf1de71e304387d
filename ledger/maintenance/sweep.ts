/** Finds refunds that may have no running workflow, and records when each was swept: the longer a refund is unchanged, the more rarely. */
import { sql, type RawBuilder } from 'kysely';
import { FINAL_STATES, OPERATOR_STATES, type RefundState } from '../../domain/refund/states.js';
import { OPEN_ATTEMPT_STATES } from '../../domain/refund/attempt-states.js';
import type { Database } from '../db/database.js';
import { maintenanceDb } from '../db/maintenance-tables.js';

/** Writes the values into the statement's text, so that the planner sees that a partial index fits. Only for our own constants. */
const literals = (names: readonly string[]): RawBuilder<string> =>
  sql.join(names.map((name) => sql.lit(name)));

/** Milliseconds, by the database's clock. */
export interface SweepIntervals {
  /** A refund that has not changed for this long may have no running workflow. */
  readonly quiet: number;
  /** A refund is swept again when the time since its last change has doubled, but at least this often, … */
  readonly longest: number;
  /** … or this often while it waits for an operator, whose command starts a run by itself. */
  readonly longestInReview: number;
}

export interface Silent {
  readonly id: string;
  /** The payment, not a capture. */
  readonly paymentId: string;
  readonly entityId: string;
  readonly state: RefundState;
  /** The refund's version, with which the sweep is recorded. */
  readonly version: number;
}

/** Returns refunds that are not final, have not changed for a while and are due, longest unchanged first. */
export async function idleRefunds(
  database: Database,
  patience: SweepIntervals,
  limit: number,
): Promise<readonly Silent[]> {
  return due(database, patience, limit, sql<boolean>`r.state not in (${literals(FINAL_STATES)})`);
}

/** Returns final refunds with an open attempt: their workflow has ended, so nothing queries the attempt. */
export async function endedWithOpenAttempt(
  database: Database,
  patience: SweepIntervals,
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
  { quiet }: SweepIntervals,
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

/**
 * Records the sweep. A refund that has been unchanged for an hour is due again in an hour, and so on, within the bounds of the intervals. A
 * change of the refund makes this mark invalid.
 */
export async function markSwept(
  database: Database,
  swept: readonly Silent[],
  { quiet, longest, longestInReview }: SweepIntervals,
): Promise<void> {
  if (swept.length === 0) return;
  await sql`
    insert into sweeps (refund_id, version, due_at)
    select r.id, seen.version, now() + greatest(
      ${quiet} * interval '1 millisecond',
      least(now() - r.updated_at,
        case when r.state in (${literals(OPERATOR_STATES)}) then ${longestInReview}::float8 else ${longest}::float8 end
          * interval '1 millisecond'))
    from unnest(${swept.map(({ id }) => id)}::uuid[], ${swept.map(({ version }) => version)}::integer[])
      as seen (id, version)
    join refunds r on r.id = seen.id
    on conflict (refund_id) do update
      set version = excluded.version, swept_at = now(), due_at = excluded.due_at`.execute(database.db);
}

/** Makes every refund that is not final due at once, after the Temporal server lost its state. */
export async function clearSweeps(database: Database): Promise<void> {
  await maintenanceDb(database).deleteFrom('sweeps').execute();
}
