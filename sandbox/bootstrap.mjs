// Runs first in a fresh clone: checks the Node version, installs the packages of the lock file, then starts a program.
//
// Plain JavaScript without dependencies, because nothing is installed yet.
// Usage: node sandbox/bootstrap.mjs [ENTRY.ts [arguments for ENTRY.ts]]. Without ENTRY.ts it only installs.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [entry, ...entryArguments] = process.argv.slice(2);

checkNode();
if (!installed()) {
  process.stderr.write('Installing the packages of package-lock.json (npm ci) …\n');
  const started = performance.now();
  const ticking = setInterval(() => {
    process.stderr.write(`  npm ci … ${Math.round((performance.now() - started) / 1000)} s\n`);
  }, 10_000);
  const code = await run(...npm('ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'));
  clearInterval(ticking);
  if (code !== 0) fail(code, 'npm ci failed: see its message above. Nothing was started.');
  process.stderr.write(`Installed in ${Math.round((performance.now() - started) / 1000)} s.\n`);
}
if (entry !== undefined) {
  process.exitCode = await run(process.execPath, ['--import', 'tsx', join(root, entry), ...entryArguments]);
}

/** Ends the process when its Node is outside of the range in package.json: a list of `>=a.b.c [<d]`, joined by `||`. */
function checkNode() {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node;
  const compare = (left, right) => {
    const [a, b] = [left, right].map((text) => text.split('.').map(Number));
    for (let i = 0; i < 3; i += 1) if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) - (b[i] ?? 0);
    return 0;
  };
  const holds = (condition) => {
    const [, operator, version] = /^(>=|<)(.+)$/u.exec(condition) ?? [];
    const order = compare(process.versions.node, version);
    return operator === '>=' ? order >= 0 : order < 0;
  };
  const fits = wanted.split('||').some((range) => range.trim().split(/\s+/u).every(holds));
  if (!fits) {
    fail(
      1,
      `This is Node ${process.versions.node}; oppwa-refunds needs ${wanted}. https://nodejs.org/en/download`,
    );
  }
}

/**
 * True if node_modules holds the versions of the lock file.
 * Read from npm's own record of the installed packages; an interrupted install leaves no such record.
 */
function installed() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const present = packagesOf(record);
  return Object.entries(packagesOf(join(root, 'package-lock.json'))).every(([path, wanted]) => {
    const found = present[path];
    // "" is this project. An optional package may be missing: it is for another operating system or processor.
    if (path === '' || (found === undefined && wanted.optional)) return true;
    return found?.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/** Returns the command and arguments for the npm that runs this script, or else for the npm on the PATH. */
function npm(...args) {
  const running = process.env.npm_execpath;
  if (running?.endsWith('.js')) return [process.execPath, [running, ...args]];
  return process.platform === 'win32' ? ['npm.cmd', args, { shell: true }] : ['npm', args];
}

/** Resolves with the exit code in the shell's form (128 + signal number). Signals are passed on to the child. */
function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const passOn = (signal) => {
      // On a terminal, Ctrl-C reaches the child directly. A second SIGINT would make it stop at once.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    };
    for (const signal of signals) process.on(signal, passOn);
    child.once('error', (error) => fail(1, `${command} could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      for (const name of signals) process.off(name, passOn);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

function fail(code, message) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
