/** Pool of connections to PostgreSQL. It avoids servers that accept no writes, and no connection waits forever. */
import { Socket } from 'node:net';
import type { PostgresPool } from 'kysely';
import pg from 'pg';

export interface ConnectionOptions {
  /** Connections at most; default 10. */
  readonly connections?: number;
  /** Milliseconds after which a statement or a wait for a lock fails; default 15 s. */
  readonly statementTimeoutMs?: number;
  /**
   * Milliseconds of silence after which a connection in use counts as lost; default 150 s, longer than the longest statement, an audit's.
   */
  readonly silenceMs?: number;
  /** Connections that stay open when idle; default 0. Others close when idle for 10 s. */
  readonly kept?: number;
  /**
   * Default true. False does not wait for the disk: a crash of the database server may lose the latest commits, each as a whole. Only for
   * work that is repeated then.
   */
  readonly isDurable?: boolean;
}

/** SQLSTATE of a write on a standby, or on a server whose writes are switched off. */
const READ_ONLY = '25006';

/** Fails with `25006` if the server accepts no writes. Reads nothing and locks nothing. */
export const CHECK_WRITABLE = `DO $$ BEGIN
  IF current_setting('transaction_read_only')::boolean THEN
    RAISE read_only_sql_transaction USING MESSAGE = 'the database takes no writes: it is a standby, or was made read-only';
  END IF;
END $$`;

/**
 * Opens a pool for Kysely. `bigint` columns are read as `bigint`, never as a float.
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
    // A session left open by a frozen process must not lock a payment's row forever.
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
  // Also for a connection that is lost during a transaction: its statement fails, which informs the caller.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // A connection whose server disappeared (a failover, a cut cable) is replaced too: TCP alone would wait a quarter of an hour.
  pool.on('connect', ({ connection: { stream } }) => {
    stream.on('timeout', () => stream.destroy(new Error('the database has not answered for too long')));
  });
  pool.on('acquire', (client) => {
    limitSilence(client, options.silenceMs ?? 150_000);
  });
  pool.on('release', (_error, client) => {
    limitSilence(client, 0);
  });

  // Counts reports of `25006`. A connection is used only if none has come since it was opened.
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

/** Sets the limit of silence in milliseconds; 0 for an idle connection, which may be silent. */
function limitSilence({ connection: { stream } }: pg.PoolClient, silenceMs: number): void {
  if (stream instanceof Socket) stream.setTimeout(silenceMs);
}
