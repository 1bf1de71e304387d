/** Creates databases for tests: each file has its own, so files run side by side and see no rows of another file. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, inject } from 'vitest';

/**
 * Creates a database on the run's PostgreSQL, with the ledger's tables or with none, and returns its URL. It is dropped after the last
 * test of the file. Call it while the file is read, `const url = await freshDatabase('migrated');` at its top: hooks run in reverse, so
 * the file's own `afterAll`, which ends its connections, comes before the drop.
 */
export async function freshDatabase(tables: 'migrated' | 'empty'): Promise<string> {
  const url = new URL(inject('postgresUrl'));
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const template = tables === 'empty' ? '' : ` template ${inject('migratedDatabase')}`;
  await asAdministrator(`create database ${name}${template}`);
  afterAll(() => asAdministrator(`drop database ${name} with (force)`));
  url.pathname = `/${name}`;
  return url.href;
}

async function asAdministrator(statement: string): Promise<void> {
  const client = new pg.Client(inject('postgresUrl'));
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
