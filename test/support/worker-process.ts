/** Starts a worker as in production: a separate process, which a test can kill. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { programArguments } from '../../sandbox/program.js';

export interface WorkerProcess {
  /** Resolves when the worker has reported that it is ready. Rejects with its output if it exits before. */
  readonly ready: Promise<void>;
  /** Sends SIGKILL and resolves when the process is gone. Repeating it has no effect. */
  kill(): Promise<void>;
}

/** Starts the process. The caller kills it. */
export function startWorkerProcess(env: NodeJS.ProcessEnv): WorkerProcess {
  const child = spawn(process.execPath, programArguments('worker/main.ts'), {
    env: { ...env, REFUNDS_WORKER_PROFILE: 'small', REFUNDS_QUERIES_PER_SECOND: '1000' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const errorLines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => errorLines.push(line));
  const ready = Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(() => undefined),
    once(child, 'exit').then(() => {
      throw new Error(`the worker did not start:\n${errorLines.join('\n')}`);
    }),
  ]);
  return {
    ready,
    async kill() {
      if (isGone(child)) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const isGone = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;
