/** Simulates half of the long tier's runs; `runs-2.long.test.ts` simulates the other half at the same time. */
import { expect, it } from 'vitest';
import { RUNS, runMany } from './runs.js';

it('every refund is paid once, or not at all, or an operator is asked, whatever goes wrong', async () => {
  const many = await runMany(1, Math.ceil(RUNS / 2));
  process.stdout.write(`${many.coverage}\n${many.runs} runs, ${many.perSecond} a second of one core\n`);
  expect(many.failures).toEqual([]);
  expect(many.runs).toBe(Math.ceil(RUNS / 2));
  // Fewer runs reach too little for this check.
  if (many.runs >= 40_000) expect(many.missing).toEqual([]);
});
