/** The simulation finds what it is there to find: every deliberate defect is caught by some lifetime. */
import { beforeAll, describe, expect, it } from 'vitest';
import { catchMutants } from './lifetimes.js';
import { MUTANTS } from './mutants/index.js';

/** No defect needs nearly as many. */
const MOST = 30_000;

describe('a simulation catches', () => {
  let caught: Awaited<ReturnType<typeof catchMutants>> = [];
  beforeAll(async () => {
    caught = await catchMutants(MOST);
    for (const { name, lived, how } of caught)
      process.stdout.write(`${name}: ${lived} lifetimes: ${how?.slice(0, 160) ?? 'not caught'}\n`);
  }, 3_600_000);

  it.each(MUTANTS.map((mutant) => [mutant.defect, mutant] as const))('%s', (_, mutant) => {
    expect(caught.find(({ name }) => name === mutant.name)?.how).toContain('npm run test:simulation');
  });
});
