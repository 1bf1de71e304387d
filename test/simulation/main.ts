/** The simulation as a program: simulates one run with its trace, many runs, or every mutant. `bundle.ts` builds and starts it. */
import { parseArgs } from 'node:util';
import { missing } from './expected.js';
import { runSeed } from './simulation-run.js';
import { runMany, type Many } from './many.js';
import { MUTANTS } from './mutants/index.js';
import { Coverage } from './harness/coverage.js';

const HELP = `npm run test:simulation -- [options]

Simulates whole runs of refunds on virtual time, each made by its seed, and checks them.
The exit code is 0 if all checks passed, else 1.

  --seed N        one run, with its trace
  --count N       number of runs, one after the other on one core (default 10000; 5000000 takes a night)
  --seed-from N   the first seed (default 1)
  --keep-going    does not stop at the first run that fails
  --coverage      prints what the runs reached (transitions, guards, faults) and what they should have reached and did not
  --mutant NAME   with a deliberate defect: ${MUTANTS.map(({ name }) => name).join(', ')}
  --mutants       every deliberate defect: the runs that catch each (at most --count), and the CPU seconds for all
  --json          one line of JSON at the end, for programs
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    count: { type: 'string', default: '10000' },
    'seed-from': { type: 'string', default: '1' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    coverage: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const mutant = MUTANTS.find(({ name }) => name === values.mutant);
if (values.mutant !== undefined && mutant === undefined)
  throw new Error(`there is no mutant ${values.mutant}`);

const from = whole('seed-from', values['seed-from']);
const count = whole('count', values.count);

// A run throws often and on purpose, and stack traces are slow. Run one seed to see them.
if (values.seed === undefined) Error.stackTraceLimit = 0;

if (values.help) print(HELP);
else if (values.seed !== undefined) await showOne(whole('seed', values.seed));
else if (values.mutants) await showMutants();
else await showMany();

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new Error(`--${name} takes a whole number, not ${text}`);
  return value;
}

async function showOne(seed: number): Promise<void> {
  const { trace, violations } = await runSeed(seed, { coverage: new Coverage(), isTraced: true, mutant });
  for (const line of trace) print(line);
  for (const violation of violations) print(`WRONG: ${violation}`);
  print(
    violations.length === 0
      ? `seed ${seed}: all checks passed`
      : `seed ${seed}: run again with --seed ${seed}`,
  );
  process.exitCode = violations.length === 0 ? 0 : 1;
}

async function showMany(): Promise<void> {
  const many = await runMany({
    from,
    count,
    mutant,
    continues: values['keep-going'],
    onFailure: values.json ? () => undefined : print,
    onProgress: values.json ? () => undefined : (runs) => void process.stderr.write(`${runs} runs\n`),
  });
  process.exitCode = many.failures.length === 0 ? 0 : 1;
  if (values.json) {
    print(JSON.stringify(report(many)));
    return;
  }
  if (values.coverage) {
    print(many.coverage.toString());
    print(`expected and not reached: ${missing(many.coverage).join(', ') || 'nothing'}`);
  }
  print(
    `${many.runs} runs, ${many.steps} steps, ${many.seconds.toFixed(1)} s of one core: ${many.perSecond} a second; ${many.failures.length} failed`,
  );
}

/** Returns the JSON that `runs.ts` reads. */
function report(many: Many): unknown {
  const { runs, perSecond, failures, coverage } = many;
  return {
    runs,
    perSecond,
    failures,
    missing: missing(coverage),
    coverage: coverage.toString(),
  };
}

async function showMutants(): Promise<void> {
  const caught: { readonly name: string; readonly runs: number; readonly how: string | null }[] = [];
  let cpuSeconds = 0;
  for (const each of MUTANTS) {
    const { runs, seconds, failures } = await runMany({ from, count, mutant: each, continues: false });
    cpuSeconds += seconds;
    caught.push({ name: each.name, runs, how: failures[0] ?? null });
    if (!values.json) print(`${each.name}: ${runs} runs: ${failures[0]?.slice(0, 160) ?? 'NOT CAUGHT'}`);
  }
  const isAll = caught.every(({ how }) => how !== null);
  const total = caught.reduce((sum, { runs }) => sum + runs, 0);
  const number = caught.filter(({ how }) => how !== null).length;
  const summary = `${number} of ${MUTANTS.length} defects caught in ${total} runs and ${cpuSeconds.toFixed(1)} CPU seconds`;
  print(values.json ? JSON.stringify({ caught, summary }) : summary);
  process.exitCode = isAll ? 0 : 1;
}
