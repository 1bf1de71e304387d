/** Finds and installs Schemathesis, a property-based tool that checks an API against its OpenAPI document. Its version is pinned. */
import { execFile } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../sandbox/servers/cache-folder.js';

const run = promisify(execFile);
const VERSION = '4.32.5';

/** Returns the path of the program, or undefined if it is not installed. */
export async function findSchemathesis(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const folder = await folderOf(env);
  return access(join(folder, WHOLE)).then(
    () => programIn(folder),
    () => undefined,
  );
}

/** Installs it once for this user, in a Python environment of its own. Needs `python3` with `venv`, and pip's package index. */
export async function getSchemathesis(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const known = await findSchemathesis(env);
  if (known !== undefined) return known;
  // An environment contains its own path, so it is created in its final place. An incomplete one is created again.
  const folder = await folderOf(env);
  await run('python3', ['-m', 'venv', '--clear', folder]);
  await run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', `schemathesis==${VERSION}`], {
    timeout: 300_000,
  });
  await writeFile(join(folder, WHOLE), '');
  return programIn(folder);
}

/** Marks a complete installation: this file is written last. */
const WHOLE = 'whole';
const folderOf = async (env: NodeJS.ProcessEnv): Promise<string> =>
  join(await cacheFolder(env), `schemathesis-${VERSION}`);
const programIn = (folder: string): string => join(folder, 'bin', 'st');
