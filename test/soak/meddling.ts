/** Causes trouble inside the database: a full disk, and a commit that is slow enough to freeze its worker in it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from '../../ledger/db/database.js';

export interface Meddling {
  /** Makes the next `times` inserts into `events` fail as PostgreSQL does when the disk is full. */
  fillDisk(times: number): Promise<void>;
  /**
   * Delays the next commit that opens an attempt. Returns the worker that waits for it, or undefined if no such commit came in time. If
   * that worker is frozen then, it resumes between its commit and its send.
   */
  catchCommit(withinMs: number): Promise<string | undefined>;
  /** Returns the attempts that are on their way to the gateway. */
  submitting(): Promise<readonly { readonly id: string; readonly refundId: string }[]>;
  /** True if one of these attempts was submitted again. */
  isResent(attemptIds: readonly string[]): Promise<boolean>;
  /** Ends every connection of the workers and the API, at any point of their work. Returns how many. */
  cutConnections(): Promise<number>;
  /** Removes triggers and schema from the database. */
  remove(): Promise<void>;
}

/** Seconds. Long enough to find the worker and stop it, shorter than the send window. */
const COMMIT_TAKES = 0.8;

/**
 * Installs triggers that count by sequences. A sequence keeps its count when the transaction is rolled back, and a table would not. A
 * negative value arms the trigger that many times.
 */
export async function meddleWith(database: Database): Promise<Meddling> {
  const { db } = database;
  await sql`
    create schema soak;
    create sequence soak.disk_full minvalue -1000000 start 1;
    create sequence soak.slow_commit minvalue -1000000 start 1;
    create function soak.fill_disk() returns trigger language plpgsql as $$
    begin
      if (select last_value from soak.disk_full) < 0 and nextval('soak.disk_full') <= 0 then
        raise exception 'could not extend file: No space left on device' using errcode = '53100';
      end if;
      return new;
    end $$;
    create function soak.delay_commit() returns trigger language plpgsql as $$
    begin
      if (select last_value from soak.slow_commit) < 0 and nextval('soak.slow_commit') <= 0 then
        perform pg_sleep(${sql.lit(COMMIT_TAKES)});
      end if;
      return null;
    end $$;
    create trigger soak_disk_full before insert on events for each row execute function soak.fill_disk();
    create constraint trigger soak_slow_commit after insert on events deferrable initially deferred for each row
      when (new.type = 'attempt.submitted') execute function soak.delay_commit();
  `.execute(db);

  return {
    async fillDisk(times) {
      await sql`select setval('soak.disk_full', ${-times})`.execute(db);
    },
    async catchCommit(withinMs) {
      await sql`select setval('soak.slow_commit', -1)`.execute(db);
      const deadline = performance.now() + withinMs;
      while (performance.now() < deadline) {
        const { rows } = await sql<{ name: string }>`
          select application_name as name from pg_stat_activity where wait_event = 'PgSleep' and application_name like 'worker-%'
        `.execute(db);
        if (rows[0] !== undefined) return rows[0].name;
        await sleep(25);
      }
      await sql`select setval('soak.slow_commit', 1)`.execute(db);
      return undefined;
    },
    async submitting() {
      return db
        .selectFrom('attempts')
        .select(['id', 'refund_id as refundId'])
        .where('state', '=', 'submitting')
        .execute();
    },
    async isResent(attemptIds) {
      const found = await db
        .selectFrom('attempts')
        .select('id')
        .where('id', 'in', attemptIds)
        .where('submissions', '>', 1)
        .executeTakeFirst();
      return found !== undefined;
    },
    async cutConnections() {
      const { rows } = await sql<{ cut: boolean }>`
        select pg_terminate_backend(pid) as cut from pg_stat_activity where application_name like 'worker-%' or application_name = 'api'
      `.execute(db);
      return rows.filter(({ cut }) => cut).length;
    },
    async remove() {
      await sql`
        drop trigger soak_disk_full on events;
        drop trigger soak_slow_commit on events;
        drop schema soak cascade;
      `.execute(db);
    },
  };
}
