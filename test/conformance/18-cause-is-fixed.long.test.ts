/**
 * 18: the operator fixes a cause (a token, the account set-up, a limit). The stopped refunds must continue, one or thousands, without a second
 * payment and without new requests.
 * Sources: the gateway's 800.900.300 for a token that has expired; Hyperswitch #7166 (failed refunds that nothing could send again).
 */
import { describe, expect, it } from 'vitest';
import { openHarness } from './harness.js';

const harness = await openHarness();
const FIXED = { by: 'operator', reason: 'the token is valid again', ticket: 'OPS-7' };
const WRONG_TOKEN = { kind: 'reject', code: '800.900.300', httpStatus: 403 } as const;

describe('a wrong token', () => {
  it('when a refund is submitted: after a replay it is paid once', async () => {
    const payment = harness.newPayment();
    harness.onRefund(payment, WRONG_TOKEN);
    const { id } = await harness.ask(payment, '60.00');
    await harness.until(id, 'manual_review');
    const [first, second] = await Promise.all([
      harness.client.replay(id, FIXED),
      harness.client.replay(id, { ...FIXED, by: 'another operator' }),
    ]);
    expect([first.outcome, second.outcome]).toContain('replayed');
    await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ refunded: '60.00', out: '60.00' });
    expect(await harness.client.replay(id, FIXED)).toMatchObject({ outcome: 'over' });
  });

  it('when a credit is submitted: the refund stays open, and after a replay it is paid once', async () => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    harness.onCredit(payment, WRONG_TOKEN);
    const { id } = await harness.ask(payment, '60.00');
    const review = await harness.until(id, 'manual_review');
    expect(review.cases).toMatchObject([{ why: 'configuration' }]);
    await harness.client.replay(id, FIXED);
    await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ credited: '60.00', out: '60.00' });
    expect(harness.creditOrders(payment)).toBe(2);
  });

  it('for many refunds: they are counted, replayed together, and paid once each', async () => {
    const since = new Date(Date.now() - 1_000);
    const payments = Array.from({ length: 5 }, () => harness.newPayment());
    for (const payment of payments) harness.onRefund(payment, { kind: 'reject', code: '600.300.200' });
    const ids = await Promise.all(payments.map(async (payment) => (await harness.ask(payment, '60.00')).id));
    await Promise.all(ids.map((id) => harness.until(id, 'manual_review')));
    const all = { case: 'configuration', since, ...FIXED } as const;
    const counted = await harness.client.replayMany({ ...all, dryRun: true });
    expect(counted).toMatchObject({ count: 5, sums: { EUR: '300.00' }, replayed: 0 });
    const batches = [];
    for (let cursor: string | undefined; ;) {
      const batch = await harness.client.replayMany({
        ...all,
        limit: 2,
        commandId: 'one-command',
        ...(cursor === undefined ? {} : { cursor }),
      });
      batches.push(batch.replayed);
      if (batch.nextCursor === null) break;
      cursor = batch.nextCursor;
    }
    expect(batches).toEqual([2, 2, 1]);
    await Promise.all(ids.map((id) => harness.until(id, 'succeeded')));
    for (const payment of payments) expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
    expect(await harness.client.replayMany({ ...all, dryRun: true })).toMatchObject({ count: 0, sums: {} });
  });
});
