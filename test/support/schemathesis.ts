/** Schemathesis: a property-based tool that checks an API against its OpenAPI document. Pinned, in a Python environment of its own. */
import { execFile } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../sandbox/servers/cache-folder.js';

const run = promisify(execFile);
const VERSION = '4.32.5';

/** The program, or undefined where it was not got yet. */
export async function findSchemathesis(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const folder = await folderOf(env);
  return access(join(folder, WHOLE)).then(
    () => programIn(folder),
    () => undefined,
  );
}

/** Gets it once for this user: needs `python3` with `venv`, and the package index of pip. */
export async function getSchemathesis(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const known = await findSchemathesis(env);
  if (known !== undefined) return known;
  // An environment knows its own path, so it is made where it stays; what was cut short is made again.
  const folder = await folderOf(env);
  await run('python3', ['-m', 'venv', '--clear', folder]);
  await run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', `schemathesis==${VERSION}`], {
    timeout: 300_000,
  });
  await writeFile(join(folder, WHOLE), '');
  return programIn(folder);
}

/** Written last. */
const WHOLE = 'whole';
const folderOf = async (env: NodeJS.ProcessEnv): Promise<string> =>
  join(await cacheFolder(env), `schemathesis-${VERSION}`);
const programIn = (folder: string): string => join(folder, 'bin', 'st');
