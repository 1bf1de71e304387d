/** The example `order-cancellation`: a merchant's workflow in which the order follows the refund. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, describe, expect, it, inject } from 'vitest';
import type { Order } from '../../examples/order-cancellation/orders.js';
import { createOrderWorker } from '../../examples/order-cancellation/worker.js';
import type { orderCancellation } from '../../examples/order-cancellation/workflow.js';
import { dataConverter } from '../../temporal/codec/data-converter.js';
import { testCodec } from '../support/codec.js';
import { eventually, openHarness } from '../workflows/harness.js';

const harness = await openHarness();
const { address, namespace } = inject('temporal');
const orders = new Map<string, Order>();
const taskQueue = `orders-${randomUUID()}`;
const connection = await NativeConnection.connect({ address });
const worker = await createOrderWorker({
  connection,
  namespace,
  taskQueue,
  dataConverter: dataConverter(testCodec, namespace),
  orders,
});
const run = worker.run();
afterAll(async () => {
  worker.shutdown();
  await run;
  await connection.close();
});

interface Placed {
  readonly orderId: string;
  readonly paymentId: string;
  readonly registrationId: string;
}

function placeOrder(amount = '100.00'): Placed {
  const { paymentId, registrationId } = harness.newPayment();
  const orderId = randomUUID();
  orders.set(orderId, { id: orderId, paymentId, amount, currency: 'EUR', state: 'open' });
  return { orderId, paymentId, registrationId };
}

const cancelOrder = ({ orderId }: Placed): Promise<WorkflowHandle<typeof orderCancellation>> =>
  harness.temporal.workflow.start<typeof orderCancellation>('orderCancellation', {
    workflowId: `cancel-order-${orderId}`,
    taskQueue,
    args: [{ orderId, by: 'shop assistant', refundTaskQueue: harness.queues.refunds }],
  });

const stateOf = ({ orderId }: Placed): string | undefined => orders.get(orderId)?.state;

const refundOf = ({ paymentId }: Placed) =>
  eventually(
    'the refund is accepted',
    async () => (await harness.dependencies.ledger.listRefunds({ paymentId }))[0],
  );

describe('canceling an order', () => {
  it('cancels the order when the refund succeeds', async () => {
    const order = placeOrder();
    const handle = await cancelOrder(order);
    expect(await handle.result()).toMatchObject({ order: 'canceled', refund: { state: 'succeeded' } });
    expect(stateOf(order)).toBe('canceled');
    expect(harness.gateway.engine.books(order.paymentId)).toMatchObject({ refunded: 100_00n });
  });

  it('restores the order when the refund is finally declined', async () => {
    const order = placeOrder();
    harness.fault({ kind: 'reject', code: '700.500.001' }, { paymentId: order.paymentId });
    harness.fault({ kind: 'reject', code: '800.100.152' }, { registrationId: order.registrationId });
    const handle = await cancelOrder(order);
    expect(await handle.result()).toMatchObject({
      order: 'restored',
      refund: { state: 'failed', status: 'failed', why: 'credit_declined' },
    });
    expect(stateOf(order)).toBe('open');
  });

  it('keeps the order on hold while the refund waits for an operator, and restores it when the operator withdraws the refund', async () => {
    const order = placeOrder();
    harness.fault({ kind: 'reject', code: '700.300.300' }, { paymentId: order.paymentId });
    const handle = await cancelOrder(order);
    const { id } = await refundOf(order);
    await harness.untilState(id, 'manual_review');
    expect(stateOf(order)).toBe('on_hold');
    expect((await handle.describe()).status.name).toBe('RUNNING');

    await harness.client.withdraw(id, { by: 'supervisor', reason: 'the customer was paid by hand' });
    expect(await handle.result()).toMatchObject({ order: 'restored', refund: { status: 'canceled' } });
    expect(stateOf(order)).toBe('open');
  });

  it('cancels the order when the whole amount was refunded in the portal: the customer has the money', async () => {
    const order = placeOrder();
    harness.fault({ kind: 'reject', code: '900.100.600' }, { paymentId: order.paymentId });
    const handle = await cancelOrder(order);
    const { id } = await refundOf(order);
    await harness.untilState(id, 'rejected');
    harness.gateway.engine.refundInPortal({ paymentId: order.paymentId, amount: 100_00n });
    expect(await handle.result()).toMatchObject({
      order: 'canceled',
      refund: {
        state: 'refunded_elsewhere',
        status: 'canceled',
        settledBy: 'refund_elsewhere',
        settledAmount: '100.00',
      },
    });
    expect(stateOf(order)).toBe('canceled');
    expect(harness.gateway.engine.books(order.paymentId)).toMatchObject({ refunded: 100_00n });
  });

  it('keeps the order on hold when a part was refunded in the portal and an operator withdraws the refund', async () => {
    const order = placeOrder();
    harness.fault({ kind: 'reject', code: '900.100.600' }, { paymentId: order.paymentId });
    const handle = await cancelOrder(order);
    const { id } = await refundOf(order);
    await harness.untilState(id, 'rejected');
    harness.gateway.engine.refundInPortal({ paymentId: order.paymentId, amount: 40_00n });
    await harness.untilState(id, 'manual_review');
    await harness.client.withdraw(id, { by: 'supervisor', reason: 'agreed with the customer' });
    expect(await handle.result()).toMatchObject({
      order: 'on_hold',
      refund: { status: 'canceled', settledBy: 'refund_elsewhere', settledAmount: '40.00' },
    });
    expect(stateOf(order)).toBe('on_hold');
  });

  it('restores the order when the refund would exceed the payment', async () => {
    const order = placeOrder('100.01');
    const handle = await cancelOrder(order);
    await expect(handle.result()).rejects.toMatchObject({ cause: { cause: { type: 'exceeds_refundable' } } });
    expect(stateOf(order)).toBe('open');
  });

  it('restores the order when the workflow is canceled before any money has left', async () => {
    const order = placeOrder();
    harness.fault({ kind: 'reject', code: '700.300.300' }, { paymentId: order.paymentId });
    const handle = await cancelOrder(order);
    await harness.untilState((await refundOf(order)).id, 'manual_review');
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(stateOf(order)).toBe('open');
    expect((await refundOf(order)).state).toBe('canceled');
  });
});
