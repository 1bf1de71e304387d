/** What production runs, in a folder: JavaScript, the database's migrations, the console's files, and the workflows as one file. */
import { execFile } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildConsole } from '../client/console/build.js';
import { writeWorkflowBundle } from '../worker/bundle.js';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/**
 * Whatever was in `folder` is gone. `types: 'as they are'` is for whoever has them checked elsewhere, and needs a third of the time.
 * @throws with what the compiler says.
 */
export async function buildPrograms(folder: string, types: 'checked' | 'as they are'): Promise<void> {
  // A file whose source is gone would otherwise go on being there.
  await rm(folder, { recursive: true, force: true });
  await Promise.all([
    compile(
      folder,
      types === 'checked' ? [] : ['--noCheck', '--declaration', 'false', '--sourceMap', 'false'],
    ),
    cp(at('ledger/migrations'), join(folder, 'ledger/migrations'), { recursive: true }),
    buildConsole(join(folder, 'console')),
    // Built here, by the same SDK that will run it: a worker that bundles at its start needs seconds and a compiler for it.
    writeWorkflowBundle(join(folder, 'workflow-bundle.js')),
  ]);
}

async function compile(folder: string, options: readonly string[]): Promise<void> {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const project = ['-p', at('tsconfig.build.json'), '--outDir', folder];
  try {
    await promisify(execFile)(process.execPath, [tsc, ...project, ...options]);
  } catch (error) {
    const said: unknown = error instanceof Error && 'stdout' in error ? error.stdout : undefined;
    throw new Error(`The sources do not compile.\n${typeof said === 'string' ? said : ''}`, { cause: error });
  }
}
