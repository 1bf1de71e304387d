/** Workers that stop, die or run side by side: the next worker continues from the ledger. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { historyOf } from './history.js';
import { openHarness } from './harness.js';
import type { RefundWorker } from '../../worker/refund-worker.js';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.js';

const harness = await openHarness({ worker: false });

/** Starts a worker in a separate process, as in production. It ends with the test at the latest. */
async function startProcess(): Promise<WorkerProcess> {
  const worker = startWorkerProcess(harness.env);
  onTestFinished(() => worker.kill());
  await worker.ready;
  return worker;
}

/** Starts a worker in this process. It ends with the test. */
async function startWorker(): Promise<RefundWorker> {
  const worker = await harness.startWorker();
  onTestFinished(() => worker.shutdown());
  return worker;
}

describe('a worker that is killed between sending and the answer', () => {
  it('is replaced by one that queries the refund and does not send it again', async () => {
    const killed = await startProcess();
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'answer_after', ms: 60_000 }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    await harness.untilExecuted(paymentId);
    await killed.kill();
    expect((await harness.refund(refundId)).state).toBe('submitting');

    await startWorker();
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(handle)).activities).toEqual(['submitRefund', 'queryOutcome']);
    expect((await harness.refund(refundId)).attempts).toMatchObject([{ state: 'succeeded', submissions: 1 }]);
  });
});

describe('a worker that stops in order between sending and the answer', () => {
  it('records the answer before it exits, and another one finishes the refund', async () => {
    const stopping = await startWorker();
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'answer_after', ms: 1_000 }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    await harness.untilExecuted(paymentId);
    const stopped = stopping.shutdown();
    await startWorker();
    await stopped;

    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(handle)).activities).toEqual(['submitRefund']);
    expect((await harness.refund(refundId)).attempts).toMatchObject([
      { state: 'succeeded', submissions: 1, queries: 0 },
    ]);
  });
});

describe('two workers side by side', () => {
  it('share ten refunds of one payment and send each of them once', async () => {
    await startProcess();
    await startWorker();
    const { paymentId } = harness.newPayment();
    const paid = await Promise.all(Array.from({ length: 10 }, () => harness.pay(paymentId, '10.00')));
    for (const { handle } of paid) expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    for (const { refundId } of paid)
      expect((await harness.refund(refundId)).attempts).toMatchObject([{ submissions: 1 }]);
    expect(harness.gateway.engine.books(paymentId)).toMatchObject({ refunded: 100_00n });
  });
});
