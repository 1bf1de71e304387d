/** A migrated database for one test file, and the ledger on it. */
import { sql } from 'kysely';
import { afterAll } from 'vitest';
import { openDatabase, type Database } from '../../ledger/db/database.js';
import { createLedger } from '../../ledger/postgres.js';
import { freshDatabase } from '../support/database.js';
import type { LedgerUnderTest } from './fixtures.js';
import { violationsOf } from './invariants.js';

export interface PostgresUnderTest extends LedgerUnderTest {
  readonly url: string;
  readonly database: Database;
  /** Makes credits and corrections a day older, so that one test does not use up the limits of another. */
  readonly aDayLater: () => Promise<void>;
}

/** Must be called at the top level of a test file. */
async function aDayLater({ db }: Database): Promise<void> {
  const yesterday = sql<Date>`sent_at - interval '25 hours'`;
  await db.updateTable('attempts').set({ sent_at: yesterday }).where('operation', '=', 'credit').execute();
  await db
    .updateTable('command_results')
    .set({ at: sql<Date>`at - interval '25 hours'` })
    .execute();
}

export async function postgresLedger(connections = 10): Promise<PostgresUnderTest> {
  const url = await freshDatabase('migrated');
  const database = openDatabase(url, { connections });
  afterAll(() => database.close());
  const { db } = database;
  return {
    url,
    database,
    aDayLater: () => aDayLater(database),
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
    violations: () => violationsOf(db),
  };
}
