/** Deletes old queries, webhooks and results of commands, in small batches. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type RawBuilder } from 'kysely';
import { FINAL_STATES } from '../../domain/refund/states.js';
import type { Database } from '../db/database.js';

const DAY = 24 * 3_600_000;

export interface PurgeLimits {
  /** Milliseconds for which rows are kept; default 400 days. The gateway repeats a notification for 30 days. */
  readonly keptMs?: number;
  /** Milliseconds after which equal answers in a row are reduced to the first and the last; default 7 days. */
  readonly thinAfterMs?: number;
  /** Rows that one statement reads; default 1,000. */
  readonly batch?: number;
  /** Milliseconds between two statements; default 50. */
  readonly pauseMs?: number;
  /** Ends the pass early. */
  readonly signal?: AbortSignal;
}

/** Rows that were deleted, by table. */
export type Purged = Readonly<Record<'queries' | 'webhooks' | 'command_results', number>>;

/**
 * Makes one pass over each table, in batches. Any number of processes may do it at once. Keeps rows of a payment or refund with an open
 * case, of a refund that is not final, and of a webhook that is still being processed. Events are never deleted.
 */
export async function purge(database: Database, limits: PurgeLimits = {}): Promise<Purged> {
  const { keptMs = 400 * DAY, thinAfterMs = 7 * DAY, batch = 1_000, pauseMs = 50, signal } = limits;
  const isStopped = (): boolean => signal?.aborted === true;
  const pages = async (statement: (after: string) => RawBuilder<Page>): Promise<number> => {
    let count = 0;
    for (let after = '0'; ;) {
      const { rows } = await statement(after).execute(database.db);
      const [page] = rows;
      count += page?.deleted ?? 0;
      if (page?.last == null || isStopped()) return count;
      after = page.last;
      await sleep(pauseMs);
    }
  };
  const old = (at: RawBuilder<unknown>, ms = keptMs): RawBuilder<unknown> =>
    sql`${at} < now() - ${ms} * interval '1 millisecond'`;
  return {
    queries: await pages(
      (after) => sql`
        with page as (select * from queries where id > ${after}::bigint order by id limit ${batch}),
        gone as (
          delete from queries using page where queries.id = page.id and (
            (${old(sql`page.at`)} and ${isOver(sql`(select refund_id from attempts where id = page.attempt_id)`, old)})
            or (${old(sql`page.at`, thinAfterMs)}
              and page.answer = (select answer from queries before
                where before.attempt_id = page.attempt_id and before.id < page.id order by before.id desc limit 1)
              and page.answer = (select answer from queries after
                where after.attempt_id = page.attempt_id and after.id > page.id order by after.id limit 1)))
          returning queries.id)
        select (select max(id)::text from page) as last, (select count(*)::integer from gone) as deleted`,
    ),
    webhooks: await pages(
      (after) => sql`
        with page as (
          select * from webhooks where id > ${after}::bigint and ${old(sql`received_at`)} order by id limit ${batch}),
        gone as (
          delete from webhooks using page where webhooks.id = page.id
            -- A webhook that was just reopened has to be processed.
            and webhooks.state in ('ignored', 'unmatched', 'processed') and webhooks.due_at is null
            and not exists (select from cases where closed_at is null
              and (cases.payment_id = page.payment_id or cases.refund_id = page.refund_id))
          returning webhooks.id)
        select (select max(id)::text from page) as last, (select count(*)::integer from gone) as deleted`,
    ),
    command_results: await purgeCommands(database, old, batch, pauseMs, isStopped),
  };
}

interface Page {
  /** Id of the last row that was read; null if there was none. */
  readonly last: string | null;
  readonly deleted: number;
}

/**
 * Deletes results of commands without an effect: repeating such a command on a refund that ended long ago is refused anyway. Decisions of
 * operators are kept.
 */
async function purgeCommands(
  { db }: Database,
  old: (at: RawBuilder<unknown>) => RawBuilder<unknown>,
  batch: number,
  pauseMs: number,
  isStopped: () => boolean,
): Promise<number> {
  for (let count = 0; ;) {
    const { rows } = await sql<{ deleted: number }>`
      with gone as (
        delete from command_results where ctid in (
          select command_results.ctid from command_results
          where command_results.state is null and ${old(sql`command_results.at`)}
            and ${isOver(sql`command_results.refund_id`, old)} limit ${batch} for update skip locked)
        returning 1)
      select count(*)::integer as deleted from gone`.execute(db);
    const deleted = rows[0]?.deleted ?? 0;
    count += deleted;
    if (deleted === 0 || isStopped()) return count;
    await sleep(pauseMs);
  }
}

/** SQL condition: the refund ended long ago and has no open case. */
function isOver(
  refundId: RawBuilder<unknown>,
  old: (at: RawBuilder<unknown>) => RawBuilder<unknown>,
): RawBuilder<unknown> {
  const finals = sql.join(FINAL_STATES.map((state) => sql.lit(state)));
  return sql`exists (
    select from refunds where refunds.id = ${refundId} and refunds.state in (${finals}) and ${old(sql`refunds.state_since`)}
      and not exists (select from cases where cases.closed_at is null
        and (cases.refund_id = refunds.id or cases.payment_id = refunds.payment_id)))`;
}
