/** Applies database migrations: one process at a time, without long waits for locks. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { runner, type MigrationBuilder } from 'node-pg-migrate';
import pg from 'pg';
import type { Database } from './database.js';

const DIRECTORY = fileURLToPath(new URL('../migrations', import.meta.url));
const TABLE = 'migrations';
/** Key of the advisory lock of the process that migrates. */
const LOCK = 7_020_052_313;
/**
 * A migration whose name ends with this is run statement by statement outside of a transaction, as `CREATE INDEX CONCURRENTLY` requires.
 */
const CONCURRENT = '.concurrent';

export interface MigrateOptions {
  /** Milliseconds that a statement waits for a lock, which is also the longest that others wait behind it; default 2,000. */
  readonly lockTimeoutMs?: number;
  /** Milliseconds after which the migration fails; default 10 minutes. */
  readonly withinMs?: number;
  /** Folder of the migrations; default the ledger's. */
  readonly directory?: string;
}

/**
 * Applies missing migrations and returns their names. A schema that is up to date costs one read.
 *
 * Of several processes one migrates; the others poll until it is done, without a transaction, which would block the building of an index.
 * A statement that waits for a table makes every later reader of the table wait behind it, so it fails soon and is tried again.
 *
 * @throws the last lock timeout, or an error that another process is migrating, if the schema is not up to date within `withinMs`.
 */
export async function migrate(databaseUrl: string, options: MigrateOptions = {}): Promise<readonly string[]> {
  const { lockTimeoutMs = 2_000, withinMs = 600_000, directory = DIRECTORY } = options;
  const names = await namesIn(directory);
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const giveUpAt = performance.now() + withinMs;
    const applied: string[] = [];
    let problem: Error = new Error('another process migrates the database and does not finish');
    while ((await missing(client, names)).length > 0) {
      if (performance.now() > giveUpAt) throw problem;
      if (!(await tryLock(client))) {
        await sleep(100 + Math.random() * 200);
        continue;
      }
      try {
        await client.query(`SET lock_timeout = ${lockTimeoutMs}`);
        applied.push(...(await applyMissing(client, directory)));
      } catch (error) {
        await client.query('ROLLBACK');
        if (!isLockTimeout(error)) throw error;
        problem = error;
      } finally {
        await client.query('SELECT pg_advisory_unlock($1)', [LOCK]);
      }
      // Lets readers that waited behind the statement go first.
      await sleep(lockTimeoutMs / 2 + Math.random() * lockTimeoutMs);
    }
    return applied;
  } finally {
    await client.end();
  }
}

/** True if no migration is missing. Migrations of a newer version may be present: they only add. */
export async function isMigrated({ db }: Database): Promise<boolean> {
  const { rows } = await sql<{ readonly name: string }>`select name from ${sql.table(TABLE)}`.execute(db);
  const applied = new Set(rows.map(({ name }) => name));
  return (await namesIn(DIRECTORY)).every((name) => applied.has(name));
}

async function namesIn(directory: string): Promise<readonly string[]> {
  const files = await readdir(directory);
  return files.filter((file) => file.endsWith('.sql')).map((file) => file.slice(0, -'.sql'.length));
}

async function missing(client: pg.Client, names: readonly string[]): Promise<readonly string[]> {
  const { rowCount } = await client.query('SELECT WHERE to_regclass($1) IS NOT NULL', [TABLE]);
  if (rowCount === 0) return names;
  const { rows } = await client.query<{ readonly name: string }>(`SELECT name FROM ${TABLE}`);
  const applied = new Set(rows.map(({ name }) => name));
  return names.filter((name) => !applied.has(name));
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [LOCK]);
  return rows[0]?.mine === true;
}

async function applyMissing(client: pg.Client, dir: string): Promise<readonly string[]> {
  const applied = await runner({
    dbClient: client,
    dir,
    direction: 'up',
    migrationsTable: TABLE,
    noLock: true,
    migrationLoaderStrategies: [
      { extensions: ['.sql'], loader: (paths) => Promise.all(paths.map((path) => loadMigration(path))) },
    ],
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  return applied.map((migration) => migration.name);
}

/** Reads one migration file. There is no down migration: an older schema cannot hold what a newer version has written. */
async function loadMigration(path: string) {
  const text = await readFile(path, 'utf8');
  const isConcurrent = path.endsWith(`${CONCURRENT}.sql`);
  const up = (pgm: MigrationBuilder): void => {
    if (!isConcurrent) {
      pgm.sql(text);
      return;
    }
    pgm.noTransaction();
    // The statement waits for older transactions and blocks no reader or writer in the meantime.
    pgm.sql('SET lock_timeout = 0');
    for (const statement of text.split(/;\s*$/mu)) if (statement.trim() !== '') pgm.sql(statement);
  };
  return { id: path, filePaths: [path], actions: { up, down: false as const } };
}

const isLockTimeout = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && error.code === '55P03';

const quiet = (): void => undefined;
