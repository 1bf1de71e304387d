/** A run whose next step no worker takes: its waiting time is measured with Temporal's clock alone. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { startStack } from '../support/stack.js';

const HOUR = 3_600_000;
const stack = await startStack({ worker: false });
afterAll(() => stack.close({ booksAgree: false }));
afterEach(() => {
  vi.restoreAllMocks();
});

it('reports its waiting time, also if this machine’s clock is an hour ahead', async () => {
  const { paymentId } = stack.newPayment();
  const startedAt = performance.now();
  const { id } = await stack.client.requestRefund({
    clientId: 'shop',
    idempotencyKey: randomUUID(),
    requestedBy: 'clerk',
    request: { paymentId, amount: '1.00', currency: 'EUR', reason: 'order_cancelled' },
  });
  const now = Date.now.bind(Date);
  let waits = 0;
  for (const deadline = performance.now() + 30_000; waits < 1_000 && performance.now() < deadline;) {
    await pause(500);
    const spy = vi.spyOn(Date, 'now').mockImplementation(() => now() + HOUR);
    const { run } = await stack.client.explainReplay(id);
    spy.mockRestore();
    expect(run?.isAlive).toBe(true);
    waits = run?.waitsForWorkerMs ?? 0;
  }
  expect(waits).toBeGreaterThanOrEqual(1_000);
  // Its queue is no older than this file's first refund.
  expect(waits).toBeLessThan(performance.now() - startedAt + 60_000);
}, 60_000);
