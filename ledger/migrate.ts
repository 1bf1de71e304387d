/** Brings the schema up to date. Several processes may start at once: the others wait for the first. */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { runner } from 'node-pg-migrate';
import type { Database } from './database.js';

const DIRECTORY = fileURLToPath(new URL('./migrations', import.meta.url));
const TABLE = 'migrations';

/** Applies what is missing and answers the names of what it applied. */
export async function migrate(databaseUrl: string): Promise<readonly string[]> {
  const applied = await runner({
    databaseUrl,
    dir: DIRECTORY,
    direction: 'up',
    migrationsTable: TABLE,
    advisoryLockMode: 'wait',
    log: () => undefined,
  });
  return applied.map((migration) => migration.name);
}

/** True where nothing is missing. A newer version's migrations may be there too: they only add. */
export async function isMigrated({ db }: Database): Promise<boolean> {
  const files = await readdir(DIRECTORY);
  const { rows } = await sql<{ readonly name: string }>`select name from ${sql.table(TABLE)}`.execute(db);
  const applied = new Set(rows.map(({ name }) => name));
  return files
    .filter((file) => file.endsWith('.sql'))
    .every((file) => applied.has(file.slice(0, -'.sql'.length)));
}
