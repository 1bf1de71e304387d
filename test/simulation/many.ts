/** Simulates many runs one after the other, collects the runs that fail, and counts what they reached. */
import { runSeed } from './simulation-run.js';
import { Beginnings } from './harness/beginning.js';
import { Coverage } from './harness/coverage.js';
import type { Mutant } from './harness/harness.js';

export interface Many {
  readonly coverage: Coverage;
  readonly runs: number;
  readonly steps: number;
  /** CPU seconds of one core. `perSecond`: runs for each of them. */
  readonly seconds: number;
  readonly perSecond: number;
  /** Violations of each failed run, with the command that repeats it. */
  readonly failures: readonly string[];
}

const beginnings = new Beginnings();
const MILESTONE = 100_000;

export async function runMany({
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
  readonly onProgress?: (runs: number) => void;
}): Promise<Many> {
  const coverage = new Coverage();
  const failures: string[] = [];
  const cpu = process.cpuUsage();
  let runs = 0;
  let steps = 0;
  for (let seed = from; seed < from + count && (continues || failures.length === 0); seed += 1) {
    const run = await runSeed(seed, { coverage, mutant, beginnings });
    runs += 1;
    steps += run.steps;
    if (run.violations.length > 0) {
      const with_ = mutant === undefined ? '' : ` --mutant ${mutant.name}`;
      const failure = `npm run test:simulation -- --seed ${seed}${with_}: ${run.violations.join('; ')}`;
      failures.push(failure);
      onFailure(failure);
    }
    if (runs % MILESTONE === 0) onProgress(runs);
  }
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (user + system) / 1e6;
  return { coverage, runs, steps, seconds, perSecond: Math.round(runs / seconds), failures };
}
