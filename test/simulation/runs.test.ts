/** A few thousand simulated lifetimes; the long tier lives 100,000 others. */
import { expect, it } from 'vitest';
import { liveMany } from './runs.js';

const FEW = 3_000;

it('every refund is paid once, or not at all, or an operator is asked, whatever goes wrong', async () => {
  const { lived, failures } = await liveMany(2_000_001, FEW);
  expect(failures).toEqual([]);
  expect(lived).toBe(FEW);
});
