/** Runs `npm test`, and `npm run test:all` with `--long`: finds or downloads Temporal, compiles our programs for a whole run, then starts vitest. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTemporal } from '../sandbox/servers/temporal-binary.js';
import { compilePrograms } from './support/programs.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

// Runs before vitest starts, whose report would hide the progress of a download.
const temporal = await findTemporal();
process.stderr.write(`Temporal CLI: ${temporal.path} (${temporal.from})\n`);

const isLong = process.argv.includes('--long');
const args = process.argv.slice(2).filter((arg) => arg !== '--long');
// A run of a few files starts sooner from source.
const isWhole = args.every((arg) => arg.startsWith('-'));
if (isWhole) process.stderr.write('Compiling what the tests’ processes run …\n');
const compiled = isWhole ? { REFUNDS_PROGRAMS: await compilePrograms() } : {};
const tier = isWhole || isLong ? { TEST_TIER: isLong ? 'long' : 'short' } : {};

const child = spawn(process.execPath, [vitest, 'run', ...args], {
  cwd: root,
  stdio: 'inherit',
  // With more threads, the Temporal server's scheduler wastes a quarter of its CPU time, because the tests use all cores.
  env: { GOMAXPROCS: '1', ...process.env, TEMPORAL_CLI_PATH: temporal.path, ...compiled, ...tier },
});
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT');
});
child.once('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 128 + constants.signals[signal]);
});
