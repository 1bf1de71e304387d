/** The API as a process: killed and restarted, orphaned, with invalid settings, and with its port in use. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { createApiKey } from '../../ledger/access/api-keys.js';
import { startNodeProcess } from '../../sandbox/node-process.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import { isAlive } from '../../sandbox/servers/process-alive.js';
import { startStack } from '../support/stack.js';
import { programArguments } from '../../sandbox/program.js';

const MINUTE = 60_000;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const stack = await startStack();
afterAll(() => stack.close());

const readyLine = z.object({
  ready: z.literal(true),
  role: z.literal('api'),
  pid: z.number(),
  url: z.string(),
});
const processEnv = async (): Promise<NodeJS.ProcessEnv> => ({
  ...stack.env,
  REFUNDS_PORT: String(await freePort()),
  REFUNDS_WORKFLOW_BUNDLE: inject('workflowBundle'),
});
const key = (await createApiKey(stack.database, { name: 'shop', roles: ['submit'] })).text.reveal();

async function ask(url: string, paymentId: string, idempotencyKey: string) {
  const answer = await fetch(`${url}/v1/refunds`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'idempotency-key': idempotencyKey,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ paymentId, amount: '40.00', currency: 'EUR', reason: 'goods_returned' }),
  });
  const { id } = z.object({ id: z.string() }).parse(await answer.json());
  return { status: answer.status, id };
}

async function firstLine(output: Readable): Promise<string> {
  for await (const line of createInterface({ input: output })) return line;
  throw new Error('it wrote nothing');
}

describe('the API process', () => {
  it('returns the same refund for the same key after it was killed', { timeout: 3 * MINUTE }, async () => {
    const lines: string[] = [];
    const api = await startNodeProcess({
      name: 'API',
      entry: 'server/api/main.ts',
      env: await processEnv(),
      print: (line) => lines.push(line),
      readyWithinMs: 2 * MINUTE,
    });
    try {
      const { url, pid } = readyLine.parse(api.ready());
      const { paymentId } = stack.newPayment();
      const idempotencyKey = randomUUID();
      const first = await ask(url, paymentId, idempotencyKey);
      expect(first.status).toBe(202);
      process.kill(pid, 'SIGKILL');
      await expect.poll(() => api.pid(), { timeout: 2 * MINUTE }).not.toBeOneOf([pid, undefined]);
      const again = await ask(url, paymentId, idempotencyKey);
      expect(again).toEqual({ status: 200, id: first.id });
      await stack.client.waitFor(first.id, 30_000);
      expect(stack.gateway.engine.books(paymentId)?.refunded).toBe(4000n);
      expect(api.restarts(), lines.join('\n')).toBe(1);
    } finally {
      await api.stop();
    }
  });

  it('exits with the worker when their parent process is killed', { timeout: 3 * MINUTE }, async () => {
    const parent = spawn(process.execPath, ['--import', 'tsx', 'test/support/start-processes.ts'], {
      cwd: ROOT,
      env: await processEnv(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await firstLine(parent.stdout);
    const pids = z.object({ api: z.number(), worker: z.number() }).parse(JSON.parse(line));
    expect([isAlive(pids.api), isAlive(pids.worker)]).toEqual([true, true]);
    parent.kill('SIGKILL');
    for (const pid of [pids.api, pids.worker])
      await expect.poll(() => isAlive(pid), { timeout: MINUTE }).toBe(false);
  });

  it(
    'refuses to start with invalid settings: it lists all of them and exits with code 2',
    { timeout: MINUTE },
    async () => {
      const child = spawn(process.execPath, programArguments('server/api/main.ts'), {
        cwd: ROOT,
        env: { PATH: process.env['PATH'], REFUNDS_PORT: 'http', REFUNDS_JWT_ISSUER: 'x' },
      });
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      await once(child, 'close');
      expect(child.exitCode).toBe(2);
      for (const name of ['DATABASE_URL', 'REFUNDS_PORT', 'OPPWA_ACCESS_TOKEN'])
        expect(stderr).toContain(name);
    },
  );

  it('exits with the reason if its port is in use', { timeout: MINUTE }, async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    const child = spawn(process.execPath, programArguments('server/api/main.ts'), {
      cwd: ROOT,
      env: { ...(await processEnv()), REFUNDS_PORT: port },
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.resume();
    await once(child, 'close');
    other.close();
    expect(child.exitCode).toBe(1);
    expect(stderr).toContain(`address already in use 127.0.0.1:${port}`);
  });
});
