/** Runs the demonstration while its worker is killed repeatedly, and then a second time on the same data. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openRefundsClient } from '../../client/index.js';
import { gatewayControl } from '../../sandbox/control-client.js';
import { allRefunds, compareBooks } from '../../sandbox/demo/books.js';
import { demoApi } from '../../sandbox/demo/api-client.js';
import { runDemo } from '../../sandbox/demo/run.js';
import { startSandbox } from '../../sandbox/stack.js';
import { readSettings } from '../../settings/read.js';
import { npmStart, ownSandbox } from './npm-start.js';

const MINUTES = 60_000;

describe('the demonstration', () => {
  const sandboxEnv = ownSandbox();

  it('prints the same table when the worker is killed repeatedly', { timeout: 20 * MINUTES }, async () => {
    const sandbox = await startSandbox(sandboxEnv(), () => undefined);
    try {
      const opened = openRefundsClient(readSettings(sandbox.env), sandbox.env);
      try {
        const gateway = gatewayControl(sandbox.gateway.url);
        const over = new AbortController();
        const killing = killAgainAndAgain(() => sandbox.worker.pid(), over.signal);
        const rows = await runDemo({
          api: demoApi(sandbox.api.url, sandbox.apiKeys),
          gateway,
          onProgress: () => undefined,
          withinMs: 15 * MINUTES,
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
  });

  it(
    'brings every refund to its expected end a second time on the same data',
    { timeout: 20 * MINUTES },
    async () => {
      const { code, output } = await npmStart(['--once'], sandboxEnv());
      expect(output).toContain("the gateway's books equal the ledger");
      expect(output).not.toContain('✗');
      expect(code, output).toBe(0);
    },
  );
});

const PAUSES = [300, 1_200, 100, 700, 2_000, 50];

/** Kills the worker repeatedly after different pauses, so that it dies at different steps of the refunds. Returns the number of kills. */
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
