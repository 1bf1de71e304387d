/** `npm run test:soak`: runs refunds under load while processes are killed and frozen and the gateway misbehaves; then compares the books. */
import { parseArgs } from 'node:util';
import { compilePrograms } from '../support/programs.js';
import { createDisplay, report } from './display.js';
import { runSoak } from './run.js';

const USAGE = `usage: npm run test:soak -- [--minutes N] [--seed S] [--rate R] [--json]

  --minutes N   of load and faults (default 5); then it waits until everything has settled, four minutes at most
  --seed S      what is asked, and what goes wrong in which order (default: the time); the machine decides the moments
  --rate R      new intents in a second at most (default 2); a slow machine is asked for less
  --json        prints the result as JSON instead of tables

Half of the load asks over HTTP, the other half through the typed client; the gateway's encrypted notifications go to the API.
Everything runs on this machine, on free ports, in a temporary folder. Exit code 0 only if every verdict holds.
`;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '5' },
      rate: { type: 'string', default: '2' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const rate = Number(values.rate);
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  if (values.help || !(minutes > 0) || !(rate > 0 && rate <= 50) || !Number.isSafeInteger(seed)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const display = createDisplay(process.stderr);
  display.print(`seed ${seed}, ${minutes} min`);
  const { onProgress, print } = display;
  const interrupted = new AbortController();
  const interrupt = (): void => {
    interrupted.abort(new Error('interrupted'));
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const { signal } = interrupted;
  print('compiling what its processes run');
  process.env['REFUNDS_PROGRAMS'] = await compilePrograms();
  const result = await runSoak({ minutes, seed, rate, signal, onProgress, print }).finally(display.end);
  process.stdout.write(values.json ? `${JSON.stringify(result, undefined, 2)}\n` : `${report(result)}\n`);
  return result.holds ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`);
    process.exitCode = 2;
  },
);
