/** Starts and stops the embedded PostgreSQL, on a data folder that survives restarts or on a temporary one. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.js';
import { createCluster, releaseCluster } from './postgres-cluster.js';
import {
  exists,
  postgresPrograms,
  reachableFolder,
  reachableTemporary,
  serverUser,
} from './postgres-files.js';
import { lastLines, spawnServer, type ServerProcess } from './server-process.js';

export interface PostgresOptions {
  /** The folder for the data, which the next start uses again. Default: a temporary folder, removed on stop. */
  readonly dataDir?: string;
  /** Default: a free port. Set it where a restarted server must have the same address. */
  readonly port?: number;
  /** Default true. False is faster and for tests only: a crash of the machine may lose data. */
  readonly fsync?: boolean;
  /** Default 200. */
  readonly maxConnections?: number;
}

export interface PostgresServer {
  /** `postgres://…@127.0.0.1:port/refunds`. The database exists, and the user may create others. Contains the password. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends all connections, flushes the data to disk, and removes a temporary folder. */
  stop(): Promise<void>;
  /** Sends `SIGKILL` to the postmaster, which is like a crash. The data stays, also in a temporary folder. */
  kill(): Promise<void>;
}

const HOST = '127.0.0.1';
const DATABASE = 'refunds';
const READY_WITHIN_MS = 60_000;
const ATTEMPTS = 5;

/**
 * Starts PostgreSQL 18 on the loopback interface with a generated password, and resolves when it answers. An existing
 * data folder is used again, also after a crash.
 *
 * @throws an `Error` with the end of the server's log when it does not start. When another process uses the data
 *   folder, the message names that process.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const user = await serverUser();
  const programs = await postgresPrograms(user);
  const { dataDir } = options;
  const persistent = dataDir !== undefined;
  const home = persistent
    ? resolve(dataDir)
    : await mkdtemp(join(await reachableTemporary(user), 'postgres-'));
  // The parents get the default permissions; the folder itself is for its owner only.
  await mkdir(dirname(home), { recursive: true });
  await mkdir(home, { recursive: true, mode: 0o700 });
  // The server's user must be able to pass through this folder to the cluster; the other files in it stay root's.
  if (user !== undefined) await chmod(home, 0o711);
  const place = await reachableFolder(home, user);
  const cluster = join(place, 'cluster');
  const settings = { options, programs, user, home, cluster, persistent };
  try {
    const password = await passwordOf(home, await exists(cluster));
    if (await exists(cluster)) await releaseCluster(cluster, join(home, 'owner'));
    else await createCluster({ programs, cluster, password, user, sync: options.fsync !== false });
    await writeFile(join(home, 'owner'), String(process.pid), { mode: 0o600 });
    return await startOn(settings, password);
  } catch (error) {
    if (!persistent) await rm(home, { recursive: true, force: true });
    throw error;
  }
}

interface Settings {
  readonly options: PostgresOptions;
  readonly programs: string;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly home: string;
  readonly cluster: string;
  readonly persistent: boolean;
}

async function startOn(settings: Settings, password: string): Promise<PostgresServer> {
  const { options, programs, user, home, cluster, persistent } = settings;
  const logFile = join(home, 'server.log');
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const started = performance.now();
    await rm(logFile, { force: true });
    const server = await spawnServer({
      name: 'PostgreSQL',
      command: join(programs, 'bin', 'postgres'),
      args: ['-D', cluster, ...configuration(port, options)],
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      cwd: cluster,
      logFile,
      stopSignal: 'SIGINT',
      stopWithinMs: 30_000,
      ...(user === undefined ? {} : { user }),
      ...(persistent ? {} : { scratch: home }),
    });
    const url = (database: string): string => `postgres://postgres:${password}@${HOST}:${port}/${database}`;
    const problem = await untilReady(server, url('postgres'));
    if (problem === undefined) {
      return {
        url: url(DATABASE),
        port,
        pid: server.pid,
        stop: async () => {
          await server.stop();
          if (!persistent) await rm(home, { recursive: true, force: true });
        },
        kill: () => server.kill(),
      };
    }
    const log = server.log();
    await server.kill();
    // After a crash, the last processes of the old server may hold its shared memory for a moment.
    const temporary = /could not bind|address already in use|shared memory block .* is still in use/iu;
    const inTime = performance.now() - started < READY_WITHIN_MS;
    if (attempt === ATTEMPTS || !inTime || !temporary.test(log)) {
      throw new Error(`PostgreSQL did not start: ${problem}. The end of its log:\n${lastLines(log)}`);
    }
    await sleep(200 * attempt);
  }
}

function configuration(port: number, options: PostgresOptions): readonly string[] {
  const values = {
    port,
    listen_addresses: HOST,
    unix_socket_directories: '',
    max_connections: options.maxConnections ?? 200,
    timezone: 'UTC',
    ...(options.fsync === false ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Creates the database if needed. Returns undefined when the server answers, else the reason why it does not. */
async function untilReady(server: ServerProcess, url: string): Promise<string | undefined> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const end = server.ended();
    if (end !== undefined) return `it ended with ${end}`;
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    // A server that dies during the first query emits this event too; the rejected query reports the error.
    client.on('error', () => undefined);
    try {
      await client.connect();
      const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
      if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
      return undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (/password authentication failed/u.test(message)) return message;
      if (performance.now() > deadline) return `no answer within ${READY_WITHIN_MS / 1_000} s (${message})`;
      await sleep(25);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/** Returns the stored password, or creates one. It is stored before the cluster is created, so that no cluster is without a known password. */
async function passwordOf(home: string, clusterExists: boolean): Promise<string> {
  const file = join(home, 'password');
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept !== undefined && kept.trim() !== '') return kept.trim();
  if (clusterExists) {
    throw new Error(`${home} holds a database, but ${file} is missing: put it back, or use another folder.`);
  }
  const fresh = randomBytes(24).toString('base64url');
  await writeFile(file, fresh, { mode: 0o600 });
  return fresh;
}
