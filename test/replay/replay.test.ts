/** Recorded histories replay with the current code, so a refund that is running survives the next release. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Runtime, type WorkflowBundleOption } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { compiledFile } from '../../sandbox/program.js';
import { buildWorkflowBundle } from '../../worker/bundle.js';
import { PATHS, MAINTENANCE_PATHS } from './paths.js';
import { readHistory, replay, replayAll } from './replay.js';

Runtime.install({
  // The SDK logs the failures that these tests expect as errors too.
  logger: new DefaultLogger('ERROR', () => undefined),
  shutdownSignals: [],
  telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
});

const folder = fileURLToPath(new URL('histories/', import.meta.url));
const example = fileURLToPath(new URL('../../examples/order-cancellation/workflow.ts', import.meta.url));
/** Set by `npm test` and `npm run test:all`: the bundle that production runs. */
const compiled = compiledFile('workflow-bundle.js');
const [ours, clients] = await Promise.all([
  compiled === undefined ? buildWorkflowBundle() : { code: await readFile(compiled, 'utf8') },
  bundleWorkflowCode({ workflowsPath: example, logger: new DefaultLogger('ERROR') }),
]);
const names = (await readdir(folder)).map((file) => file.replace(/\.json$/, '')).sort();
/** For all histories of refunds together. */
const WITHIN_MS = 240_000;
/** Workflows of the example's merchant; all others but maintenance are refunds. */
const OF_CLIENTS = ['order-cancellation', 'order-cancellation-canceled'];
const refunds = names.filter((name) => !OF_CLIENTS.includes(name) && !MAINTENANCE_PATHS.includes(name));

const historiesOf = async (all: readonly string[]): Promise<Readonly<Record<string, unknown>>> =>
  Object.fromEntries(await Promise.all(all.map(async (name) => [name, await historyOf(name)] as const)));
const historyOf = (name: string): Promise<unknown> => readHistory(`${folder}${name}.json`);

describe('the recorded histories', () => {
  it('cover all paths, are small, and name no machine', async () => {
    expect(names).toEqual(Object.keys(PATHS).sort());
    for (const name of names) {
      const text = await readFile(`${folder}${name}.json`, 'utf8');
      expect(text.length, name).toBeLessThan(64_000);
      expect(text, name).not.toMatch(/"\d+@/);
      expect(text, name).not.toContain('stackTrace');
    }
  });

  let results: Awaited<ReturnType<typeof replayAll>>;
  beforeAll(async () => {
    results = await replayAll(ours, await historiesOf(refunds));
  }, WITHIN_MS);

  it.for(refunds)('%s: the refund workflow replays', (name) => {
    expect(results.has(name)).toBe(true);
    expect(results.get(name)).toBeUndefined();
  });

  it.for(MAINTENANCE_PATHS)('%s: the maintenance workflow replays', async (name) => {
    await replay(ours, await historyOf(name), name);
  });

  it.for(OF_CLIENTS)('%s: the client workflow replays', async (name) => {
    await replay(clients, await historyOf(name), name);
  });
});

/** Returns the bundle with one change. */
function changed(bundle: WorkflowBundleOption, from: string | RegExp, to: string): { code: string } {
  if (!('code' in bundle)) throw new Error('a bundle without code');
  const code = bundle.code.replace(from, to);
  if (code === bundle.code) throw new Error(`not in the bundle: ${String(from)}`);
  return { code };
}

describe('a changed workflow fails to replay', () => {
  let withOneMore: Awaited<ReturnType<typeof replayAll>>;
  beforeAll(async () => {
    const longer = changed(
      ours,
      'await messages.handleEarly();',
      'await messages.handleEarly(); await ledger.readSnapshot(refundId);',
    );
    withOneMore = await replayAll(longer, await historiesOf(refunds));
  }, WITHIN_MS);

  it.for(refunds)('with one more activity at its beginning: %s', (name) => {
    expect(withOneMore.get(name)).toBeInstanceOf(DeterminismViolationError);
  });

  it('with one query less in the sweep', async () => {
    const shorter = changed(ours, 'openAttempts.map(async', 'openAttempts.slice(1).map(async');
    await expect(replay(shorter, await historyOf('sweep'), 'sweep')).rejects.toThrow(
      DeterminismViolationError,
    );
  });

  it('without notifications that arrive during a query, in payment updates', async () => {
    const deaf = changed(ours, 'received += 1;', '');
    const history = await historyOf('payment-updates');
    await expect(replay(deaf, history, 'payment-updates')).rejects.toThrow(DeterminismViolationError);
  });

  it('without a signal after a withdrawal, in a client workflow', async () => {
    const name = 'order-cancellation-canceled';
    const silent = changed(clients, "if (result.kind !== 'withdrawn')", 'if (result.kind !== undefined)');
    await expect(replay(silent, await historyOf(name), name)).rejects.toThrow(DeterminismViolationError);
  });

  it('without the wait for an operator', async () => {
    const hasty = changed(
      ours,
      /messages\.notificationWithin\(\w+\.timings\.\w+, snapshot\)/,
      'messages.handleEarly()',
    );
    await expect(replay(hasty, await historyOf('ended-without-message'))).rejects.toThrow(
      DeterminismViolationError,
    );
  });

  it('without search attributes, only if they were set', async () => {
    const silent = changed(ours, 'searchAttributes.show(snapshot, loopGuard.isStuck());', '');
    await expect(replay(silent, await historyOf('review'), 'review')).rejects.toThrow(
      DeterminismViolationError,
    );
    await expect(replay(silent, await historyOf('accepted-at-once'))).resolves.toBeUndefined();
  });
});
