/** A refund as the child of a client's workflow: the results that the client receives, and the effects if the client ends. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STALE_AFTER } from '../../activities/refund/accept.js';
import { createClientActivities, type ClientOrder } from '../../activities/pay-back/activities.js';
import type { RefundRequestInput } from '../../domain/refund/request.js';
import { startClientWorker } from '../support/client-worker.js';
import { CLERK, eventually, openHarness } from './harness.js';
import type { parent } from './parent.js';
import { SEARCH_ATTRIBUTES } from '../../workflows/refund/search-attributes.js';
import { refundWorkflowId } from '../../workflows/refund/contract.js';

const HOUR = 3_600_000;
const harness = await openHarness({
  worker: false,
  sideBySide: true,
  timings: { retryFirst: HOUR, retryMax: HOUR },
});
const clients = await startClientWorker('test/workflows/parent.ts');
afterAll(() => clients.stop());

type ParentHandle = WorkflowHandle<typeof parent>;

const orderFor = (paymentId: string, more: Partial<RefundRequestInput> = {}): ClientOrder => ({
  clientId: 'orders',
  idempotencyKey: randomUUID(),
  requestedBy: CLERK,
  request: { paymentId, amount: '100.00', currency: 'EUR', reason: 'order_cancelled', ...more },
});

const startParent = (order: ClientOrder): Promise<ParentHandle> =>
  harness.temporal.workflow.start<typeof parent>('parent', {
    workflowId: `order-${randomUUID()}`,
    taskQueue: clients.taskQueue,
    args: [order, harness.queues.refunds],
  });

/** Returns the refund of the order as soon as it is in the ledger. */
const refundOf = (paymentId: string) =>
  eventually(
    'the refund is accepted',
    async () => (await harness.dependencies.ledger.listRefunds({ paymentId }))[0],
  );

const finish = ([attempt]: readonly { readonly gatewayId: string | null }[]): void => {
  harness.gateway.engine.finishPending({ id: attempt?.gatewayId ?? '', state: 'succeeded' });
};

const failureOf = (handle: ParentHandle): Promise<unknown> =>
  handle.result().catch((error: unknown) => error);

describe('a client that is canceled while its order is being accepted', () => {
  let paymentId: string;
  let handle: ParentHandle;

  beforeAll(async () => {
    ({ paymentId } = harness.newPayment());
    handle = await startParent(orderFor(paymentId));
    await eventually('the order is on its way', async () =>
      (await handle.describe()).raw.pendingActivities?.length === 1 ? true : undefined,
    );
    await handle.cancel();
    await harness.startWorker();
  });

  it('leaves no money reserved without a run', async () => {
    expect(await failureOf(handle)).toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(await refundOf(paymentId)).toMatchObject({ state: 'canceled', attempts: [] });
    expect(harness.gateway.engine.books(paymentId)).toMatchObject({ refunded: 0n });
  });
});

describe('a client that is canceled while the same order, which waits for an operator, is accepted again', () => {
  it('withdraws it, and the waiting run ends', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'reject', code: '800.300.101' }, { paymentId });
    const order = orderFor(paymentId);
    const first = await startParent(order);
    const { id } = await refundOf(paymentId);
    await harness.untilState(id, 'manual_review');
    const second = await harness.database.transaction(async (tx) => {
      await sql`lock table refunds in access exclusive mode`.execute(tx);
      const handle = await startParent(order);
      await eventually('the order is on its way', async () =>
        (await handle.describe()).raw.pendingActivities?.length === 1 ? true : undefined,
      );
      await handle.cancel();
      return handle;
    });
    expect(await failureOf(second)).toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect((await harness.refund(id)).state).toBe('canceled');
    expect(await first.result()).toMatchObject({ refundId: id, state: 'canceled' });
  });
});

