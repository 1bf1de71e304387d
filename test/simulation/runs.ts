/** Runs the simulation for tests, in a process of its own: many runs, or every mutant. */
import { z } from 'zod';
import { simulate } from './bundle.js';

/** Number of runs in `npm run test:all`. The environment variable `SIMULATED_LIFETIMES` changes it. */
export const RUNS = Number(process.env['SIMULATED_LIFETIMES'] ?? 100_000);

const many = z.object({
  runs: z.int(),
  perSecond: z.number(),
  failures: z.array(z.string()),
  missing: z.array(z.string()),
  coverage: z.string(),
});
const mutants = z.object({
  caught: z.array(z.object({ name: z.string(), runs: z.int(), how: z.string().nullable() })),
  summary: z.string(),
});

/** Simulates `count` runs, beginning with seed `from`. Stops at the first run that fails. */
export async function runMany(from: number, count: number): Promise<z.infer<typeof many>> {
  const { output } = await simulate(['--json', '--seed-from', String(from), '--count', String(count)], false);
  return many.parse(JSON.parse(output));
}

/** Returns the number of runs that caught each deliberate defect (at most `most`), and one line with the CPU seconds for all. */
export async function catchMutants(most: number): Promise<z.infer<typeof mutants>> {
  const { output } = await simulate(['--json', '--mutants', '--count', String(most)], false);
  return mutants.parse(JSON.parse(output));
}
