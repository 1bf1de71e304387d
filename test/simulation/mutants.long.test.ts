/** Checks that the simulation catches every deliberate defect. */
import { beforeAll, describe, expect, it } from 'vitest';
import { catchMutants } from './runs.js';
import { MUTANTS } from './mutants/index.js';

/** Runs for each defect. The rarest needs a tenth of them. */
const MOST = 30_000;

describe('the simulation catches', () => {
  let caught: Awaited<ReturnType<typeof catchMutants>>['caught'] = [];
  beforeAll(async () => {
    const result = await catchMutants(MOST);
    caught = result.caught;
    for (const { name, runs, how } of caught)
      process.stdout.write(`${name}: ${runs} runs: ${how?.slice(0, 160) ?? 'not caught'}\n`);
    process.stdout.write(`${result.summary}\n`);
  }, 3_600_000);

  it.each(MUTANTS.map((mutant) => [mutant.defect, mutant] as const))('%s', (_, mutant) => {
    expect(caught.find(({ name }) => name === mutant.name)?.how).toContain('npm run test:simulation');
  });
});
