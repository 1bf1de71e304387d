/** Puts the simulation into one file of plain JavaScript, which runs twice as fast as what a test runner or loader makes of it. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { ALIASES } from './aliases.mjs';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const FLAGS = [
  // Worlds are short-lived: a nursery that holds some dozens of them, from the start, is emptied at next to no cost.
  '--min-semi-space-size=32',
  '--max-semi-space-size=32',
  // A third of what V8 puts into each other by itself: the code is wide and flat, and compiling it costs more than calls do.
  '--max-inlined-bytecode-size-cumulative=300',
  '--enable-source-maps',
];

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs the simulation with these arguments (see `npm run test:simulation -- --help`). `shown`: its output goes where ours does. */
export async function simulate(args: readonly string[], shown: boolean): Promise<Ran> {
  // Of this process alone: another one may run beside it. Inside of the repository, where the packages are found.
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
    // Whoever stops us stops it.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => child.kill(signal));
  });
}
