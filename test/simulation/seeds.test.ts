/** A seed is a world: run again, it is the same one, step by step. */
import { expect, it } from 'vitest';
import { live } from './simulation-run.js';
import { Coverage } from './harness/coverage.js';

it.each([2, 41, 485, 910, 1128, 70_332])('seed %s tells the same story twice', async (seed) => {
  const reported = async () => live(seed, { coverage: new Coverage(), isTraced: true });
  const first = await reported();
  expect(first.trace.length).toBeGreaterThan(3);
  expect(await reported()).toEqual(first);
});

it('a trace is kept only where it is asked for, and changes nothing', async () => {
  const traced = await live(41, { coverage: new Coverage(), isTraced: true });
  const untraced = await live(41, { coverage: new Coverage() });
  expect(untraced).toEqual({ ...traced, trace: [] });
});
