/** Messages that reach a refund before any worker: they are handled before anything is sent. */
import type { WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Refund } from '../../client/index.js';
import { historyOf } from './history.js';
import { CLERK, eventually, openHarness, type RefundHandle } from './harness.js';
import { gatewayNotification, refundWorkflowId } from '../../workflows/refund/contract.js';

const harness = await openHarness({ worker: false, sideBySide: true });

interface Waiting {
  readonly paymentId: string;
  readonly refundId: string;
  readonly handle: RefundHandle;
}

async function accepted(): Promise<{ readonly paymentId: string; readonly refundId: string }> {
  const { paymentId } = harness.newPayment();
  return { paymentId, refundId: (await harness.accept(paymentId, '100.00')).id };
}

async function started(): Promise<Waiting> {
  const { paymentId, refundId } = await accepted();
  return { paymentId, refundId, handle: await harness.drive(refundId) };
}

/** The withdrawal starts the run that handles it: the client does not know whether a run exists. */
async function withdrawn(): Promise<Waiting & { readonly answer: Promise<Refund> }> {
  const { paymentId, refundId } = await accepted();
  const answer = harness.client.withdraw(refundId, { by: CLERK, reason: 'the customer keeps the goods' });
  const handle: RefundHandle = harness.temporal.workflow.getHandle(refundWorkflowId(refundId));
  await eventually('the run exists', () => handle.describe().catch(() => undefined));
  return { paymentId, refundId, handle, answer };
}

async function expectNothingHappened({ paymentId, refundId }: Waiting): Promise<void> {
  expect(harness.gateway.engine.books(paymentId)).toMatchObject({ refunded: 0n, pending: 0n });
  expect(await harness.refund(refundId)).toMatchObject({ state: 'canceled', attempts: [] });
  expect(await harness.dependencies.ledger.findPayment(paymentId)).toMatchObject({
    reservedMinor: 0n,
    refundableMinor: 100_00n,
  });
}

const resultOf = (handle: Pick<WorkflowHandle, 'result'>): Promise<unknown> =>
  handle.result().catch((error: unknown) => error);

describe('without a worker', () => {
  let cancelled: Waiting;
  let withdrawal: Awaited<ReturnType<typeof withdrawn>>;
  let notified: Waiting;
  let twice: Waiting;

  beforeAll(async () => {
    cancelled = await started();
    await cancelled.handle.cancel();
    withdrawal = await withdrawn();
    notified = await started();
    await notified.handle.signal(gatewayNotification);
    twice = await started();
    await harness.drive(twice.refundId);
    await harness.startWorker();
  });

  it('a cancellation releases the money, and nothing reaches the gateway', async () => {
    expect(await resultOf(cancelled.handle)).toMatchObject({
      cause: expect.any(CancelledFailure) as unknown,
    });
    expect((await historyOf(cancelled.handle)).activities).toEqual(['withdrawRefund', 'submitRefund']);
    await expectNothingHappened(cancelled);
  });

  it('a withdrawal that arrives together with the start is handled first, and nothing reaches the gateway', async () => {
    expect(await withdrawal.answer).toMatchObject({ state: 'canceled' });
    expect(await withdrawal.handle.result()).toMatchObject({
      state: 'canceled',
      why: 'the customer keeps the goods',
    });
    expect((await historyOf(withdrawal.handle)).activities).toEqual(['withdrawRefund', 'submitRefund']);
    await expectNothingHappened(withdrawal);
  });

  it('a notification changes nothing', async () => {
    expect(await notified.handle.result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(notified.handle)).activities).toEqual(['submitRefund']);
  });

  it('a second start returns the first run', async () => {
    expect(await twice.handle.result()).toMatchObject({ state: 'succeeded' });
    expect(harness.gateway.engine.books(twice.paymentId)).toMatchObject({ refunded: 100_00n });
  });
});
