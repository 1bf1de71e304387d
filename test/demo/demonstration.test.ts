/** The demonstration, as a newcomer runs it and while its worker is being killed. */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRefundsClient } from '../../client/index.js';
import { controlGateway } from '../../sandbox/control-client.js';
import { allRefunds, compareBooks } from '../../sandbox/demo/books.js';
import { demoApi } from '../../sandbox/demo/api-client.js';
import { runDemo } from '../../sandbox/demo/run.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import { startSandbox } from '../../sandbox/stack.js';
import { readSettings } from '../../settings/read.js';

const MINUTES = 60_000;

describe('the demonstration', () => {
  let dataDir: string;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    dataDir = await mkdtemp(join(tmpdir(), 'refunds-demo-'));
    // PostgreSQL runs as a user of its own under root, and has to get through.
    await chmod(dataDir, 0o711);
  });
  afterAll(() => rm(dataDir, { recursive: true, force: true }));

  const sandboxEnv = (): NodeJS.ProcessEnv => {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      REFUNDS_DATA_DIR: dataDir,
      // The usual one may be another run's.
      REFUNDS_PORT: String(port),
    };
    for (const name of ['DATABASE_URL', 'TEMPORAL_ADDRESS', 'OPPWA_BASE_URL'])
      Reflect.deleteProperty(env, name);
    return env;
  };

  it(
    'ends every refund as it should, also the second time on the same data',
    { timeout: 6 * MINUTES },
    async () => {
      for (const run of [1, 2]) {
        const { code, output } = await npmStart(['--once'], sandboxEnv());
        expect(output, `run ${run}`).toContain("the gateway's books equal the ledger");
        expect(output).not.toContain('✗');
        expect(code, output).toBe(0);
      }
    },
  );

  it(
    'ends in the same table when the worker is killed again and again',
    { timeout: 6 * MINUTES },
    async () => {
      const sandbox = await startSandbox(sandboxEnv(), () => undefined);
      try {
        const opened = openRefundsClient(readSettings(sandbox.env), sandbox.env);
        try {
          const gateway = controlGateway(sandbox.gateway.url);
          const over = new AbortController();
          const killing = killAgainAndAgain(() => sandbox.worker.pid(), over.signal);
          const rows = await runDemo({
            api: demoApi(sandbox.api.url, sandbox.apiKeys),
            gateway,
            onProgress: () => undefined,
            withinMs: 4 * MINUTES,
          });
          over.abort();
          const kills = await killing;
          expect(rows.filter((row) => !row.asExpected)).toEqual([]);
          expect(kills).toBeGreaterThanOrEqual(3);
          expect(compareBooks(await allRefunds(opened.ledger), await gateway.transactions())).toEqual([]);
        } finally {
          await opened.close();
        }
      } finally {
        await sandbox.stop();
      }
    },
  );
});

const PAUSES = [300, 1_200, 100, 700, 2_000, 50];

/** Each time after another pause, so that the worker dies at other moments of the refunds' lives. Answers how often. */
async function killAgainAndAgain(workerPid: () => number | undefined, over: AbortSignal): Promise<number> {
  let kills = 0;
  let last: number | undefined;
  for (const pause of PAUSES) {
    while (workerPid() === undefined || workerPid() === last) {
      if (over.aborted) return kills;
      await sleep(20);
    }
    await sleep(pause);
    last = workerPid();
    if (over.aborted || last === undefined) return kills;
    process.kill(last, 'SIGKILL');
    kills += 1;
  }
  return kills;
}

function npmStart(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['sandbox/bootstrap.mjs', 'sandbox/main.ts', ...args], { env });
    let output = '';
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, output });
    });
  });
}
