/** A PostgreSQL cluster on disk: made whole or not at all, and taken back from a server that was left behind. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isAlive } from './process-alive.js';
import type { ServerUser } from './postgres-files.js';

const run = promisify(execFile);

/** `initdb` beside the final name and one rename: a start that was interrupted leaves no half a cluster. */
export async function createCluster(options: {
  readonly programs: string;
  readonly cluster: string;
  readonly password: string;
  readonly user: ServerUser | undefined;
  readonly sync: boolean;
}): Promise<void> {
  const { programs, cluster, password, user, sync } = options;
  const unfinished = `${cluster}.${randomUUID()}`;
  const passwordFile = `${unfinished}.password`;
  try {
    await mkdir(unfinished, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (user !== undefined) {
      await chown(unfinished, user.uid, user.gid);
      await chown(passwordFile, user.uid, user.gid);
    }
    const args = [
      `--pgdata=${unfinished}`,
      `--pwfile=${passwordFile}`,
      ...['--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--no-instructions'],
      // The same order of text on every machine, whatever its locale.
      ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
      ...(sync ? [] : ['--no-sync']),
    ];
    await run(join(programs, 'bin', 'initdb'), args, {
      cwd: unfinished,
      env: { ...process.env, LC_ALL: 'C' },
      ...user,
    });
    await rename(unfinished, cluster);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
}

const GONE_WITHIN_MS = 15_000;

/**
 * Makes sure that no server runs on the cluster. One whose owner is dead is on its way out or was left behind: it is
 * waited for and then asked to stop. A `postmaster.pid` that names another process is removed: after a
 * restart of the machine or container the number may belong to anything.
 *
 * @throws an `Error` when a process that is alive uses the cluster.
 */
export async function releaseCluster(cluster: string, ownerFile: string): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  const postmaster = await numberIn(pidFile);
  if (postmaster === undefined) return;
  if (!(await servesCluster(postmaster, cluster))) {
    await rm(pidFile, { force: true });
    return;
  }
  const owner = await numberIn(ownerFile);
  if (owner !== undefined && isAlive(owner)) {
    throw new Error(
      `The database in ${cluster} is in use by process ${owner}. Stop it, or set REFUNDS_DATA_DIR to another folder.`,
    );
  }
  process.kill(postmaster, 'SIGINT');
  const deadline = performance.now() + GONE_WITHIN_MS;
  while (await servesCluster(postmaster, cluster)) {
    if (performance.now() > deadline) process.kill(postmaster, 'SIGKILL');
    await sleep(50);
  }
}

async function numberIn(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const number = Number.parseInt(text, 10);
  return Number.isNaN(number) ? undefined : number;
}

/** By its command line and not by its number alone, which may belong to another cluster's server by now. */
async function servesCluster(pid: number, cluster: string): Promise<boolean> {
  // Windows does not tell; there the server itself refuses a cluster that is in use.
  if (process.platform === 'win32' || !isAlive(pid)) return false;
  if (process.platform === 'linux') {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(cluster);
  }
  const listed = await run('ps', ['-p', String(pid), '-o', 'command=']).catch(() => ({ stdout: '' }));
  return listed.stdout.includes(cluster);
}
