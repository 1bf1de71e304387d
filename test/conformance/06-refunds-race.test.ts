/**
 * 06: two refunds race on one payment; each alone would be right, together they give back more than was paid.
 * Sources: juspay/hyperswitch#13182 and #13379, saleor/saleor#19645, saleor/saleor-dashboard#4474.
 */
import { describe, it } from 'vitest';
import { createRefundsClient } from '../../client/index.js';
import { NEVER, openWorld } from './world.js';

const world = await openWorld();

/** As another process: nothing is shared with the first one but the servers. */
const disputeDesk = createRefundsClient({
  temporal: world.temporal,
  dependencies: world.dependencies,
  start: world.start,
  queues: world.queues,
});

const REFUSED = 'exceeds_refundable';

/** What became of each: the refund's id, or the code and what it says may still be asked for. */
async function settle(asked: readonly Promise<{ readonly id: string }>[]) {
  const results = await Promise.allSettled(asked);
  const refused: unknown[] = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  return {
    accepted: results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.id] : [])),
    refused,
  };
}

describe.concurrent('refunds at once on a payment of 100', () => {
  it.for([
    ['60.00', '40.00'],
    ['100.00', '0.00'],
  ] as const)(
    'two of %s: one is accepted, the other is told that %s is left',
    async ([amount, left], { expect }) => {
      const payment = world.newPayment();
      const { accepted, refused } = await settle([
        world.ask(payment, amount, { caller: 'cancellation' }),
        world.ask(payment, amount, { caller: 'disputes', by: disputeDesk }),
      ]);
      expect(accepted).toHaveLength(1);
      expect(refused).toEqual([
        expect.objectContaining({
          code: REFUSED,
          details: expect.objectContaining({ refundable: left }) as unknown,
        }),
      ]);
      for (const id of accepted) await world.until(id, 'succeeded');
      expect(world.booked(payment)).toMatchObject({ out: amount });
      expect(world.transactionsOf(payment)).toHaveLength(1);
    },
  );

  it('thirty of 10.00: exactly ten are paid', async ({ expect }) => {
    const payment = world.newPayment();
    const { accepted, refused } = await settle(
      Array.from({ length: 30 }, (_, index) =>
        world.ask(payment, '10.00', index % 2 === 0 ? {} : { by: disputeDesk, caller: 'disputes' }),
      ),
    );
    expect(accepted).toHaveLength(10);
    expect(refused).toHaveLength(20);
    for (const refusal of refused) expect(refusal).toMatchObject({ code: REFUSED });
    for (const id of accepted) await world.until(id, 'succeeded');
    expect(world.booked(payment)).toMatchObject({ out: '100.00' });
    expect(await world.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 0n });
  });

  it('the one that was refused is accepted when the other has failed for good', async ({ expect }) => {
    const payment = world.newPayment();
    world.onRefund(payment, { kind: 'reject', code: '700.100.300' });
    const first = await world.ask(payment, '60.00');
    await world.until(first.id, 'failed');
    const second = await world.ask(payment, '60.00', { by: disputeDesk, caller: 'disputes' });
    await world.until(second.id, 'succeeded');
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('the one that was refused stays refused while the other is unknown', async ({ expect }) => {
    const payment = world.newPayment();
    world.onRefund(payment, { kind: 'pending' });
    const first = await world.ask(payment, '60.00');
    const { attempts } = await world.until(first.id, 'pending');
    await expect(world.ask(payment, '60.00', { by: disputeDesk })).rejects.toMatchObject({ code: REFUSED });
    world.gateway.engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    await world.until(first.id, 'succeeded');
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('by the authorisation and by its capture, are refunds of the same money', async ({ expect }) => {
    const payment = world.newPayment({ type: 'PA', captures: ['100.00'] });
    const [captureId = ''] = payment.captureIds;
    const { accepted, refused } = await settle([
      world.ask(payment, '60.00'),
      world.ask({ ...payment, paymentId: captureId }, '60.00', { by: disputeDesk }),
    ]);
    expect(accepted).toHaveLength(1);
    expect(refused).toMatchObject([{ code: REFUSED }]);
    for (const id of accepted) await world.until(id, 'succeeded');
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('ours and one in the back office: the gateway executes one of them, and no credit makes up for it', async ({
    expect,
  }) => {
    const payment = world.newPayment();
    const held = world.clientWith({ retryFirst: NEVER, retryMax: NEVER });
    world.onRefund(payment, { kind: 'reject', code: '900.100.600' });
    const { id } = await world.ask(payment, '60.00', { by: held });
    await world.until(id, 'rejected');
    world.gateway.engine.refundInPortal({ paymentId: payment.paymentId, amount: 60_00n });
    await world.restart(id);
    expect(await world.until(id, 'manual_review')).toMatchObject({ why: 'refunded_elsewhere' });
    expect(world.booked(payment)).toMatchObject({ out: '60.00', credited: '0.00' });
  });
});
