/** Starts a primary PostgreSQL and a standby, behind one address that a failover moves from one to the other. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { migrate } from '../../ledger/db/migrate.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import { startPostgres, type PostgresServer } from '../../sandbox/servers/postgres.js';

const copy = promisify(execFile);

export interface FailoverPair {
  /** Leads to the first server until `moveAddress`. Contains the password. */
  readonly url: string;
  /** Promotes the standby, and restarts the former primary as a standby on its old port. */
  failOver(): Promise<void>;
  /** Leads new connections to the new primary. Open connections stay where they are. */
  moveAddress(): void;
  close(): Promise<void>;
}

export async function startFailoverPair(): Promise<FailoverPair> {
  const home = await mkdtemp(join(tmpdir(), 'failover-'));
  // PostgreSQL may run as another user, which needs access.
  await chmod(home, 0o711);
  const [first, second] = [
    { dataDir: join(home, 'first'), port: await freePort() },
    { dataDir: join(home, 'second'), port: await freePort() },
  ];
  let primary = await startPostgres(first);
  await migrate(primary.url);
  await primary.stop();
  await copy('cp', ['-a', first.dataDir, second.dataDir]);
  await follow(second.dataDir, primary.url);
  primary = await startPostgres(first);
  let standby: PostgresServer = await startPostgres(second);

  let target = first.port;
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const through = new URL(primary.url);
  through.host = `127.0.0.1:${address.port}`;

  return {
    url: through.href,
    async failOver() {
      // A primary that is stopped in order sends the standby all that it has written.
      await primary.stop();
      const client = new pg.Client(standby.url);
      await client.connect();
      await client.query('SELECT pg_promote()');
      await client.end();
      await follow(first.dataDir, standby.url);
      [primary, standby] = [standby, await startPostgres(first)];
    },
    moveAddress() {
      target = second.port;
    },
    async close() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await standby.stop();
      await primary.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Makes a stopped cluster a standby of the server at `url`. */
async function follow(dataDir: string, url: string): Promise<void> {
  const { hostname, port, username, password } = new URL(url);
  const cluster = join(dataDir, 'cluster');
  await writeFile(join(cluster, 'standby.signal'), '');
  const source = `host=${hostname} port=${port} user=${username} password=${password}`;
  await appendFile(join(cluster, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`);
}
