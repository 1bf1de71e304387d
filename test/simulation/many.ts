/** Many lifetimes one after the other: all have to hold, and what they reached is counted. */
import { live } from './simulation-run.js';
import { Beginnings } from './harness/beginning.js';
import { Coverage } from './harness/coverage.js';
import type { Mutant } from './harness/harness.js';

export interface Many {
  readonly coverage: Coverage;
  readonly lived: number;
  readonly steps: number;
  /** Of one core, and lifetimes in one of them. */
  readonly seconds: number;
  readonly perSecond: number;
  /** What did not hold, with how to look at it. */
  readonly failures: readonly string[];
}

const beginnings = new Beginnings();
const MILESTONE = 100_000;

export async function liveMany({
  from,
  count,
  mutant,
  continues,
  onFailure = () => undefined,
  onProgress = () => undefined,
}: {
  readonly from: number;
  readonly count: number;
  readonly mutant: Mutant | undefined;
  readonly continues: boolean;
  readonly onFailure?: (failure: string) => void;
  readonly onProgress?: (lived: number) => void;
}): Promise<Many> {
  const coverage = new Coverage();
  const failures: string[] = [];
  const cpu = process.cpuUsage();
  let lived = 0;
  let steps = 0;
  for (let seed = from; seed < from + count && (continues || failures.length === 0); seed += 1) {
    const run = await live(seed, { coverage, mutant, beginnings });
    lived += 1;
    steps += run.steps;
    if (run.violations.length > 0) {
      const with_ = mutant === undefined ? '' : ` --mutant ${mutant.name}`;
      const failure = `npm run test:simulation -- --seed ${seed}${with_}: ${run.violations.join('; ')}`;
      failures.push(failure);
      onFailure(failure);
    }
    if (lived % MILESTONE === 0) onProgress(lived);
  }
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (user + system) / 1e6;
  return { coverage, lived, steps, seconds, perSecond: Math.round(lived / seconds), failures };
}
