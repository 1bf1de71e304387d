/** What a pool of connections is told to be. */
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { openDatabase, type Database } from '../../ledger/database.js';
import { freshDatabase } from '../support/database.js';

const url = await freshDatabase();
/** The setting, and who made it: the tests' own server waits for no disk at all. */
const commits = async ({ db }: Database) =>
  (
    await sql<{ setting: string; source: string }>`
      SELECT setting, source FROM pg_settings WHERE name = 'synchronous_commit'`.execute(db)
  ).rows[0];

it('only who says so does not wait for the disk', async () => {
  const [ledger, marks] = [openDatabase(url), openDatabase(url, { isDurable: false })];
  try {
    expect((await commits(ledger))?.source).not.toBe('client');
    expect(await commits(marks)).toEqual({ setting: 'off', source: 'client' });
  } finally {
    await Promise.all([ledger.close(), marks.close()]);
  }
});

it('connections that are kept are there before anybody asks, and gone when they are closed', async () => {
  const watcher = openDatabase(url, { connections: 1 });
  const others = async (): Promise<number> =>
    Number(
      (
        await sql<{ n: bigint }>`
          SELECT count(*) AS n FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(watcher.db)
      ).rows[0]?.n,
    );
  try {
    const ready = openDatabase(url, { connections: 4, kept: 3 });
    await expect.poll(others, { timeout: 10_000 }).toBe(3);
    await ready.close();
    await expect.poll(others, { timeout: 10_000 }).toBe(0);
  } finally {
    await watcher.close();
  }
});
