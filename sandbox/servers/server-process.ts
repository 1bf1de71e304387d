/** Runs a server as a child process with a log file, and stops it when this process ends, even by SIGKILL. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';

export interface ServerCommand {
  /** For messages, for example `PostgreSQL`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The user to run as. Only root can set it. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Receives stdout and stderr. It is a file and not a pipe, so that a busy parent never blocks the server. */
  readonly logFile: string;
  /** The signal for an orderly stop. For PostgreSQL, `SIGINT` is the fast shutdown; `SIGTERM` would wait for its clients. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  /** Milliseconds between the stop signal and `SIGKILL`. Default 10,000. */
  readonly stopWithinMs?: number;
  /** A temporary folder, made for this server alone, that is removed if this process is killed. */
  readonly scratch?: string;
}

export interface ServerProcess {
  readonly pid: number;
  /** Returns its exit code or signal as text, or undefined while it runs. */
  ended(): string | undefined;
  /** Returns its output since this start. */
  log(): string;
  /** Sends the stop signal, and `SIGKILL` after `stopWithinMs`. Resolves when the process has ended; may be called again. */
  stop(): Promise<void>;
  /** Sends `SIGKILL`, which is like a crash. Resolves when the process has ended. */
  kill(): Promise<void>;
}

/**
 * A shell script that stops the server when its parent has died. It waits until its stdin closes: the kernel closes it
 * when the parent is gone, even by SIGKILL. Then it sends the stop signal, kills the server after ten seconds, and
 * removes the scratch folder. It takes about 1 MB of memory and needs a POSIX shell; on Windows a parent that is killed
 * leaves its servers running.
 */
const GUARD = `
while read -r _; do :; done
kill -s "$1" "$2" 2>/dev/null
i=0
while [ "$i" -lt 100 ] && kill -0 "$2" 2>/dev/null; do sleep 0.1; i=$((i + 1)); done
kill -s KILL "$2" 2>/dev/null
[ -n "$3" ] && rm -rf -- "$3"
`;

/** Starts the server in its own session, so that Ctrl-C reaches only this process, which then stops its servers in order. */
export async function spawnServer(options: ServerCommand): Promise<ServerProcess> {
  const log = openSync(options.logFile, 'a', 0o600);
  const logStart = fstatSync(log).size;
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', log, log],
    detached: process.platform !== 'win32',
    windowsHide: true,
    ...options.user,
  });
  closeSync(log);
  const pid = await started(child, options.name);
  const dismissGuard = startGuard(pid, child, options);

  let end: string | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      end = signal === null ? `exit code ${String(code)}` : `signal ${signal}`;
      dismissGuard();
      resolve();
    });
  });
  // A running server alone does not keep this process alive.
  child.unref();

  const stopBy = async (signal: NodeJS.Signals): Promise<void> => {
    if (end !== undefined) return;
    child.ref();
    child.kill(signal);
    const forced = setTimeout(() => child.kill('SIGKILL'), options.stopWithinMs ?? 10_000);
    await ended;
    clearTimeout(forced);
  };
  return {
    pid,
    ended: () => end,
    log: () => logFrom(options.logFile, logStart),
    stop: () => stopBy(options.stopSignal),
    kill: () => stopBy('SIGKILL'),
  };
}

function started(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Error(`${name} could not be started: ${cause.message}`, { cause }));
    });
    child.once('spawn', () => {
      if (child.pid === undefined) reject(new Error(`${name} was started without a process id`));
      else resolve(child.pid);
    });
  });
}

/** Starts the guard script. Returns a function that ends it, to be called once the server has ended. */
function startGuard(pid: number, child: ChildProcess, options: ServerCommand): () => void {
  if (process.platform === 'win32') {
    const killIt = (): void => {
      child.kill();
    };
    process.once('exit', killIt);
    return () => process.off('exit', killIt);
  }
  const args = ['-c', GUARD, 'guard', options.stopSignal.slice(3), String(pid), options.scratch ?? ''];
  const guard = spawn('/bin/sh', args, { cwd: '/', stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  guard.once('error', () => {
    // Without a shell there is no guard: only `stop()` ends the server.
  });
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return () => guard.kill('SIGKILL');
}

function logFrom(file: string, start: number): string {
  try {
    return readFileSync(file).subarray(start).toString('utf8');
  } catch {
    return '';
  }
}

/** Returns the last 30 lines of a log, for an error message. */
export function lastLines(log: string): string {
  return log.trimEnd().split('\n').slice(-30).join('\n');
}
