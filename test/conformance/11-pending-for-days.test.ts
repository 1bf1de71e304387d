/**
 * 11: the refund is pending for days and the budget of look-ups is spent. Called failed, it is paid again by hand, and arrives as well.
 * Sources: juspay/hyperswitch#12755 and #9622, own-pay/OwnPay#222 (failed by itself after 24 hours, then paid twice).
 */
import { describe, it } from 'vitest';
import { referenceFor } from '../../domain/refund/reference.js';
import { eventually, openWorld } from './world.js';

const world = await openWorld();
const { engine } = world.gateway;

/** Days that pass in milliseconds. */
const hurried = world.clientWith({ caseAfterPending: 400, caseAfterUnknown: 400, lookUpMax: 200 });

async function pendingTooLong() {
  const payment = world.newPayment();
  world.onRefund(payment, { kind: 'pending' });
  const { id } = await world.ask(payment, '60.00', { by: hurried });
  const refund = await world.until(id, 'manual_review');
  return { payment, id, refund, gatewayId: refund.attempts[0]?.gatewayId ?? '' };
}

const lookUpsOf = async (refundId: string): Promise<number> =>
  (await world.dependencies.ledger.findRefund(refundId))?.attempts[0]?.lookUps ?? 0;

/** Milliseconds between one look-up and the next, oldest first. */
async function pausesOf(refundId: string): Promise<readonly number[]> {
  const rows = await world.database.db
    .selectFrom('look_ups')
    .innerJoin('attempts', 'attempts.id', 'look_ups.attempt_id')
    .select('look_ups.at')
    .where('refund_id', '=', refundId)
    .orderBy('look_ups.id')
    .execute();
  return rows.slice(1).map(({ at }, index) => at.getTime() - (rows[index]?.at.getTime() ?? 0));
}

describe.concurrent('a refund that stays pending', () => {
  it('is never failed by time: it becomes a case, stays reserved and is still looked up', async ({
    expect,
  }) => {
    const { payment, id, refund, gatewayId } = await pendingTooLong();
    expect(refund).toMatchObject({
      status: 'review',
      why: 'pending_too_long',
      attempts: [{ state: 'pending' }],
    });
    expect(await world.openCases(id)).toEqual(['pending_too_long']);
    const before = await lookUpsOf(id);
    await eventually('five more look-ups', async () =>
      (await lookUpsOf(id)) >= before + 5 ? true : undefined,
    );

    expect(await world.client.getRefund(id)).toMatchObject({ state: 'manual_review' });
    expect(await world.balance(payment)).toMatchObject({ reservedMinor: 60_00n, refundableMinor: 40_00n });
    await expect(world.ask(payment, '60.00')).rejects.toMatchObject({ code: 'exceeds_refundable' });
    await expect(world.client.withdraw(id, { by: 'clerk', reason: 'paid by hand' })).rejects.toMatchObject({
      code: 'may_have_left',
    });

    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await world.until(id, 'succeeded');
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
    expect(await world.openCases(id)).toEqual([]);
  });

  it('and is refused after all, goes on to the next way', async ({ expect }) => {
    const { payment, id, gatewayId } = await pendingTooLong();
    engine.finishPending({ id: gatewayId, state: 'rejected' });
    expect(await world.until(id, 'succeeded')).toMatchObject({ operation: 'credit' });
    expect(world.booked(payment)).toMatchObject({ out: '60.00', refunded: '0.00', credited: '60.00' });
    expect(await world.openCases(id)).toEqual([]);
  });

  it('is looked up less and less often', async ({ expect }) => {
    const payment = world.newPayment();
    world.onRefund(payment, { kind: 'pending' });
    const client = world.clientWith({ lookUpFirst: 40, lookUpGrowth: 3, lookUpMax: 1_200 });
    const { id } = await world.ask(payment, '60.00', { by: client });
    const pauses = await eventually('five look-ups', async () => {
      const found = await pausesOf(id);
      return found.length >= 4 ? found : undefined;
    });
    // 120, 360, 1,080 and 1,200 ms at least; a loaded machine only adds.
    expect(pauses[0]).toBeGreaterThanOrEqual(100);
    expect(pauses[1]).toBeGreaterThanOrEqual(340);
    expect(pauses[2]).toBeGreaterThanOrEqual(1_060);
    expect(pauses[3]).toBeGreaterThanOrEqual(1_180);
    engine.finishPending({ id: world.transactionsOf(payment)[0]?.id ?? '', state: 'succeeded' });
    await world.until(id, 'succeeded');
  });
});

describe.concurrent('a refund of which no look-up tells anything', () => {
  it('is never failed by time either, and ends when the gateway can be asked again', async ({ expect }) => {
    const payment = world.newPayment();
    world.onRefund(payment, { kind: 'accept_then_drop' });
    const id = await world.accept(payment);
    // Asked by the reference, the gateway only answers that it is asked too often.
    const reference = referenceFor(id, 'refund', 1);
    const rule = engine.setFault({
      match: { merchantTransactionId: reference },
      times: 'always',
      effect: { kind: 'look_up', how: 'throttled' },
    });
    await hurried.resume();
    expect(await world.until(id, 'manual_review')).toMatchObject({ why: 'outcome_unknown' });
    expect(await world.balance(payment)).toMatchObject({ reservedMinor: 60_00n });
    expect(world.ordersUnder(reference)).toBe(1);

    engine.clearFault(rule);
    await world.until(id, 'succeeded');
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
    expect(world.ordersUnder(reference)).toBe(1);
  });
});
