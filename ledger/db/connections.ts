/** The pool of connections to PostgreSQL: none to a server that takes no writes, none that waits for ever. */
import { Socket } from 'node:net';
import type { PostgresPool } from 'kysely';
import pg from 'pg';

export interface ConnectionOptions {
  /** Connections at most; default 10. */
  readonly connections?: number;
  /** A statement or a wait for a lock longer than this fails; default 15 s. */
  readonly statementTimeoutMs?: number;
  /** A connection in use on which nothing comes for this long is lost; default 150 s, longer than the longest statement, an audit's. */
  readonly silenceMs?: number;
  /** Connections that stay open when idle; default 0. Others close when idle for 10 s. */
  readonly kept?: number;
  /**
   * Default true. False does not wait for the disk: a crash of the database server may take back the last commits, whole and latest first.
   * Only for what is done again then.
   */
  readonly isDurable?: boolean;
}

/** The state that PostgreSQL reports for a write on a standby, or where writes are switched off. */
const READ_ONLY = '25006';

/** Fails with `25006` where the server takes no writes. Reads nothing, locks nothing. */
export const CHECK_WRITABLE = `DO $$ BEGIN
  IF current_setting('transaction_read_only')::boolean THEN
    RAISE read_only_sql_transaction USING MESSAGE = 'the database takes no writes: it is a standby, or was made read-only';
  END IF;
END $$`;

/**
 * Opens a pool for Kysely. `bigint` columns come as `bigint`, never as a float.
 *
 * After a failover the address of the primary may lead to a standby, which accepts connections and answers reads. So each new connection
 * is checked once, and a connection that reports `25006` is closed together with all that were opened before that moment.
 */
export function openPool(url: string, options: ConnectionOptions): PostgresPool {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, BigInt);
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections ?? 10,
    min: options.kept ?? 0,
    statement_timeout: options.statementTimeoutMs ?? 15_000,
    connectionTimeoutMillis: 10_000,
    // A session left open by a frozen process must not hold a payment's row for ever.
    idle_in_transaction_session_timeout: 30_000,
    ...(options.isDurable === false ? { options: '-c synchronous_commit=off' } : {}),
    types,
    verify: (client, done) => {
      client.query(CHECK_WRITABLE).then(() => {
        done();
      }, done);
    },
  });
  // A lost idle connection is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  // So would a connection that is lost in the middle of a transaction: its statement fails, and that is how the caller learns of it.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // So is one whose server is gone without a goodbye (a failover, a cut cable): TCP alone would wait a quarter of an hour for an answer.
  pool.on('connect', ({ connection: { stream } }) => {
    stream.on('timeout', () => stream.destroy(new Error('the database has been silent for too long')));
  });
  pool.on('acquire', (client) => {
    limitSilence(client, options.silenceMs ?? 150_000);
  });
  pool.on('release', (_error, client) => {
    limitSilence(client, 0);
  });

  // Counts the reports of `25006`; a connection is used only while none has come since it was opened.
  let generation = 0;
  const openedIn = new WeakMap<pg.PoolClient, number>();
  pool.on('connect', (client) => {
    openedIn.set(client, generation);
    client.connection.on('errorMessage', (error: unknown) => {
      if (error instanceof pg.DatabaseError && error.code === READ_ONLY) generation += 1;
    });
  });
  return {
    async connect() {
      for (;;) {
        const client = await pool.connect();
        if (openedIn.get(client) === generation) return client;
        client.release(true);
      }
    },
    end: () => pool.end(),
  };
}

/** Milliseconds; 0: it is idle, and may be silent. */
function limitSilence({ connection: { stream } }: pg.PoolClient, silenceMs: number): void {
  if (stream instanceof Socket) stream.setTimeout(silenceMs);
}
