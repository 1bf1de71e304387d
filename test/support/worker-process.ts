/** A worker as in production: a process of its own, which can be killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { programArguments } from '../../sandbox/program.js';

export interface WorkerProcess {
  /** Once it has said so. Rejects where it ends before, with what it wrote. */
  readonly ready: Promise<void>;
  /** SIGKILL; resolves when the process is gone. Doing it again does nothing. */
  kill(): Promise<void>;
}

/** The caller kills it. */
export function startWorkerProcess(env: NodeJS.ProcessEnv): WorkerProcess {
  const child = spawn(process.execPath, programArguments('worker/main.ts'), {
    env: { ...env, REFUNDS_WORKER_PROFILE: 'small', REFUNDS_QUERIES_PER_SECOND: '1000' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const answer: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => answer.push(line));
  const ready = Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(() => undefined),
    once(child, 'exit').then(() => {
      throw new Error(`the worker did not start:\n${answer.join('\n')}`);
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
