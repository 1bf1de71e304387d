/** `npm run simulate -- --seed N`: one lifetime with its trace. `--count N --seed-from M`: many, and whether all held. */
import { parseArgs } from 'node:util';
import { live } from './lifetime.js';
import { MUTANTS } from './mutants/index.js';
import { Coverage } from './world/coverage.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    count: { type: 'string', default: '10000' },
    'seed-from': { type: 'string', default: '1' },
    mutant: { type: 'string' },
    coverage: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
  },
});

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const mutant = MUTANTS.find(({ name }) => name === values.mutant);
if (values.mutant !== undefined && mutant === undefined)
  throw new Error(`there is no mutant ${values.mutant}`);
const coverage = new Coverage();

async function showOne(seed: number): Promise<void> {
  const { trace, violations } = await live(seed, { coverage, isTraced: true, mutant });
  for (const line of trace) print(line);
  for (const violation of violations) print(`WRONG: ${violation}`);
  print(violations.length === 0 ? `seed ${seed}: all held` : `seed ${seed}: run again with --seed ${seed}`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}

async function showMany(from: number, count: number): Promise<void> {
  const cpu = process.cpuUsage();
  let steps = 0;
  let failed = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const lifetime = await live(seed, { coverage, mutant });
    steps += lifetime.steps;
    if (lifetime.violations.length > 0) {
      failed += 1;
      print(`seed ${seed}: ${lifetime.violations.join(' | ')}`);
      if (!values['keep-going']) break;
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (user + system) / 1e6;
  if (values.coverage) print(coverage.toString());
  print(
    `${count} lifetimes, ${steps} steps, ${seconds.toFixed(1)} s of one core: ${Math.round(count / seconds)} a second; ${failed} wrong`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

if (values.seed !== undefined) await showOne(Number(values.seed));
else await showMany(Number(values['seed-from']), Number(values.count));
