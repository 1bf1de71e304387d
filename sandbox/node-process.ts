/** One of our own processes as a child: ready when it prints its JSON line, started again when it dies. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { programArguments } from './program.js';

export interface NodeProcess {
  /** The line that the process printed when it was ready, the latest one after a restart. */
  readonly ready: () => unknown;
  /** Undefined while it is being started again. */
  readonly pid: () => number | undefined;
  /** How often it died and was started again. */
  readonly restarts: () => number;
  stop(): Promise<void>;
}

export interface NodeProcessOptions {
  readonly name: string;
  /** Relative to the repository, for example `worker/main.ts`. */
  readonly entry: string;
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly readyWithinMs?: number;
  /** Everything that it writes is added here. */
  readonly logFile?: string;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const STOP_WITHIN_MS = 10_000;
/** Dying this often without ever being ready is a fault of the set-up, not a crash to recover from. */
const MAX_FAILED_STARTS = 5;

/**
 * Starts the process and resolves when it is ready. The IPC channel takes it along when this process dies, however it dies.
 * @throws when it does not become ready, with the end of what it wrote.
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
      options.say(`  ${options.name} ended (${signal ?? String(code)}); it is started again`);
      void relaunch();
    });
  }

  async function relaunch(): Promise<void> {
    for (let failed = 0; failed < MAX_FAILED_STARTS && !stopping; failed += 1) {
      try {
        await launch();
        return;
      } catch (error) {
        options.say(`  ${options.name}: ${error instanceof Error ? error.message : 'does not start'}`);
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
      const gone = new Promise<void>((resolve) =>
        child.once('exit', () => {
          resolve();
        }),
      );
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await gone;
      clearTimeout(hard);
    },
  };
}

function untilReady(child: ChildProcess, options: NodeProcessOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const last: string[] = [];
    const keep = (line: string): void => {
      last.push(line);
      if (last.length > 20) last.shift();
    };
    const fail = (why: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${options.name} ${why}. The end of what it wrote:\n${last.join('\n')}`));
    };
    const timer = setTimeout(() => {
      fail('was not ready in time');
    }, options.readyWithinMs ?? 60_000);
    const onExit = (code: number | null): void => {
      fail(`ended with ${String(code)} before it was ready`);
    };
    child.once('exit', onExit);
    child.once('error', (error) => {
      fail(`did not start: ${error.message}`);
    });
    if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', keep);
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => {
        keep(line);
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
