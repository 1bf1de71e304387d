/** Finds a Temporal CLI on this machine; downloads or builds one if there is none. */
import { execFile } from 'node:child_process';
import { access, constants, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder.js';
import { isAlive } from './process-alive.js';
import { printOnStderr, withProgress, type ProgressOptions } from './progress.js';
import { buildTemporal, downloadTemporal, TEMPORAL_CLI_VERSION, type Getter } from './temporal-build.js';

export interface TemporalBinary {
  readonly path: string;
  /** The source in which it was found. */
  readonly from: 'TEMPORAL_CLI_PATH' | 'PATH' | 'cache' | 'download' | 'build';
}

export interface FindTemporalOptions extends ProgressOptions {
  /** Default `process.env`. Read are `TEMPORAL_CLI_PATH`, `PATH` and the variables for the user's cache folder. */
  readonly env?: NodeJS.ProcessEnv;
  readonly download?: Getter;
  readonly build?: Getter;
}

/** Thrown when there is no Temporal CLI and none could be downloaded or built. The message lists each attempt with its error, and what to install. */
export class TemporalNotFound extends Error {
  override readonly name = 'TemporalNotFound';
}

const EXE = process.platform === 'win32' ? '.exe' : '';

/**
 * Tries in this order: `TEMPORAL_CLI_PATH`, `temporal` on the PATH, the user's cache folder, the SDK's own download, a
 * build of the pinned Go module. The last two store the binary in the cache folder. When several processes call this at
 * once, one of them downloads or builds and the others wait.
 *
 * @throws {TemporalNotFound} when `TEMPORAL_CLI_PATH` does not name a Temporal CLI, or when all of them fail.
 */
export async function findTemporal(options: FindTemporalOptions = {}): Promise<TemporalBinary> {
  const env = options.env ?? process.env;
  const print = options.print ?? printOnStderr;

  const named = env['TEMPORAL_CLI_PATH'];
  if (named !== undefined && named !== '') {
    // Set on purpose, so a wrong value is an error: silently using another CLI would surprise the user.
    if (await isTemporal(named)) return { path: named, from: 'TEMPORAL_CLI_PATH' };
    throw new TemporalNotFound(`TEMPORAL_CLI_PATH=${named} is not a Temporal CLI that runs here.`);
  }
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter((part) => part !== '')) {
    const path = join(folder, `temporal${EXE}`);
    if (!(await isExecutable(path))) continue;
    if (await isTemporal(path)) return { path, from: 'PATH' };
    print(`  ${path} does not run as a Temporal CLI; trying the next.`);
  }

  const target = join(await cacheFolder(env), `temporal-${TEMPORAL_CLI_VERSION}${EXE}`);
  if (await isTemporal(target)) return { path: target, from: 'cache' };
  return await alone(target, options, async (): Promise<TemporalBinary> => {
    const failures: string[] = [];
    const sources = [
      { from: 'download', label: 'downloading the Temporal CLI', get: options.download ?? downloadTemporal },
      { from: 'build', label: 'building the Temporal CLI with Go', get: options.build ?? buildTemporal },
    ] as const;
    for (const { from, label, get } of sources) {
      print(`  ${label} into ${target}`);
      const started = performance.now();
      try {
        await withProgress(label, (detail) => get(target, env, detail), options);
        print(`  ${label}: done in ${Math.round((performance.now() - started) / 1_000)} s`);
        return { path: target, from };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        failures.push(`${label}: ${why}`);
        print(`  ${label}: failed (${why})`);
      }
    }
    throw new TemporalNotFound(
      [
        'There is no Temporal CLI on this machine, and getting one failed:',
        ...failures.map((failure) => `  - ${failure}`),
        'Do one of these:',
        '  - install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on the PATH,',
        '    or set TEMPORAL_CLI_PATH=/path/to/temporal',
        '  - install Go 1.26 or newer (https://go.dev/dl) and run this again',
        '  - use a server that runs already: TEMPORAL_ADDRESS=host:7233',
      ].join('\n'),
    );
  });
}

/**
 * Holds `<target>.lock` while `work` runs. Another process waits until the lock is released, or takes it over when its
 * holder has died. The lock only avoids double work: a binary appears by one rename, with or without the lock.
 */
async function alone(
  target: string,
  options: FindTemporalOptions,
  work: () => Promise<TemporalBinary>,
): Promise<TemporalBinary> {
  const lock = `${target}.lock`;
  if (!(await tryLock(lock))) {
    await withProgress(
      'another process is getting the Temporal CLI',
      async () => {
        while (!(await tryLock(lock))) await sleep(200);
      },
      options,
    );
  }
  try {
    // The process that held the lock may have put it here.
    if (await isTemporal(target)) return { path: target, from: 'cache' };
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function tryLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const holder = Number.parseInt(await readFile(lock, 'utf8').catch(() => ''), 10);
    // No number in it: the lock was just released or is not written yet. The next try decides.
    if (Number.isNaN(holder) || isAlive(holder)) return false;
    await rm(lock, { force: true });
    return false;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** True if `path --version` works: a file of that name may be an incomplete download or built for another machine. */
async function isTemporal(path: string): Promise<boolean> {
  if (!(await isExecutable(path))) return false;
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 20_000 });
    return stdout.startsWith('temporal version');
  } catch {
    return false;
  }
}
