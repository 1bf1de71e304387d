/** `npm test`, and `npm run test:all` with `--long`: makes sure of the servers' programs where they can be watched arriving, compiles ours for a whole run, then runs vitest. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTemporal } from '../sandbox/servers/temporal-binary.js';
import { compilePrograms } from './support/programs.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

// Inside vitest its lines would be swallowed or mixed with the report.
const temporal = await findTemporal();
process.stderr.write(`Temporal CLI: ${temporal.path} (${temporal.from})\n`);

const isLong = process.argv.includes('--long');
const args = process.argv.slice(2).filter((arg) => arg !== '--long');
// A few files are there sooner from source.
const isWhole = args.every((arg) => arg.startsWith('-'));
if (isWhole) process.stderr.write('Compiling what the tests’ processes run …\n');
const compiled = isWhole ? { REFUNDS_PROGRAMS: await compilePrograms() } : {};
const tier = isWhole || isLong ? { TEST_TIER: isLong ? 'long' : 'short' } : {};

const child = spawn(process.execPath, [vitest, 'run', ...args], {
  cwd: root,
  stdio: 'inherit',
  // Temporal's Go program looks for work on every core that it may use, a quarter of its time where the tests have all of them busy.
  env: { GOMAXPROCS: '1', ...process.env, TEMPORAL_CLI_PATH: temporal.path, ...compiled, ...tier },
});
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT');
});
child.once('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 128 + constants.signals[signal]);
});
