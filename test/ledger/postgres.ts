/** A migrated database for one test file, and the ledger on it. */
import { sql } from 'kysely';
import { afterAll } from 'vitest';
import { openDatabase } from '../../ledger/db/database.js';
import { createLedger } from '../../ledger/postgres.js';
import { freshDatabase } from '../support/database.js';
import type { LedgerUnderTest } from './fixtures.js';
import { openQuickAudit } from './invariants.js';

export interface PostgresUnderTest extends LedgerUnderTest {
  readonly url: string;
  /** Deletes every row, so limits start at zero in each test, and the audit after a test reads only that test's rows. */
  readonly empty: () => Promise<void>;
}

/** Triggers forbid deleting events. With `session_replication_role = replica`, PostgreSQL skips triggers and foreign keys. */
const EMPTY_ALL_TABLES = sql`
  DO $$
  DECLARE name text;
  BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%migrations' LOOP
      EXECUTE format('DELETE FROM %I', name);
    END LOOP;
  END $$`;

/** Call it while the file is read: the database is dropped after the file's last test. */
export async function postgresLedger(connections = 10): Promise<PostgresUnderTest> {
  const url = await freshDatabase('migrated');
  const database = openDatabase(url, { connections });
  const audit = openQuickAudit(url, database);
  afterAll(() => Promise.all([audit.close(), database.close()]));
  const { db } = database;
  return {
    url,
    database,
    async empty() {
      await EMPTY_ALL_TABLES.execute(db);
    },
    ledger: createLedger(database),
    async letPass(ms) {
      const earlier = (column: string) => sql<Date>`${sql.ref(column)} - ${ms} * interval '1 millisecond'`;
      await db
        .updateTable('attempts')
        .set({
          send_by: earlier('send_by'),
          sent_at: earlier('sent_at'),
          last_not_found_at: earlier('last_not_found_at'),
          queried_at: earlier('queried_at'),
        })
        .execute();
      await db
        .updateTable('payments')
        .set({ last_not_found_at: earlier('last_not_found_at') })
        .execute();
      await db
        .updateTable('refunds')
        .set({
          state_since: earlier('state_since'),
          unread_since: earlier('unread_since'),
          unread_at: earlier('unread_at'),
        })
        .execute();
    },
    async openCases(refundId) {
      const cases = await db
        .selectFrom('cases')
        .select('why')
        .where('refund_id', '=', refundId)
        .where('closed_at', 'is', null)
        .orderBy('why')
        .execute();
      return cases.map(({ why }) => why);
    },
    async events(refundId) {
      const events = await db
        .selectFrom('events')
        .select('type')
        .where('refund_id', '=', refundId)
        .orderBy('id')
        .execute();
      return events.map(({ type }) => type);
    },
    violations: () => audit.violations(),
  };
}
