/** Builds the simulation into one JavaScript file and runs it. The file runs twice as fast as the code of a test runner or a loader. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { ALIASES } from './aliases.mjs';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const FLAGS = [
  // A harness lives for a short time. V8's young generation holds some dozens of them from the start, so that collecting them costs little.
  '--min-semi-space-size=32',
  '--max-semi-space-size=32',
  // A third of V8's default: the code is wide and flat, so compiling inlined functions costs more than the calls.
  '--max-inlined-bytecode-size-cumulative=300',
  '--enable-source-maps',
];

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs the simulation with these arguments (see `npm run test:simulation -- --help`). `shown`: true to print its output. */
export async function simulate(args: readonly string[], shown: boolean): Promise<Ran> {
  // A directory for this process only, because another one may run at the same time. It is inside the repository, where Node finds the packages.
  const directory = at(`../../.data/simulation/${process.pid}`);
  try {
    await build({
      configFile: false,
      root: at('../..'),
      logLevel: 'error',
      resolve: {
        alias: Object.entries(ALIASES).map(([name, replacement]) => ({
          find: new RegExp(`^${name}$`),
          replacement,
        })),
      },
      build: {
        ssr: at('./main.ts'),
        outDir: directory,
        target: 'node20',
        minify: false,
        sourcemap: true,
        rolldownOptions: { output: { entryFileNames: 'main.mjs' } },
      },
    });
    return await run(`${directory}/main.mjs`, args, shown);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[], shown: boolean): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...FLAGS, program, ...args], {
      stdio: ['ignore', shown ? 'inherit' : 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() });
    });
    // A signal that stops this process stops the child process too.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => child.kill(signal));
  });
}
