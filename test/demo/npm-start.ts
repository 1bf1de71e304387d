/** Runs the demonstration as a newcomer does, with data and a port of its own. */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { freePort } from '../../sandbox/servers/free-port.js';

/** Call it in a `describe`. Returns the environment of its sandbox, to be read in its tests: the same data for all of them. */
export function ownSandbox(): () => NodeJS.ProcessEnv {
  let dataDir: string;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    dataDir = await mkdtemp(join(tmpdir(), 'refunds-demo-'));
    // PostgreSQL runs as a user of its own under root, and has to get through.
    await chmod(dataDir, 0o711);
  });
  afterAll(() => rm(dataDir, { recursive: true, force: true }));
  return () => {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      REFUNDS_DATA_DIR: dataDir,
      // The usual one may be another run's.
      REFUNDS_PORT: String(port),
    };
    for (const name of ['DATABASE_URL', 'TEMPORAL_ADDRESS', 'OPPWA_BASE_URL'])
      Reflect.deleteProperty(env, name);
    return env;
  };
}

export function npmStart(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['sandbox/bootstrap.mjs', 'sandbox/main.ts', ...args], { env });
    let output = '';
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, output });
    });
  });
}
