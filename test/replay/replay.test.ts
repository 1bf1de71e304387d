/** Recorded histories replay against the code of today: a refund that is under way survives the next release. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Runtime, type WorkflowBundleOption } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { describe, expect, it } from 'vitest';
import { buildWorkflowBundle } from '../../worker/bundle.js';
import { PATHS, MAINTENANCE_PATHS } from './paths.js';
import { readHistory, replay } from './replay.js';

Runtime.install({
  // Replays that have to fail are reported by the SDK as errors too.
  logger: new DefaultLogger('ERROR', () => undefined),
  shutdownSignals: [],
  telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
});

const folder = fileURLToPath(new URL('histories/', import.meta.url));
const example = fileURLToPath(new URL('../../examples/order-cancellation/workflow.ts', import.meta.url));
const [ours, callers] = await Promise.all([
  buildWorkflowBundle(),
  bundleWorkflowCode({ workflowsPath: example, logger: new DefaultLogger('ERROR') }),
]);
const names = (await readdir(folder)).map((file) => file.replace(/\.json$/, '')).sort();
/** Workflows of the merchant in the examples; all others but the upkeep are refunds. */
const OF_CALLERS = ['order-cancellation', 'order-cancellation-cancelled'];
const refunds = names.filter((name) => !OF_CALLERS.includes(name) && !MAINTENANCE_PATHS.includes(name));

const historyOf = (name: string): Promise<unknown> => readHistory(`${folder}${name}.json`);

describe('the recorded histories', () => {
  it('are those of all paths, small, and say nothing about a machine', async () => {
    expect(names).toEqual(Object.keys(PATHS).sort());
    for (const name of names) {
      const text = await readFile(`${folder}${name}.json`, 'utf8');
      expect(text.length, name).toBeLessThan(64_000);
      expect(text, name).not.toMatch(/"\d+@/);
      expect(text, name).not.toContain('stackTrace');
    }
  });

  it.for(refunds)('%s: the refund of today does what was done', async (name) => {
    await replay(ours, await historyOf(name), name);
  });

  it.for(MAINTENANCE_PATHS)('%s: the upkeep of today does what was done', async (name) => {
    await replay(ours, await historyOf(name), name);
  });

  it.for(OF_CALLERS)('%s: a caller of today does what was done', async (name) => {
    await replay(callers, await historyOf(name), name);
  });
});

/** The same code but for one change. */
function changed(bundle: WorkflowBundleOption, from: string, to: string): { code: string } {
  if (!('code' in bundle)) throw new Error('a bundle without code');
  const code = bundle.code.replace(from, to);
  if (code === bundle.code) throw new Error(`not in the bundle: ${from}`);
  return { code };
}

describe('a workflow that was changed under a refund that is under way', () => {
  it.for(refunds)('with an activity more at its beginning, is found out by %s', async (name) => {
    const more = changed(
      ours,
      'await desk.opened();',
      'await desk.opened(); await ledger.position(refundId);',
    );
    await expect(replay(more, await historyOf(name), name)).rejects.toThrow(DeterminismViolationError);
  });

  it('with a look-up less, is found out by the sweep', async () => {
    const blind = changed(ours, 'queries.map(async', 'queries.slice(1).map(async');
    await expect(replay(blind, await historyOf('sweep'), 'sweep')).rejects.toThrow(DeterminismViolationError);
  });

  it('that forgets what it was told while it looked, is found out by the news of a payment', async () => {
    const deaf = changed(ours, 'told += 1;', '');
    const updates = await historyOf('payment-news');
    await expect(replay(deaf, updates, 'payment-news')).rejects.toThrow(DeterminismViolationError);
  });

  it('that tells nobody of a withdrawal, is found out by a caller', async () => {
    const name = 'order-cancellation-cancelled';
    const silent = changed(callers, "if (kind !== 'withdrawn')", 'if (kind !== undefined)');
    await expect(replay(silent, await historyOf(name), name)).rejects.toThrow(DeterminismViolationError);
  });

  it('that waits for no person, is found out where one was waited for', async () => {
    const hasty = changed(
      ours,
      'desk.notificationWithin(plan.timings.caseAfterUnknown, position)',
      'desk.opened()',
    );
    await expect(replay(hasty, await historyOf('ended-unheard'))).rejects.toThrow(DeterminismViolationError);
  });

  it('with other search attributes, is found out where they were set', async () => {
    const silent = changed(ours, 'show(position, pace.isStuck());', '');
    await expect(replay(silent, await historyOf('review'), 'review')).rejects.toThrow(
      DeterminismViolationError,
    );
    await expect(replay(silent, await historyOf('accepted-at-once'))).resolves.toBeUndefined();
  });
});
