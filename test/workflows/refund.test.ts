/** A refund that succeeds at once, and the search attributes of those that do not. */
import { describe, expect, it } from 'vitest';
import { eventually, openHarness } from './harness.js';
import { SEARCH_ATTRIBUTES } from '../../workflows/refund/search-attributes.js';
import { historyOf } from './history.js';

const harness = await openHarness();

describe('a refund that is accepted at once', () => {
  it('costs one activity and eleven events, the least that Temporal allows', async () => {
    const { paymentId } = harness.newPayment();
    const { refundId, handle } = await harness.pay(paymentId, '100.00');

    expect(await handle.result()).toEqual({
      refundId,
      state: 'succeeded',
      status: 'succeeded',
      why: null,
      amount: '100.00',
      currency: 'EUR',
      settledBy: 'refund',
      settledAmount: '100.00',
      settlements: [{ by: 'refund', amount: '100.00' }],
    });
    const history = await historyOf(handle);
    expect(history.activities).toEqual(['submitRefund']);
    expect(history.length).toBe(11);
    const [attempt] = (await harness.refund(refundId)).attempts;
    expect(attempt).toMatchObject({
      operation: 'refund',
      state: 'succeeded',
      submissions: 1,
      queries: 0,
      amountMinor: 100_00n,
    });
  });

  it('pays two equal parts as two refunds', async () => {
    const { paymentId } = harness.newPayment();
    const paid = [await harness.pay(paymentId, '30.00'), await harness.pay(paymentId, '30.00')];
    for (const { handle } of paid) expect((await handle.result()).state).toBe('succeeded');
    expect(harness.gateway.engine.books(paymentId)).toMatchObject({ refunded: 60_00n, pending: 0n });
  });
});

describe('one intent', () => {
  it('is one refund and one payout, however often it is requested under its key', async () => {
    const { paymentId } = harness.newPayment();
    const first = await harness.accept(paymentId, '40.00', 'order-1');
    const second = await harness.accept(paymentId, '40.00', 'order-1');
    expect(second.id).toBe(first.id);
    await (await harness.drive(first.id)).result();
    await (await harness.drive(second.id)).result();
    expect(harness.gateway.engine.books(paymentId)).toMatchObject({ refunded: 40_00n });
  });

  it('cannot be changed under its key', async () => {
    const { paymentId } = harness.newPayment();
    const first = await harness.accept(paymentId, '40.00', 'order-2');
    await expect(harness.accept(paymentId, '41.00', 'order-2')).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
    await (await harness.drive(first.id)).result();
  });
});

describe('a refund that the ledger does not know', () => {
  it('fails at once instead of being retried forever', async () => {
    const refundId = '00000000-0000-7000-8000-000000000000';
    const handle = await harness.temporal.workflow.start('refund', {
      workflowId: `refund-${refundId}-${harness.queues.refunds}`,
      taskQueue: harness.queues.refunds,
      args: [{ refundId, config: harness.config, queryTaskQueue: `${harness.queues.queries}-nobody` }],
    });
    await expect(handle.result()).rejects.toMatchObject({ cause: { cause: { type: 'refund_unknown' } } });
  });
});

describe('a refund that waits for an operator', () => {
  it('is found by its search attributes, and is no longer found when it is final', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'reject', code: '700.300.300' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    await harness.untilState(refundId, 'manual_review');

    const waiting = async (): Promise<string[]> => {
      const query = `RefundNeedsOperator = true AND PaymentId = '${paymentId}' AND ExecutionStatus = 'Running'`;
      const found: string[] = [];
      for await (const { workflowId } of harness.temporal.workflow.list({ query })) found.push(workflowId);
      return found;
    };
    await eventually('the refund is listed', async () => ((await waiting()).length > 0 ? true : undefined));
    expect(await waiting()).toEqual([handle.workflowId]);
    const { typedSearchAttributes } = await handle.describe();
    expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.state)).toBe('manual_review');
    expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.needsOperator)).toBe(true);
    expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.paymentId)).toBe(paymentId);

    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    await eventually('the refund is not listed', async () =>
      (await waiting()).length === 0 ? true : undefined,
    );
    expect((await handle.describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state)).toBe('canceled');
    expect((await harness.refund(refundId)).state).toBe('canceled');
  });
});
