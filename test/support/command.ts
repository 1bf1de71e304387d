/** Runs the command line in a separate process. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { programArguments } from '../../sandbox/program.js';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function command(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const all = [...programArguments('client/cli/main.ts'), ...args];
    const child = execFile(process.execPath, all, { cwd: ROOT, env }, (error, stdout, stderr) => {
      if (child.exitCode === null) reject(error ?? new Error('ended by a signal'));
      else resolve({ code: child.exitCode, stdout, stderr });
    });
    child.stdin?.end();
  });
}
