/** Creates a PostgreSQL cluster on disk, and stops a server that an earlier process left running on it. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isAlive } from './process-alive.js';
import type { ServerUser } from './postgres-files.js';

const run = promisify(execFile);

/** Runs `initdb` in a folder beside the final one, then renames it: an interrupted start leaves no incomplete cluster. */
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
      // Text sorts the same on every machine, independent of its locale.
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

const STOP_WITHIN_MS = 15_000;

/**
 * Makes sure that no server runs on the cluster. A server whose owner has died is told to stop, and killed when it does
 * not stop in time. A `postmaster.pid` that names another program is removed: after a restart of the machine or
 * container, that process id may belong to any program.
 *
 * @throws an `Error` when the process that owns the server is alive.
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
  const deadline = performance.now() + STOP_WITHIN_MS;
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

/** True if the process is a server of this cluster, judged by its command line: the process id may be reused by another cluster's server. */
async function servesCluster(pid: number, cluster: string): Promise<boolean> {
  // Windows shows no command line here; the server itself refuses to start on a cluster in use.
  if (process.platform === 'win32' || !isAlive(pid)) return false;
  if (process.platform === 'linux') {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(cluster);
  }
  const listed = await run('ps', ['-p', String(pid), '-o', 'command=']).catch(() => ({ stdout: '' }));
  return listed.stdout.includes(cluster);
}
