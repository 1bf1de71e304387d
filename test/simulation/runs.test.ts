/** Simulates a few thousand runs; the long tier simulates 100,000 others. */
import { expect, it } from 'vitest';
import { runMany } from './runs.js';

const FEW = 2_000;

it('every refund is paid once, or not at all, or an operator is asked, whatever goes wrong', async () => {
  const { runs, failures } = await runMany(2_000_001, FEW);
  expect(failures).toEqual([]);
  expect(runs).toBe(FEW);
});
