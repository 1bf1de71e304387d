/** What production runs, in a folder: three programs, the database's migrations, the console's files, and the workflows as one file. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { buildConsole } from '../server/console/build.js';
import { writeWorkflowBundle } from '../worker/bundle.js';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

const PROGRAMS = ['worker/main', 'server/api/main', 'client/cli/main'];
/** Put into the programs' files: they are hundreds of small modules, whose loading was a third of the time that a program took to start. */
const TAKEN_IN = ['kysely', 'zod', 'fastify-type-provider-zod'];

/**
 * Whatever was in `folder` is gone. `types: 'as they are'` is for whoever has them checked elsewhere.
 * @throws with what the compiler says.
 */
export async function buildPrograms(folder: string, types: 'checked' | 'as they are'): Promise<void> {
  if (types === 'checked') await checkTypes();
  // A file whose source is gone would otherwise go on being there.
  await rm(folder, { recursive: true, force: true });
  await Promise.all([
    compile(folder),
    cp(at('ledger/migrations'), join(folder, 'ledger/migrations'), { recursive: true }),
    buildConsole(join(folder, 'console')),
    // Built here, by the same SDK that will run it: a worker that bundles at its start needs seconds and a compiler for it.
    writeWorkflowBundle(join(folder, 'workflow-bundle.js')),
  ]);
}

/** One file for each program, with what several share beside them. `node --enable-source-maps` tells errors by the lines of the sources. */
async function compile(folder: string): Promise<void> {
  await build({
    configFile: false,
    root: at('.'),
    logLevel: 'error',
    ssr: { noExternal: TAKEN_IN },
    build: {
      ssr: true,
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      minify: false,
      sourcemap: true,
      rolldownOptions: {
        input: Object.fromEntries(PROGRAMS.map((program) => [program, at(`${program}.ts`)])),
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: (chunk) => (chunk.name.includes('/') ? '[name].js' : 'shared/[name]-[hash].js'),
          // What looks for a file beside itself has to stay where it is.
          codeSplitting: {
            includeDependenciesRecursively: false,
            groups: [{ debugName: 'in their places', name: placeOf }],
          },
        },
      },
    },
  });
}

/** The name of a module's own file in the build; none where it does not matter in which one it stands. */
function placeOf(file: string): string | null {
  const path = relative(at('.'), file).replace(/\.ts$/u, '');
  if (path.startsWith('..') || path.includes('node_modules') || PROGRAMS.includes(path)) return null;
  return readFileSync(file, 'utf8').includes('import.meta.url') ? path : null;
}

async function checkTypes(): Promise<void> {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  try {
    await promisify(execFile)(process.execPath, [tsc, '-p', at('tsconfig.build.json')]);
  } catch (error) {
    const answer: unknown = error instanceof Error && 'stdout' in error ? error.stdout : undefined;
    throw new Error(`The sources do not compile.\n${typeof answer === 'string' ? answer : ''}`, {
      cause: error,
    });
  }
}
