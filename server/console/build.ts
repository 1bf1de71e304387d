/** Builds the console if its files are missing or out of date. Used in development, tests and the sandbox. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';

const CONFIG = fileURLToPath(new URL('vite.config.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Inputs of the build: the console, the texts that it imports from `domain/`, and the versions of its dependencies. */
const SOURCES = ['server/console', 'domain', 'package-lock.json'];

/** Builds the console into `folder`, with compressed copies of text files. Deletes what was in the folder. */
export async function buildConsole(folder: string): Promise<void> {
  // A separate process, so that the environment of this one (a test run, a service) cannot affect the files.
  await promisify(execFile)(
    process.execPath,
    [viteProgram(), 'build', '--config', CONFIG, '--outDir', resolve(folder), '--emptyOutDir'],
    { env: { PATH: process.env['PATH'], NODE_ENV: 'production' } },
  );
  for (const file of await filesOf(folder)) {
    if (!/\.(js|css|svg|html)$/u.test(file)) continue;
    const content = await readFile(file);
    await writeFile(`${file}.br`, await promisify(brotliCompress)(content));
    await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
  }
}

/**
 * Returns the folder with the console for the current sources, and builds it first if needed (about two seconds). Each state of the
 * sources has its own folder under `parentFolder`, so that processes that start together do not overwrite each other's files.
 */
export async function builtConsole(parentFolder: string): Promise<string> {
  const parent = resolve(parentFolder);
  const hash = createHash('sha256');
  for (const source of SOURCES)
    for (const file of await filesOf(join(ROOT, source))) hash.update(file).update(await readFile(file));
  const folder = join(parent, hash.digest('hex').slice(0, 16));
  if (existsSync(folder)) return folder;
  await mkdir(parent, { recursive: true });
  const scratch = await mkdtemp(join(parent, 'building-'));
  try {
    await buildConsole(scratch);
    // Another process may have built the same folder in the meantime.
    await rename(scratch, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** Returns the path of Vite. It is a development dependency: production ships the built files. */
function viteProgram(): string {
  return join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
}

async function filesOf(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => null);
  if (entries === null) return [path];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
