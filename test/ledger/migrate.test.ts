/** Migrating the schema while the ledger is in use: short waits for locks, and no partial migration. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../ledger/db/migrate.js';
import { freshDatabase } from '../support/database.js';

const url = await freshDatabase('empty');
const migrations = fileURLToPath(new URL('../../ledger/migrations/', import.meta.url));
let directory = '';
const session = async (): Promise<pg.Client> => {
  const client = new pg.Client(url);
  await client.connect();
  return client;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'migrations-'));
  await writeFile(join(directory, '001_table.sql'), 'CREATE TABLE facts (id integer PRIMARY KEY);');
  await migrate(url, { directory });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('while a long audit reads a table', () => {
  it('a migration of the table blocks no other reader, and is applied when the audit has ended', async () => {
    const [audit, reader] = [await session(), await session()];
    try {
      await writeFile(join(directory, '002_column.sql'), 'ALTER TABLE facts ADD COLUMN amount bigint;');
      await audit.query('BEGIN');
      await audit.query('SELECT count(*) FROM facts');
      let isOver = false;
      const migrated = migrate(url, { directory, lockTimeoutMs: 100 }).finally(() => {
        isOver = true;
      });
      await reader.query("SET statement_timeout = '5s'");
      for (let reads = 0; reads < 20; reads += 1) {
        await reader.query('SELECT count(*) FROM facts');
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      expect(isOver, 'before the audit has ended').toBe(false);
      await audit.query('COMMIT');
      expect(await migrated).toEqual(['002_column']);
    } finally {
      await Promise.all([audit.end(), reader.end()]);
    }
  });

  it('a migration fails after its time limit with the reason, and leaves nothing behind', async () => {
    const audit = await session();
    try {
      await writeFile(join(directory, '003_column.sql'), 'ALTER TABLE facts ADD COLUMN currency text;');
      await audit.query('BEGIN');
      await audit.query('SELECT count(*) FROM facts');
      await expect(migrate(url, { directory, lockTimeoutMs: 50, withinMs: 300 })).rejects.toThrow(
        'lock timeout',
      );
      await audit.query('COMMIT');
      expect(await migrate(url, { directory })).toEqual(['003_column']);
    } finally {
      await audit.end();
    }
  });
});

describe('an index on a table that is in use', () => {
  it('is built while another process waits to migrate and writers continue', async () => {
    const writer = await session();
    try {
      await writeFile(
        join(directory, '004_index.concurrent.sql'),
        'DROP INDEX CONCURRENTLY IF EXISTS facts_by_amount;\nCREATE INDEX CONCURRENTLY facts_by_amount ON facts (amount);\n',
      );
      await writer.query('BEGIN');
      await writer.query('INSERT INTO facts (id, amount) VALUES (1, 1)');
      const both = Promise.all([migrate(url, { directory }), migrate(url, { directory })]);
      const other = await session();
      await other.query("SET statement_timeout = '5s'");
      for (let id = 2; id < 12; id += 1)
        await other.query('INSERT INTO facts (id, amount) VALUES ($1, 1)', [id]);
      await other.end();
      await writer.query('COMMIT');
      expect((await both).flat()).toEqual(['004_index.concurrent']);
      const { rows } = await writer.query(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'facts_by_amount'::regclass",
      );
      expect(rows).toEqual([{ indisvalid: true }]);
    } finally {
      await writer.end();
    }
  });

  it('is always built this way: no migration after the first locks a table that it did not create', async () => {
    const files = (await readdir(migrations)).filter((file) => file.endsWith('.sql')).toSorted();
    const first = files.slice(0, 1);
    for (const file of files.filter((name) => !first.includes(name) && !name.includes('.concurrent.'))) {
      const text = await readFile(join(migrations, file), 'utf8');
      const created = [...text.matchAll(/CREATE TABLE (\w+)/gu)].map(([, name]) => name);
      const indexed = [...text.matchAll(/CREATE (?:UNIQUE )?INDEX \w+\s+ON (\w+)/gu)].map(([, name]) => name);
      expect(
        indexed.filter((name) => !created.includes(name)),
        file,
      ).toEqual([]);
    }
  });
});
