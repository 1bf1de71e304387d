/** What a pool of connections is told to be. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { openDatabase, type Database } from '../../ledger/db/database.js';
import { freshDatabase } from '../support/database.js';

const url = await freshDatabase('empty');
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

/** Between a client and the server, until it stands still: nothing comes through any more, and nobody is told. */
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

it('a connection whose server is gone without a word is lost in time, and another one takes its place', async () => {
  const proxy = await startProxy();
  const { db, transaction, close } = openDatabase(proxy.url, { connections: 1, silenceMs: 500 });
  const one = async (): Promise<unknown> => (await sql`SELECT 1 AS one`.execute(db)).rows[0];
  try {
    expect(await one()).toEqual({ one: 1 });
    proxy.standStill();
    await expect(one(), 'a statement').rejects.toThrow('not answered for too long');
    expect(await one()).toEqual({ one: 1 });
    const halfWay = transaction(async (tx) => {
      await sql`SELECT 1`.execute(tx);
      proxy.standStill();
      await sql`SELECT 2`.execute(tx);
    });
    await expect(halfWay, 'a transaction').rejects.toThrow('connection');
    // What is slow for less is waited for; what nobody uses may be silent.
    await sql`SELECT pg_sleep(0.3)`.execute(db);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await one()).toEqual({ one: 1 });
  } finally {
    await close();
    proxy.close();
  }
});
