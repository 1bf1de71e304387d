/**
 * 11: the refund is pending for days and the budget of queries is spent. Marked as failed, it is paid again by hand, and the first one arrives too.
 * Sources: juspay/hyperswitch#12755 and #9622, own-pay/OwnPay#222 (failed by itself after 24 hours, then paid twice).
 */
import { describe, it } from 'vitest';
import { referenceFor } from '../../domain/refund/reference.js';
import { eventually, openHarness } from './harness.js';

const harness = await openHarness();
const { engine } = harness.gateway;

/** Scales days to milliseconds. */
const hurried = harness.clientWith({ caseAfterPending: 400, caseAfterUnknown: 400, queryMax: 200 });

async function pendingTooLong() {
  const payment = harness.newPayment();
  harness.onRefund(payment, { kind: 'pending' });
  const { id } = await harness.ask(payment, '60.00', { by: hurried });
  const refund = await harness.until(id, 'manual_review');
  return { payment, id, refund, gatewayId: refund.attempts[0]?.gatewayId ?? '' };
}

const queriesOf = async (refundId: string): Promise<number> =>
  (await harness.dependencies.ledger.findRefund(refundId))?.attempts[0]?.queries ?? 0;

/** Returns the milliseconds between one query and the next, oldest first. */
async function pausesOf(refundId: string): Promise<readonly number[]> {
  const rows = await harness.database.db
    .selectFrom('queries')
    .innerJoin('attempts', 'attempts.id', 'queries.attempt_id')
    .select('queries.at')
    .where('refund_id', '=', refundId)
    .orderBy('queries.id')
    .execute();
  return rows.slice(1).map(({ at }, index) => at.getTime() - (rows[index]?.at.getTime() ?? 0));
}

describe.concurrent('a refund that stays pending', () => {
  it('never fails by time alone: it becomes a case, stays reserved and is still queried', async ({
    expect,
  }) => {
    const { payment, id, refund, gatewayId } = await pendingTooLong();
    expect(refund).toMatchObject({
      status: 'review',
      why: 'pending_too_long',
      attempts: [{ state: 'pending' }],
    });
    expect(await harness.openCases(id)).toEqual(['pending_too_long']);
    const before = await queriesOf(id);
    await eventually('five more queries', async () =>
      (await queriesOf(id)) >= before + 5 ? true : undefined,
    );

    expect(await harness.client.getRefund(id)).toMatchObject({ state: 'manual_review' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n, refundableMinor: 40_00n });
    await expect(harness.ask(payment, '60.00')).rejects.toMatchObject({ code: 'exceeds_refundable' });
    await expect(harness.client.withdraw(id, { by: 'clerk', reason: 'paid by hand' })).rejects.toMatchObject({
      code: 'may_have_left',
    });

    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
    expect(await harness.openCases(id)).toEqual([]);
  });

  it('and is declined in the end, continues with the next operation', async ({ expect }) => {
    const { payment, id, gatewayId } = await pendingTooLong();
    engine.finishPending({ id: gatewayId, state: 'rejected' });
    expect(await harness.until(id, 'succeeded')).toMatchObject({ operation: 'credit' });
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', refunded: '0.00', credited: '60.00' });
    expect(await harness.openCases(id)).toEqual([]);
  });

  it('is queried less and less often', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'pending' });
    const client = harness.clientWith({ queryFirst: 40, queryGrowth: 3, queryMax: 1_200 });
    const { id } = await harness.ask(payment, '60.00', { by: client });
    const pauses = await eventually('five queries', async () => {
      const found = await pausesOf(id);
      return found.length >= 4 ? found : undefined;
    });
    // 120, 360, 1,080 and 1,200 ms at least; a loaded machine only adds.
    expect(pauses[0]).toBeGreaterThanOrEqual(100);
    expect(pauses[1]).toBeGreaterThanOrEqual(340);
    expect(pauses[2]).toBeGreaterThanOrEqual(1_060);
    expect(pauses[3]).toBeGreaterThanOrEqual(1_180);
    engine.finishPending({ id: harness.transactionsOf(payment)[0]?.id ?? '', state: 'succeeded' });
    await harness.until(id, 'succeeded');
  });
});

describe.concurrent('a refund for which no query gives a usable answer', () => {
  it('never fails by time alone either, and ends when the gateway can be queried again', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'accept_then_drop' });
    const id = await harness.accept(payment);
    // The answer to a query by reference is only that there were too many requests.
    const reference = referenceFor(id, 'refund', 1);
    const rule = engine.setFault({
      match: { merchantTransactionId: reference },
      times: 'always',
      effect: { kind: 'query', how: 'throttled' },
    });
    await hurried.resume();
    expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'outcome_unknown' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n });
    expect(harness.ordersUnder(reference)).toBe(1);

    engine.clearFault(rule);
    await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
    expect(harness.ordersUnder(reference)).toBe(1);
  });
});
