/** The gateway's notices: hints that bring the next look-up forward, and nothing else. */
import { describe, expect, it } from 'vitest';
import { historyOf } from './history.js';
import { eventually, openWorld } from './world.js';
import { gatewayNotice } from '../../workflows/contract.js';

const world = await openWorld();

/** Far longer than any test may last: what ends such a wait is the notice. */
const HOUR = 3_600_000;
const patient = { lookUpFirst: HOUR, lookUpMax: HOUR, caseAfterPending: 24 * HOUR };

async function pendingRefund() {
  const { paymentId } = world.newPayment();
  world.fault({ kind: 'pending' }, { paymentId });
  const { refundId, handle } = await world.pay(paymentId, '100.00', patient);
  const { attempts } = await world.untilState(refundId, 'pending');
  return { refundId, handle, gatewayId: attempts[0]?.gatewayId ?? '' };
}

const lookUpsOf = async (refundId: string): Promise<number> =>
  (await world.refund(refundId)).attempts.reduce((sum, { lookUps }) => sum + lookUps, 0);

describe('a notice about a pending refund', () => {
  it('has it looked up at once instead of in an hour', async () => {
    const { refundId, handle, gatewayId } = await pendingRefund();
    world.gateway.engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await handle.signal(gatewayNotice);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await lookUpsOf(refundId)).toBe(1);
  });

  it('proves nothing by itself: while the gateway has nothing final, the refund stays pending', async () => {
    const { refundId, handle, gatewayId } = await pendingRefund();
    await handle.signal(gatewayNotice);
    await eventually('it was looked up', async () => ((await lookUpsOf(refundId)) === 1 ? true : undefined));
    expect((await world.refund(refundId)).state).toBe('pending');
    world.gateway.engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await handle.signal(gatewayNotice);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
  });

  it('that comes before the answer does is not forgotten', async () => {
    const { paymentId } = world.newPayment();
    world.fault({ kind: 'accept_then_drop', dropAfterMs: 2_000 }, { paymentId });
    const { refundId, handle } = await world.pay(paymentId, '100.00', patient);
    await world.untilExecuted(paymentId);
    expect((await world.refund(refundId)).state).toBe('submitting');
    await handle.signal(gatewayNotice);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(handle)).activities).toEqual(['sendRefund', 'lookUp']);
  });
});
