/** Runs one of this repository's programs as a child process. It is ready when it prints a JSON line, and is restarted when it dies. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { programArguments } from './program.js';

export interface NodeProcess {
  /** Returns the JSON line that the process printed when it was ready; after a restart, the latest one. */
  readonly ready: () => unknown;
  /** Returns the process id, or undefined while the process is being restarted. */
  readonly pid: () => number | undefined;
  /** Returns how often the process died and was restarted. */
  readonly restarts: () => number;
  /** Sends SIGTERM, and SIGKILL after ten seconds. Resolves when the process has ended. */
  stop(): Promise<void>;
}

export interface NodeProcessOptions {
  /** For messages, for example `worker`. */
  readonly name: string;
  /** Relative to the repository, for example `worker/main.ts`. */
  readonly entry: string;
  readonly env: NodeJS.ProcessEnv;
  readonly print: (line: string) => void;
  /** Default 60,000. */
  readonly readyWithinMs?: number;
  /** Its stdout and stderr are appended to this file. */
  readonly logFile?: string;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const STOP_WITHIN_MS = 10_000;
/** A process that fails to start this often in a row is configured wrongly; it is not restarted again. */
const MAX_FAILED_STARTS = 5;

/**
 * Starts the process and resolves when it is ready. Its IPC channel closes when this process dies, even by SIGKILL, and it ends then.
 * @throws when it does not become ready. The message holds the end of its output.
 */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  let current: ChildProcess | undefined;
  let ready: unknown;
  let isReady = false;
  let restarts = 0;
  let stopping = false;

  async function launch(): Promise<void> {
    const child = spawn(process.execPath, programArguments(options.entry), {
      cwd: ROOT,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    current = child;
    if (options.logFile !== undefined)
      for (const output of [child.stdout, child.stderr])
        output?.pipe(createWriteStream(options.logFile, { flags: 'a', mode: 0o600 }));
    isReady = false;
    ready = await untilReady(child, options);
    isReady = true;
    child.once('exit', (code, signal) => {
      if (stopping) return;
      isReady = false;
      restarts += 1;
      options.print(`  ${options.name} ended (${signal ?? String(code)}); restarting it`);
      void relaunch();
    });
  }

  async function relaunch(): Promise<void> {
    for (let failed = 0; failed < MAX_FAILED_STARTS && !stopping; failed += 1) {
      try {
        await launch();
        return;
      } catch (error) {
        options.print(`  ${options.name}: ${error instanceof Error ? error.message : 'failed to start'}`);
      }
    }
  }

  await launch();
  return {
    ready: () => ready,
    pid: () => (isReady ? current?.pid : undefined),
    restarts: () => restarts,
    async stop() {
      stopping = true;
      const child = current;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise<void>((resolve) =>
        child.once('exit', () => {
          resolve();
        }),
      );
      child.kill('SIGTERM');
      const forced = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await ended;
      clearTimeout(forced);
    },
  };
}

function untilReady(child: ChildProcess, options: NodeProcessOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const last: string[] = [];
    const retain = (line: string): void => {
      last.push(line);
      if (last.length > 20) last.shift();
    };
    const fail = (why: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${options.name} ${why}. The end of its output:\n${last.join('\n')}`));
    };
    const timer = setTimeout(() => {
      fail('was not ready in time');
    }, options.readyWithinMs ?? 60_000);
    const onExit = (code: number | null): void => {
      fail(`ended with exit code ${String(code)} before it was ready`);
    };
    child.once('exit', onExit);
    child.once('error', (error) => {
      fail(`did not start: ${error.message}`);
    });
    if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', retain);
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => {
        retain(line);
        const message = parse(line);
        if (typeof message !== 'object' || message === null || !('ready' in message)) return;
        clearTimeout(timer);
        child.off('exit', onExit);
        resolve(message);
      });
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
