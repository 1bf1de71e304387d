/** Checks that a seed always makes the same run, step by step. */
import { expect, it } from 'vitest';
import { runSeed } from './simulation-run.js';
import { Coverage } from './harness/coverage.js';

it.each([2, 41, 485, 910, 1128, 70_332])('seed %s makes the same run twice', async (seed) => {
  const run = async () => runSeed(seed, { coverage: new Coverage(), isTraced: true });
  const first = await run();
  expect(first.trace.length).toBeGreaterThan(3);
  expect(await run()).toEqual(first);
});

it('a trace is kept only on request and does not change the run', async () => {
  const traced = await runSeed(41, { coverage: new Coverage(), isTraced: true });
  const untraced = await runSeed(41, { coverage: new Coverage() });
  expect(untraced).toEqual({ ...traced, trace: [] });
});