describe('a client', () => {
  it('receives the outcome of the refund, and finds it by its public ids', async () => {
    const { paymentId } = harness.newPayment();
    const result = await (await startParent(orderFor(paymentId))).result();
    const refund = await refundOf(paymentId);
    expect(result).toEqual({
      refundId: refund.id,
      state: 'succeeded',
      status: 'succeeded',
      why: null,
      amount: '100.00',
      currency: 'EUR',
      settledBy: 'refund',
      settledAmount: '100.00',
      settlements: [{ by: 'refund', amount: '100.00' }],
    });
    const child = await harness.temporal.workflow.getHandle(refundWorkflowId(refund.id)).describe();
    expect(child.typedSearchAttributes.get(SEARCH_ATTRIBUTES.paymentId)).toBe(paymentId);
  });

  it.for([
    ['more than was paid', { amount: '100.01' }, 'exceeds_refundable'],
    ['in another currency', { currency: 'USD' }, 'currency_mismatch'],
    ['that cannot be read', { amount: '1,00' }, 'invalid_request'],
  ] as const)(
    'whose order is for %s receives its stable code, and nothing is stored',
    async ([, more, code]) => {
      const { paymentId } = harness.newPayment();
      const failure = await failureOf(await startParent(orderFor(paymentId, more)));
      expect(failure).toMatchObject({ cause: { cause: { type: code, nonRetryable: true } } });
      expect(failure).toMatchObject({ cause: { cause: expect.any(ApplicationFailure) as unknown } });
      expect(await harness.dependencies.ledger.listRefunds({ paymentId })).toEqual([]);
    },
  );

  it('that is refused under a key that has a refund receives the outcome of that refund, however name and key are written', async () => {
    const { paymentId } = harness.newPayment();
    const key = randomUUID();
    const named = { ...orderFor(paymentId), clientId: 'Order Desk', idempotencyKey: `"${key}"` };
    const first = await (await startParent(named)).result();
    const unreadable = { ...named, request: { ...named.request, amount: '1,00' } };
    expect(await (await startParent(unreadable)).result()).toEqual(first);
    expect(first).toMatchObject({ settledBy: 'refund', settledAmount: '100.00' });
  });

  describe('whose acceptance ran on a worker that was frozen', () => {
    const { dependencies } = harness;
    const after = (ms: number) => {
      const now = dependencies.now();
      return { monotonic: now.monotonic + ms, wall: now.wall + ms };
    };
    const stored = (paymentId: string) => dependencies.ledger.listRefunds({ paymentId });

    it('before it began, stores nothing once Temporal has stopped waiting for it', async () => {
      const { paymentId } = harness.newPayment();
      const { acceptRefund } = createClientActivities(dependencies, harness.start, () =>
        Promise.reject(new Error('this try is over')),
      );
      await expect(acceptRefund(orderFor(paymentId))).rejects.toThrow('this try is over');
      expect(await stored(paymentId)).toEqual([]);
    });

    it('after Temporal confirmed it, has the time for which Temporal waits, and no more', async () => {
      const { paymentId } = harness.newPayment();
      let late = 0;
      const { acceptRefund } = createClientActivities(
        { ...dependencies, now: () => after(late) },
        harness.start,
        () => {
          late = STALE_AFTER + 1_000;
          return Promise.resolve();
        },
      );
      await expect(acceptRefund(orderFor(paymentId))).rejects.toThrow('accepting took too long');
      expect(await stored(paymentId)).toEqual([]);
    });
  });

  it('and another one with the same key share one refund, and both receive its outcome', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'pending', afterMs: 500 }, { paymentId });
    const order = orderFor(paymentId);
    const handles = [await startParent(order), await startParent(order)];
    const results = await Promise.all(handles.map((handle) => handle.result()));
    expect(results[0]).toMatchObject({ state: 'succeeded' });
    expect(results[1]).toEqual(results[0]);
    expect(await harness.dependencies.ledger.listRefunds({ paymentId })).toMatchObject([
      { attempts: [{ submissions: 1 }] },
    ]);
  });
});

describe('a client that is canceled', () => {
  it('before anything was sent, withdraws its refund', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'reject', code: '900.100.600' }, { paymentId });
    const handle = await startParent(orderFor(paymentId));
    const { id } = await refundOf(paymentId);
    await harness.untilState(id, 'rejected');
    await handle.cancel();
    expect(await failureOf(handle)).toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect((await harness.refund(id)).state).toBe('canceled');
    expect(harness.gateway.engine.books(paymentId)).toMatchObject({ refunded: 0n });
  });

  it('after the refund was sent, still receives its outcome', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'pending' }, { paymentId });
    const handle = await startParent(orderFor(paymentId));
    const { id } = await refundOf(paymentId);
    const { attempts } = await harness.untilState(id, 'pending');
    await handle.cancel();
    finish(attempts);
    expect(await handle.result()).toMatchObject({ refundId: id, state: 'succeeded' });
  });
});

describe('a client that is terminated', () => {
  it('leaves its refund running to its end', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'pending' }, { paymentId });
    const handle = await startParent(orderFor(paymentId));
    const { id } = await refundOf(paymentId);
    const { attempts } = await harness.untilState(id, 'pending');
    await handle.terminate('a test');
    finish(attempts);
    expect(await harness.temporal.workflow.getHandle(refundWorkflowId(id)).result()).toMatchObject({
      state: 'succeeded',
    });
  });
});
