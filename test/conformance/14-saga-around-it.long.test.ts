/**
 * 14: the workflow around the refund fails: the order cannot be closed, the compensation fails, the client is canceled in the middle.
 * Sources: medusajs/medusa#15306 (reported success although some failed) and #6610; published saga examples that swallow the errors of their
 * compensations.
 */
import { CancelledFailure } from '@temporalio/common';
import { describe, it } from 'vitest';
import { openMerchant } from './merchant.js';
import { NEVER, openHarness, SUPERVISOR } from './harness.js';

// A soft decline waits for longer than any of these tests.
const harness = await openHarness({ timings: { retryFirst: NEVER, retryMax: NEVER } });
const { newOrder, repair, cancelOrder, refundOf, stateOf, callsOf, reservations } =
  await openMerchant(harness);

const REFUSED = { kind: 'reject', code: '700.100.300' } as const;

describe.concurrent('the order system fails', () => {
  it('after the refund has succeeded, for a while: the order is finished later, and the refund stays paid', async ({
    expect,
  }) => {
    const order = newOrder({ step: 'finishOrder', times: 2 });
    expect(await (await cancelOrder(order)).result()).toMatchObject({
      order: 'canceled',
      refund: { state: 'succeeded' },
    });
    expect(callsOf(order, 'finishOrder')).toBe(3);
    expect(stateOf(order)).toBe('canceled');
    expect(harness.booked(order.payment)).toMatchObject({ out: '100.00' });
  });

  it('after the refund has succeeded, for good: nothing is reversed, and canceling again finishes the order', async ({
    expect,
  }) => {
    const order = newOrder({ step: 'finishOrder', times: Infinity });
    await expect((await cancelOrder(order)).result()).rejects.toThrow();
    expect(await refundOf(order)).toMatchObject({ state: 'succeeded' });
    expect(stateOf(order)).toBe('on_hold');
    expect(callsOf(order, 'restoreOrder')).toBe(0);

    repair(order);
    expect(await (await cancelOrder(order)).result()).toMatchObject({ order: 'canceled' });
    expect(stateOf(order)).toBe('canceled');
    expect(harness.booked(order.payment)).toMatchObject({ out: '100.00' });
    expect(harness.transactionsOf(order.payment)).toHaveLength(1);
  });

  it('during the compensation: it is retried until it succeeds, and the reservation is released once', async ({
    expect,
  }) => {
    const order = newOrder({ step: 'restoreOrder', times: 2 });
    harness.onRefund(order.payment, REFUSED);
    expect(await (await cancelOrder(order)).result()).toMatchObject({
      order: 'restored',
      refund: { state: 'failed' },
    });
    expect(callsOf(order, 'restoreOrder')).toBe(3);
    expect(stateOf(order)).toBe('open');
    expect(await reservations(order)).toEqual([100_00n, -100_00n]);
    expect(harness.booked(order.payment)).toMatchObject({ out: '0.00' });
  });

  it('during the compensation, for good: the workflow fails visibly, and our reservation is released', async ({
    expect,
  }) => {
    const order = newOrder({ step: 'restoreOrder', times: Infinity });
    harness.onRefund(order.payment, REFUSED);
    await expect((await cancelOrder(order)).result()).rejects.toThrow();
    expect(await refundOf(order)).toMatchObject({ state: 'failed' });
    expect(await reservations(order)).toEqual([100_00n, -100_00n]);
  });
});

describe.concurrent('the workflow around the refund ends during the submission', () => {
  it('by cancellation: the refund runs to its end, and the order follows it', async ({ expect }) => {
    const order = newOrder();
    harness.onRefund(order.payment, { kind: 'answer_after', ms: 2_000 });
    const run = await cancelOrder(order);
    await harness.untilExecuted(order.payment);
    await run.cancel();
    expect(await run.result()).toMatchObject({ order: 'canceled', refund: { state: 'succeeded' } });
    expect(stateOf(order)).toBe('canceled');
    expect(harness.booked(order.payment)).toMatchObject({ out: '100.00' });
  });

  it('by termination: the refund runs to its end, and canceling again finds it paid', async ({ expect }) => {
    const order = newOrder();
    harness.onRefund(order.payment, { kind: 'answer_after', ms: 2_000 });
    const run = await cancelOrder(order);
    await harness.untilExecuted(order.payment);
    await run.terminate('a test');
    await harness.until((await refundOf(order)).id, 'succeeded');
    expect(await (await cancelOrder(order)).result()).toMatchObject({ order: 'canceled' });
    expect(harness.transactionsOf(order.payment)).toHaveLength(1);
    expect(harness.booked(order.payment)).toMatchObject({ out: '100.00' });
  });

  it('before any money has left: the refund is withdrawn, the order restored, the reservation released once', async ({
    expect,
  }) => {
    const order = newOrder();
    harness.onRefund(order.payment, { kind: 'reject', code: '900.100.600' });
    const run = await cancelOrder(order);
    const { id } = await refundOf(order);
    await harness.until(id, 'rejected');
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(await harness.client.getRefund(id)).toMatchObject({ state: 'canceled' });
    expect(stateOf(order)).toBe('open');
    expect(await reservations(order)).toEqual([100_00n, -100_00n]);
    expect(harness.booked(order.payment)).toMatchObject({ out: '0.00' });
  });
});

describe.concurrent('one part of a refund fails', () => {
  it('is reported as it is: the paid part stays, the rest waits for an operator', async ({ expect }) => {
    const payment = harness.newPayment({ type: 'PA', captures: ['60.00', '40.00'] });
    const [, smaller = ''] = payment.captureIds;
    harness.fault(REFUSED, { paymentType: 'RF', paymentId: smaller });
    const { id } = await harness.ask(payment, '100.00');
    expect(await harness.until(id, 'manual_review')).toMatchObject({
      status: 'review',
      why: 'partly_refunded',
    });
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
    expect(await harness.balance(payment)).toMatchObject({ succeededMinor: 60_00n, reservedMinor: 40_00n });
    await expect(harness.client.withdraw(id, SUPERVISOR)).rejects.toMatchObject({ code: 'may_have_left' });
  });

  it('of two separate refunds, only the failed one can be requested again', async ({ expect }) => {
    const payment = harness.newPayment();
    const first = await harness.ask(payment, '60.00');
    await harness.until(first.id, 'succeeded');
    harness.onRefund(payment, REFUSED);
    const second = await harness.ask(payment, '40.00');
    await harness.until(second.id, 'failed');
    expect(await harness.client.getRefund(first.id)).toMatchObject({ state: 'succeeded' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 40_00n });
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });
});
