/** One server as a child process: its log, its end, and that it does not outlive this process. */
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
  /** Runs as this user; only root may ask for it. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Receives stdout and stderr. A file and not a pipe, so that a busy parent never makes the server wait. */
  readonly logFile: string;
  /** Asks for an orderly end. `SIGINT` is PostgreSQL's fast shutdown, `SIGTERM` would wait for its clients. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  /** Milliseconds for the orderly end before `SIGKILL`. Default 10,000. */
  readonly stopWithinMs?: number;
  /** A folder to be removed too if this process is killed. Only ever a temporary folder made for this server. */
  readonly scratch?: string;
}

export interface ServerProcess {
  readonly pid: number;
  /** How it ended, or undefined while it runs. */
  ended(): string | undefined;
  /** What it has written so far. */
  log(): string;
  /** Asks, waits, then kills. Resolves when the process is gone; calling it again is harmless. */
  stop(): Promise<void>;
  /** `SIGKILL`, as a crash would. Resolves when the process is gone. */
  kill(): Promise<void>;
}

/**
 * Starts when its stdin closes, which the kernel does when the parent is gone, however it died: asks the server to
 * stop, kills it after ten seconds, removes the scratch folder. About 1 MB; needs a POSIX shell, so on Windows a parent
 * that is killed leaves its servers behind.
 */
const GUARD = `
while read -r _; do :; done
kill -s "$1" "$2" 2>/dev/null
i=0
while [ "$i" -lt 100 ] && kill -0 "$2" 2>/dev/null; do sleep 0.1; i=$((i + 1)); done
kill -s KILL "$2" 2>/dev/null
[ -n "$3" ] && rm -rf -- "$3"
`;

/** Starts the server in a session of its own, so that Ctrl-C reaches only this process, which stops it in order. */
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
  // A server never keeps this process alive: whoever wants it to stay waits for something of its own.
  child.unref();

  const stopBy = async (signal: NodeJS.Signals): Promise<void> => {
    if (end !== undefined) return;
    child.ref();
    child.kill(signal);
    const hard = setTimeout(() => child.kill('SIGKILL'), options.stopWithinMs ?? 10_000);
    await ended;
    clearTimeout(hard);
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

/** Returns the function that sends the guard home once the server has ended by itself. */
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
    // Without a shell the server is stopped by `stop()` only.
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

/** The part of a log that an error message has room for. */
export function lastLines(log: string): string {
  return log.trimEnd().split('\n').slice(-30).join('\n');
}
