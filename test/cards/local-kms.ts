/** Runs local-kms, which answers as AWS KMS does. Built once from a pinned Go module into the user's cache folder. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../sandbox/servers/cache-folder.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import { eventually } from '../workflows/harness.js';

const VERSION = 'v0.0.0-20260228092603-2a5e92d09ab6';
const BUILD_WITHIN_MS = 600_000;
const START_WITHIN_MS = 30_000;

/** A KMS with its keys in a temporary folder. */
export interface LocalKms {
  /** Variables by which the SDK finds it. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts it, with the keys that it had before. */
  start(): Promise<void>;
  /** Kills it. The keys stay. */
  stop(): Promise<void>;
  /** Kills it and deletes the keys. */
  remove(): Promise<void>;
}

export async function startLocalKms(): Promise<LocalKms> {
  const program = await findLocalKms();
  const folder = await mkdtemp(join(tmpdir(), 'local-kms-'));
  const port = await freePort();
  const region = 'eu-central-1';
  let child: ChildProcess | undefined;
  const kms: LocalKms = {
    env: {
      AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${port}`,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    },
    async start() {
      const started = spawn(program, [], {
        env: {
          PORT: String(port),
          KMS_REGION: region,
          KMS_DATA_PATH: folder,
          KMS_SEED_PATH: join(folder, 'none'),
        },
        stdio: 'ignore',
      });
      child = started;
      await eventually(
        'local-kms listens',
        async () => {
          if (started.exitCode !== null) throw new Error(`local-kms ended with ${started.exitCode}`);
          return (await listens(port)) ? true : undefined;
        },
        START_WITHIN_MS,
      );
    },
    async stop() {
      if (child?.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    async remove() {
      await kms.stop();
      await rm(folder, { recursive: true });
    },
  };
  await kms.start();
  return kms;
}

/** Returns the program. A rename publishes it, so that no process sees half a file. */
async function findLocalKms(): Promise<string> {
  const cache = await cacheFolder(process.env);
  const target = join(cache, `local-kms-${VERSION}`);
  if (
    await access(target).then(
      () => true,
      () => false,
    )
  )
    return target;
  const folder = await mkdtemp(join(cache, 'local-kms-build-'));
  try {
    await promisify(execFile)('go', ['install', `github.com/nsmithuk/local-kms@${VERSION}`], {
      env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0', GOWORK: 'off' },
      timeout: BUILD_WITHIN_MS,
    });
    await rename(join(folder, 'local-kms'), target);
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
