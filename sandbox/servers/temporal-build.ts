/** Gets a Temporal CLI that is not installed: by the SDK's own download, or by building the pinned Go module. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The CLI release that `sandbox/temporal/go.mod` pins: server 1.31.2, UI 2.50.1. */
export const TEMPORAL_CLI_VERSION = '1.8.2';

const MODULE = fileURLToPath(new URL('../temporal', import.meta.url));
const DOWNLOADER = fileURLToPath(new URL('./temporal-download.ts', import.meta.url));

/** A download that receives nothing for this long is given up: the network is probably closed. */
const SILENT_MS = 30_000;
const DOWNLOAD_WITHIN_MS = 300_000;
const BUILD_WITHIN_MS = 1_800_000;

/** Puts a complete binary at `target` by one rename, or throws an `Error` with the reason in one line. */
export type Getter = (
  target: string,
  env: NodeJS.ProcessEnv,
  detail: (text: string) => void,
) => Promise<void>;

/**
 * Lets the SDK download its development server (from temporal.download). This runs in its own process, because the SDK's
 * native code cannot be interrupted, and a process can be killed.
 */
export const downloadTemporal: Getter = async (target, env, detail) => {
  const folder = `${target}.download-${randomUUID()}`;
  await mkdir(folder, { recursive: true });
  let size = 0;
  let grewAt = performance.now();
  const child = run(process.execPath, ['--import', 'tsx', DOWNLOADER, folder], { env });
  const watch = setInterval(() => {
    void sizeOf(folder).then((now) => {
      if (now > size) {
        size = now;
        grewAt = performance.now();
        detail(`${Math.round(now / 1e6)} MB`);
      } else if (performance.now() - grewAt > SILENT_MS) {
        child.abort(`nothing arrived for ${SILENT_MS / 1_000} s`);
      }
    });
  }, 500);
  const bound = setTimeout(
    () => child.abort(`not done after ${DOWNLOAD_WITHIN_MS / 1_000} s`),
    DOWNLOAD_WITHIN_MS,
  );
  try {
    await child.done;
    const [file] = (await readdir(folder)).filter((name) => !name.endsWith('.downloading'));
    if (file === undefined) throw new Error('the SDK left no file behind');
    await publish(join(folder, file), target);
  } finally {
    clearInterval(watch);
    clearTimeout(bound);
    await rm(folder, { recursive: true, force: true });
  }
};

/** Builds the CLI from `sandbox/temporal/go.mod`: about 2 minutes on two cores with cold caches, seconds if built before. */
export const buildTemporal: Getter = async (target, env, detail) => {
  const file = `${target}.build-${randomUUID()}`;
  const flags = `-s -w -X github.com/temporalio/cli/internal/temporalcli.Version=${TEMPORAL_CLI_VERSION}`;
  const tool = 'github.com/temporalio/cli/cmd/temporal';
  let packages = 0;
  const child = run(
    'go',
    ['build', '-v', '-tags', 'disable_grpc_modules', '-ldflags', flags, '-o', file, tool],
    {
      cwd: MODULE,
      env: { ...env, CGO_ENABLED: '0', GOWORK: 'off' },
      onLine: () => {
        packages += 1;
        detail(`${packages} of about 1,600 steps`);
      },
    },
  );
  const bound = setTimeout(() => child.abort(`not done after ${BUILD_WITHIN_MS / 1_000} s`), BUILD_WITHIN_MS);
  try {
    await child.done;
    await publish(file, target);
  } finally {
    clearTimeout(bound);
    await rm(file, { force: true });
  }
};

/** Moves the finished file to `target`. A rename is atomic: no process sees half a file, and two at once both succeed. */
async function publish(file: string, target: string): Promise<void> {
  await chmod(file, 0o755);
  await rename(file, target);
}

async function sizeOf(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    sum += await stat(join(folder, name)).then(
      (entry) => entry.size,
      () => 0,
    );
  }
  return sum;
}

interface Running {
  readonly done: Promise<void>;
  abort(why: string): void;
}

/** Runs a program. When it fails, the error's message is the last line that it printed. */
function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env: NodeJS.ProcessEnv; onLine?: () => void },
): Running {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  let aborted: string | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    for (const _ of text.matchAll(/\n/gu)) options.onLine?.();
    stderr = (stderr + text).slice(-8_000);
  });
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      reject(cause.code === 'ENOENT' ? new Error(`${command} is not installed`) : cause);
    });
    child.once('close', (code, signal) => {
      if (code === 0) {
        resolve();
        return;
      }
      const last = stderr.trimEnd().split('\n').at(-1)?.trim() ?? '';
      reject(new Error(aborted ?? (last === '' ? `${command} ended with ${signal ?? code ?? '?'}` : last)));
    });
  });
  return {
    done,
    abort: (why) => {
      aborted = why;
      child.kill('SIGKILL');
    },
  };
}
