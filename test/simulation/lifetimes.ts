/** Many lifetimes one after the other, for the tests: all have to hold, and what they reached is counted. */
import { setImmediate } from 'node:timers';
import { live } from './lifetime.js';
import { Coverage } from './world/coverage.js';
import type { Mutant } from './world/world.js';

/** Of `npm test` in all: what two cores live through in half a minute. `SIMULATED_LIFETIMES` makes it more or less. */
export const LIFETIMES = Number(process.env['SIMULATED_LIFETIMES'] ?? 4_000);

export interface Many {
  readonly coverage: Coverage;
  readonly perSecond: number;
  /** The first that did not hold, with how to look at it. */
  readonly failure: string | undefined;
  readonly lived: number;
}

export async function liveMany(from: number, count: number, mutant?: Mutant): Promise<Many> {
  const coverage = new Coverage();
  const cpu = process.cpuUsage();
  let failure: string | undefined;
  let lived = 0;
  for (let seed = from; seed < from + count && failure === undefined; seed += 1) {
    const { violations } = await live(seed, { coverage, mutant });
    lived += 1;
    if (violations.length > 0)
      failure = `npm run simulate -- --seed ${seed}${mutant === undefined ? '' : ` --mutant ${mutant.name}`}: ${violations.join('; ')}`;
    // The test runner wants to be heard now and then.
    if (lived % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(cpu);
  return { coverage, perSecond: Math.round((lived * 1e6) / (user + system)), failure, lived };
}
