/** Builds the console where its files are not there yet or were made from other sources: for development, tests and the sandbox. */
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
/** What the result depends on: the pages, the tables of texts they take, and the versions of what they are made with. */
const SOURCES = ['server/console', 'domain', 'package-lock.json'];

/** Writes the console's files into `folder`, each that is text also compressed. Whatever was there is gone. */
export async function buildConsole(folder: string): Promise<void> {
  // A process of its own: what surrounds this one (a test run, a service) must not get into the files.
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
 * The folder with the console as its sources are now, built first where it has to be (about two seconds). Each state of the
 * sources has a folder of its own under `parentFolder`: processes that start together cannot spoil each other's.
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
    // Another process may have been faster with the same.
    await rename(scratch, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** Development's alone: production has the files that it made. */
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
