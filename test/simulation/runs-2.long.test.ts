/** Half of the simulated lifetimes; the other half runs beside it. */
import { expect, it } from 'vitest';
import { RUNS, liveMany } from './runs.js';

it('every refund is paid once, or not at all, or somebody looks after it, whatever goes wrong', async () => {
  const many = await liveMany(1_000_001, Math.ceil(RUNS / 2));
  process.stdout.write(`${many.coverage}\n${many.lived} lifetimes, ${many.perSecond} a second of one core\n`);
  expect(many.failures).toEqual([]);
  expect(many.lived).toBe(Math.ceil(RUNS / 2));
  // Too few lifetimes reach too little to say anything.
  if (many.lived >= 40_000) expect(many.missing).toEqual([]);
});
