/** The simulation finds what it is there to find: every deliberate defect is caught by some lifetime. */
import { describe, expect, it } from 'vitest';
import { liveMany } from './lifetimes.js';
import { MUTANTS } from './mutants/index.js';

/** No defect needs nearly as many. */
const MOST = 30_000;

describe('a simulation catches', () => {
  it.each(MUTANTS.map((mutant) => [mutant.defect, mutant] as const))('%s', async (_, mutant) => {
    const { lived, failure } = await liveMany(1, MOST, mutant);
    process.stdout.write(`${mutant.name}: ${lived} lifetimes: ${failure?.slice(0, 160) ?? 'not caught'}\n`);
    expect(failure).toBeDefined();
  });
});
