/** The demonstration, as a newcomer runs it and while its worker is being killed. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRefundsClient } from '../../client/index.js';
import { controlGateway } from '../../sandbox/control-client.js';
import { allRefunds, compareBooks } from '../../sandbox/demo/books.js';
import { runDemo } from '../../sandbox/demo/run.js';
import { startSandbox } from '../../sandbox/stack.js';
import { readSettings } from '../../settings/read.js';

const MINUTES = 60_000;

describe('the demonstration', () => {
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'refunds-demo-'));
  });
  afterAll(() => rm(dataDir, { recursive: true, force: true }));

  const sandboxEnv = (): NodeJS.ProcessEnv => {
    const env: NodeJS.ProcessEnv = { ...process.env, REFUNDS_DATA_DIR: dataDir };
    for (const name of ['DATABASE_URL', 'TEMPORAL_ADDRESS', 'OPPWA_BASE_URL'])
      Reflect.deleteProperty(env, name);
    return env;
  };

  it(
    'ends every refund as it should, also the second time on the same data',
    { timeout: 5 * MINUTES },
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
    { timeout: 5 * MINUTES },
    async () => {
      const sandbox = await startSandbox(sandboxEnv(), () => undefined);
      try {
        const opened = openRefundsClient(readSettings(sandbox.env), sandbox.env);
        try {
          const gateway = controlGateway(sandbox.gateway.url);
          const over = new AbortController();
          const killing = (async () => {
            for (const pause of [700, 1_500, 2_500, 4_000, 6_000]) {
              await sleep(pause);
              const pid = sandbox.worker.pid();
              if (over.signal.aborted || pid === undefined) return;
              process.kill(pid, 'SIGKILL');
            }
          })();
          const rows = await runDemo({ client: opened.client, gateway, onProgress: () => undefined });
          over.abort();
          await killing;
          expect(rows.filter((row) => !row.asExpected)).toEqual([]);
          expect(sandbox.worker.restarts()).toBeGreaterThanOrEqual(3);
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
