/** Tests that the embedded PostgreSQL keeps committed data through crashes of itself and of the process that started it. */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isAlive } from '../../sandbox/servers/process-alive.js';
import { startPostgres, type PostgresServer } from '../../sandbox/servers/postgres.js';

let folder: string;
let dataDir: string;
let running: PostgresServer[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postgres-test-'));
  // Lets all users traverse the folder: if the test runs as root, PostgreSQL runs as another user.
  await chmod(folder, 0o711);
  dataDir = join(folder, 'data');
  running = [];
});
afterEach(async () => {
  for (const server of running) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<PostgresServer> {
  const server = await startPostgres({ dataDir });
  running.push(server);
  return server;
}

async function query(url: string, text: string): Promise<readonly unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL', () => {
  it('starts again with its data after a stop and after a kill', async () => {
    const first = await start();
    await query(first.url, 'create table refund (id int); insert into refund values (1)');
    await first.stop();

    const second = await start();
    await query(second.url, 'insert into refund values (2)');
    await second.kill();
    expect((await stat(join(dataDir, 'server.log'))).size).toBeGreaterThan(0);

    const third = await start();
    expect(await query(third.url, 'select id from refund order by id')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('stores a generated password in a file that only its owner can read', async () => {
    const { url } = await start();
    const password = await readFile(join(dataDir, 'password'), 'utf8');
    expect((await stat(join(dataDir, 'password'))).mode & 0o777).toBe(0o600);
    expect(new URL(url).password).toBe(password);
    expect(password.length).toBeGreaterThanOrEqual(32);
    await expect(query(url.replace(password, 'postgres'), 'select 1')).rejects.toThrow(/password/u);
  });

  it('is used by one process at a time: the second one gets an error that names the first', async () => {
    await start();
    await expect(start()).rejects.toThrow(
      new RegExp(`in use by process ${process.pid}.*REFUNDS_DATA_DIR`, 'u'),
    );
  });

  it('is durable by default, and listens on the loopback interface only', async () => {
    const { url } = await start();
    const settings = await query(
      url,
      `select name, setting from pg_settings where name in ('fsync', 'listen_addresses', 'max_connections') order by name`,
    );
    expect(settings).toEqual([
      { name: 'fsync', setting: 'on' },
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'max_connections', setting: '200' },
    ]);
  });

  it('starts although the process id in its pid file belongs to another program', async () => {
    const first = await start();
    await first.kill();
    const place = await readFile(join(dataDir, 'place'), 'utf8').catch(() => dataDir);
    const pidFile = join(place.trim(), 'cluster', 'postmaster.pid');
    const lines = (await readFile(pidFile, 'utf8')).split('\n');
    await writeFile(pidFile, [String(process.pid), ...lines.slice(1)].join('\n'));
    const second = await start();
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'stores the data of root in a folder that the server can reach, and deletes it once the project folder is gone',
    async () => {
      await chmod(folder, 0o700);
      const first = await start();
      await query(first.url, 'create table refund (id int)');
      await first.stop();
      const place = (await readFile(join(dataDir, 'place'), 'utf8')).trim();
      const second = await start();
      expect(await query(second.url, 'select id from refund')).toEqual([]);
      await second.stop();

      await rm(dataDir, { recursive: true });
      await start();
      await expect(stat(place)).rejects.toThrow(/ENOENT/u);
      // The next start would delete this one too; the test deletes it at once.
      await running.at(-1)?.stop();
      await rm((await readFile(join(dataDir, 'place'), 'utf8')).trim(), { recursive: true });
    },
  );

  it.skipIf(process.platform === 'win32')(
    'ends with the process that started it, and the next process has the data',
    async () => {
      const script = fileURLToPath(new URL('../support/start-postgres.ts', import.meta.url));
      const parent = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines = createInterface(parent.stdout);
      const postmaster = Number(await new Promise<string>((resolve) => lines.once('line', resolve)));
      expect(isAlive(postmaster)).toBe(true);

      parent.kill('SIGKILL');
      await vi.waitFor(() => expect(isAlive(postmaster)).toBe(false), { timeout: 15_000, interval: 50 });
      const next = await start();
      expect(await query(next.url, 'select count(*)::int as n from refund')).toEqual([{ n: 1 }]);
    },
  );
});
