/** Builds everything that production runs into one folder: three programs, the migrations, the console's files and the workflow bundle. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { buildConsole } from '../server/console/build.js';
import { FAILURE_CONVERTER } from '../temporal/codec/data-converter.js';
import { writeWorkflowBundle } from '../worker/bundle.js';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

const PROGRAMS = ['worker/main', 'server/api/main', 'client/cli/main'];
/** Packages that are bundled into the programs: they consist of hundreds of small files, and loading those takes a third of a program's start. */
const BUNDLED_PACKAGES = ['kysely', 'zod', 'fastify-type-provider-zod'];

/**
 * Builds the programs into `folder`, whose previous content is deleted.
 * `types: 'as they are'` skips the type check, for callers that run it themselves.
 * @throws an `Error` with the compiler's output if the types are wrong.
 */
export async function buildPrograms(folder: string, types: 'checked' | 'as they are'): Promise<void> {
  if (types === 'checked') await checkTypes();
  // Otherwise the compiled files of deleted sources would stay.
  await rm(folder, { recursive: true, force: true });
  await Promise.all([
    compile(folder),
    cp(at('ledger/migrations'), join(folder, 'ledger/migrations'), { recursive: true }),
    // Loaded by Temporal's SDK, by its path.
    cp(FAILURE_CONVERTER, join(folder, relative(at('.'), FAILURE_CONVERTER))),
    buildConsole(join(folder, 'console')),
    // Built once here. Otherwise each worker would bundle at its start, which takes seconds and needs a compiler.
    writeWorkflowBundle(join(folder, 'workflow-bundle.js')),
  ]);
}

/** Writes one file for each program and shared files beside them, with source maps for `node --enable-source-maps`. */
async function compile(folder: string): Promise<void> {
  await build({
    configFile: false,
    root: at('.'),
    logLevel: 'error',
    ssr: { noExternal: BUNDLED_PACKAGES },
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
          // A module that reads a file beside itself must keep its own path.
          codeSplitting: {
            includeDependenciesRecursively: false,
            groups: [{ debugName: 'modules that keep their path', name: ownFileOf }],
          },
        },
      },
    },
  });
}

/** Returns the name of a module's own file in the build if the module uses `import.meta.url`, else null: it may be in any file. */
function ownFileOf(file: string): string | null {
  const path = relative(at('.'), file).replace(/\.ts$/u, '');
  if (path.startsWith('..') || path.includes('node_modules') || PROGRAMS.includes(path)) return null;
  return readFileSync(file, 'utf8').includes('import.meta.url') ? path : null;
}

async function checkTypes(): Promise<void> {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  try {
    await promisify(execFile)(process.execPath, [tsc, '-p', at('tsconfig.build.json')]);
  } catch (error) {
    const output: unknown = error instanceof Error && 'stdout' in error ? error.stdout : undefined;
    throw new Error(`The sources do not compile.\n${typeof output === 'string' ? output : ''}`, {
      cause: error,
    });
  }
}
