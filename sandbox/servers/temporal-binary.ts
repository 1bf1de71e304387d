/** Finds a Temporal CLI on this machine, or gets one. */
import { execFile } from 'node:child_process';
import { access, constants, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder.js';
import { isAlive } from './process-alive.js';
import { sayOnStderr, showing, type ProgressOptions } from './progress.js';
import { buildTemporal, downloadTemporal, TEMPORAL_CLI_VERSION, type Getter } from './temporal-build.js';

export interface TemporalBinary {
  readonly path: string;
  /** Which of the ways led to it. */
  readonly from: 'TEMPORAL_CLI_PATH' | 'PATH' | 'cache' | 'download' | 'build';
}

export interface FindTemporalOptions extends ProgressOptions {
  /** Default `process.env`. Read: `TEMPORAL_CLI_PATH`, `PATH`, and what names the user's cache folder. */
  readonly env?: NodeJS.ProcessEnv;
  readonly download?: Getter;
  readonly build?: Getter;
}

/** No Temporal CLI, and every way to one failed. The message lists each way with its reason and what to install. */
export class TemporalNotFound extends Error {
  override readonly name = 'TemporalNotFound';
}

const EXE = process.platform === 'win32' ? '.exe' : '';

/**
 * In this order: `TEMPORAL_CLI_PATH`, `temporal` on the PATH, the one built or downloaded before, the SDK's own
 * download, a build of the pinned Go module. The last two end in the user's cache folder. Several processes may ask at
 * once: one works, the others wait for it.
 *
 * @throws {TemporalNotFound} when `TEMPORAL_CLI_PATH` does not name a Temporal CLI, or no way is left.
 */
export async function findTemporal(options: FindTemporalOptions = {}): Promise<TemporalBinary> {
  const env = options.env ?? process.env;
  const say = options.say ?? sayOnStderr;

  const named = env['TEMPORAL_CLI_PATH'];
  if (named !== undefined && named !== '') {
    // Asked for by name: going on silently with another one would be a surprise.
    if (await isTemporal(named)) return { path: named, from: 'TEMPORAL_CLI_PATH' };
    throw new TemporalNotFound(`TEMPORAL_CLI_PATH=${named} is not a Temporal CLI that runs here.`);
  }
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter((part) => part !== '')) {
    const path = join(folder, `temporal${EXE}`);
    if (!(await isExecutable(path))) continue;
    if (await isTemporal(path)) return { path, from: 'PATH' };
    say(`  ${path} does not run as a Temporal CLI; looking further.`);
  }

  const target = join(await cacheFolder(env), `temporal-${TEMPORAL_CLI_VERSION}${EXE}`);
  if (await isTemporal(target)) return { path: target, from: 'cache' };
  return await alone(target, options, async (): Promise<TemporalBinary> => {
    const failures: string[] = [];
    const ways = [
      { from: 'download', label: 'downloading the Temporal CLI', get: options.download ?? downloadTemporal },
      { from: 'build', label: 'building the Temporal CLI with Go', get: options.build ?? buildTemporal },
    ] as const;
    for (const { from, label, get } of ways) {
      say(`  ${label} into ${target}`);
      const started = performance.now();
      try {
        await showing(label, (detail) => get(target, env, detail), options);
        say(`  ${label}: done in ${Math.round((performance.now() - started) / 1_000)} s`);
        return { path: target, from };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        failures.push(`${label}: ${why}`);
        say(`  ${label}: not possible (${why})`);
      }
    }
    throw new TemporalNotFound(
      [
        'There is no Temporal CLI on this machine, and none could be had:',
        ...failures.map((failure) => `  - ${failure}`),
        'Any one of these helps:',
        '  - install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on the PATH,',
        '    or name it: TEMPORAL_CLI_PATH=/path/to/temporal',
        '  - install Go 1.26 or newer (https://go.dev/dl) and run this again',
        '  - name a server that runs already: TEMPORAL_ADDRESS=host:7233',
      ].join('\n'),
    );
  });
}

/**
 * Holds `<target>.lock` while `work` runs. Whoever finds it held waits for the binary; a lock whose process is gone is
 * taken over. The lock only saves work: what is published is published by one rename, with or without it.
 */
async function alone(
  target: string,
  options: FindTemporalOptions,
  work: () => Promise<TemporalBinary>,
): Promise<TemporalBinary> {
  const lock = `${target}.lock`;
  if (!(await tryLock(lock))) {
    await showing(
      'another process is getting the Temporal CLI',
      async () => {
        while (!(await tryLock(lock))) await sleep(200);
      },
      options,
    );
  }
  try {
    // The one waited for may have left it here.
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
    // Not readable as a number: just released, or not yet written; the next look tells.
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

/** Runs it: a file of the right name may be half a download or built for another machine. */
async function isTemporal(path: string): Promise<boolean> {
  if (!(await isExecutable(path))) return false;
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 20_000 });
    return stdout.startsWith('temporal version');
  } catch {
    return false;
  }
}
