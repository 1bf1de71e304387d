/** Runs `npm start` for tests, with its own data folder and port. */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { freePort } from '../../sandbox/servers/free-port.js';

/** Must be called in a `describe`. Returns a function with the environment of its sandbox; all tests of the block share the data. */
export function ownSandbox(): () => NodeJS.ProcessEnv {
  let dataDir: string;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    dataDir = await mkdtemp(join(tmpdir(), 'refunds-demo-'));
    // Under root, PostgreSQL runs as another user, which must be able to pass through this folder.
    await chmod(dataDir, 0o711);
  });
  afterAll(() => rm(dataDir, { recursive: true, force: true }));
  return () => {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      REFUNDS_DATA_DIR: dataDir,
      // Another run may use the default port.
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
