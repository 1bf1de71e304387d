/** What the tests ask of the simulation: many lifetimes, or every defect, in a process of its own. */
import { z } from 'zod';
import { simulate } from './bundle.js';

/** Of `npm run test:all` in all. `SIMULATED_LIFETIMES` makes it more or less. */
export const RUNS = Number(process.env['SIMULATED_LIFETIMES'] ?? 100_000);

const many = z.object({
  lived: z.int(),
  perSecond: z.number(),
  failures: z.array(z.string()),
  missing: z.array(z.string()),
  coverage: z.string(),
});
const mutants = z.object({
  caught: z.array(z.object({ name: z.string(), lived: z.int(), how: z.string().nullable() })),
  summary: z.string(),
});

/** Stops at the first that does not hold. */
export async function liveMany(from: number, count: number): Promise<z.infer<typeof many>> {
  const { output } = await simulate(['--json', '--seed-from', String(from), '--count', String(count)], false);
  return many.parse(JSON.parse(output));
}

/** Returns the number of runs that caught each deliberate defect (at most `most`), and one line with the CPU seconds for all. */
export async function catchMutants(most: number): Promise<z.infer<typeof mutants>> {
  const { output } = await simulate(['--json', '--mutants', '--count', String(most)], false);
  return mutants.parse(JSON.parse(output));
}
