/** Tests the simulator as its own process: its books survive kill -9, and it ends with its parent. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { getJson, postControl, postForm } from './gateway-http.js';
import { ENTITY } from './gateway-harness.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const readyLine = z.object({ ready: z.literal(true), url: z.url(), pid: z.number() });

let folder: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-process-'));
});

afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const started = spawn(process.execPath, ['--import', 'tsx', 'sandbox/gateway/main.ts'], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      REFUNDS_DATA_DIR: folder,
      OPPWA_ENTITY_ID: ENTITY.id,
      OPPWA_ACCESS_TOKEN: ENTITY.token,
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  child = started;
  if (started.stdout === null) throw new Error('no stdout');
  for await (const line of createInterface(started.stdout)) {
    return { child: started, url: readyLine.parse(JSON.parse(line)).url };
  }
  throw new Error('The gateway ended before it was ready.');
}

it('keeps its paid refunds after kill -9', async () => {
  const first = await start();
  const { paymentId } = await postControl(`${first.url}/_control/create-payment`, {
    amount: '100.00',
    currency: 'EUR',
  });
  const refund = { paymentType: 'RF', amount: '60.00', currency: 'EUR', merchantTransactionId: 'R1' };
  expect((await postForm(`${first.url}/v1/payments/${String(paymentId)}`, refund)).status).toBe(200);
  const exit = once(first.child, 'exit');
  first.child.kill('SIGKILL');
  await exit;

  const second = await start();
  const books = await getJson(`${second.url}/_control/books?paymentId=${String(paymentId)}`);
  expect(books).toMatchObject({ captured: '100.00', refunded: '60.00' });
  const again = await postForm(`${second.url}/v1/payments/${String(paymentId)}`, refund);
  expect(again.text).toContain('700.400.200');
});

it('ends when its parent closes the IPC channel', async () => {
  const { child: started } = await start();
  const exit = once(started, 'exit');
  started.disconnect();
  expect(await exit).toEqual([0, null]);
});
