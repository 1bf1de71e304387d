/** Settings of the connection pool, and lost connections. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { openDatabase, type Database } from '../../ledger/db/database.js';
import { freshDatabase } from '../support/database.js';

const url = await freshDatabase('empty');
/** The setting and its source: the tests' own server never waits for the disk. */
const commits = async ({ db }: Database) =>
  (
    await sql<{ setting: string; source: string }>`
      SELECT setting, source FROM pg_settings WHERE name = 'synchronous_commit'`.execute(db)
  ).rows[0];

it('only a pool with `isDurable: false` does not wait for the disk', async () => {
  const [ledger, marks] = [openDatabase(url), openDatabase(url, { isDurable: false })];
  try {
    expect((await commits(ledger))?.source).not.toBe('client');
    expect(await commits(marks)).toEqual({ setting: 'off', source: 'client' });
  } finally {
    await Promise.all([ledger.close(), marks.close()]);
  }
});

it('idle connections are opened before the first statement, and closed with the pool', async () => {
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

/** A proxy between client and server that can freeze: it forwards nothing and closes nothing. */
async function startProxy() {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const through = new URL(url);
  through.host = `127.0.0.1:${address.port}`;
  return {
    url: through.href,
    standStill: () => {
      for (const socket of sockets.splice(0)) socket.unpipe().pause();
    },
    close: () => server.close(),
  };
}

it('a connection whose server disappeared is closed in time, and replaced', async () => {
  const proxy = await startProxy();
  const { db, transaction, close } = openDatabase(proxy.url, { connections: 1, silenceMs: 500 });
  const one = async (): Promise<unknown> => (await sql`SELECT 1 AS one`.execute(db)).rows[0];
  try {
    expect(await one()).toEqual({ one: 1 });
    proxy.standStill();
    await expect(one(), 'a statement').rejects.toThrow('not answered for too long');
    expect(await one()).toEqual({ one: 1 });
    const midway = transaction(async (tx) => {
      await sql`SELECT 1`.execute(tx);
      proxy.standStill();
      await sql`SELECT 2`.execute(tx);
    });
    await expect(midway, 'a transaction').rejects.toThrow('connection');
    // A statement that is slow for less time succeeds, and an idle connection may be silent.
    await sql`SELECT pg_sleep(0.3)`.execute(db);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await one()).toEqual({ one: 1 });
  } finally {
    await close();
    proxy.close();
  }
});
