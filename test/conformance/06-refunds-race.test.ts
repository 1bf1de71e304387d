/**
 * 06: two refunds race on one payment. Each alone is allowed, together they exceed the payment.
 * Sources: juspay/hyperswitch#13182 and #13379, saleor/saleor#19645, saleor/saleor-dashboard#4474.
 */
import { describe, it } from 'vitest';
import { createRefundsClient } from '../../client/index.js';
import { NEVER, openHarness } from './harness.js';

const harness = await openHarness();

/** A second client that shares nothing with the first one but the servers. */
const disputeTeam = createRefundsClient({
  temporal: harness.temporal,
  dependencies: harness.dependencies,
  start: harness.start,
  queues: harness.queues,
});

const REFUSED = 'exceeds_refundable';

/** Returns the outcome of each request: the refund's id, or the error code and the amount that is still refundable. */
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
    'two of %s: one is accepted, the other gets an error that %s is refundable',
    async ([amount, left], { expect }) => {
      const payment = harness.newPayment();
      const { accepted, refused } = await settle([
        harness.ask(payment, amount, { clientId: 'cancellation' }),
        harness.ask(payment, amount, { clientId: 'disputes', by: disputeTeam }),
      ]);
      expect(accepted).toHaveLength(1);
      expect(refused).toEqual([
        expect.objectContaining({
          code: REFUSED,
          details: expect.objectContaining({ refundable: left }) as unknown,
        }),
      ]);
      for (const id of accepted) await harness.until(id, 'succeeded');
      expect(harness.booked(payment)).toMatchObject({ out: amount });
      expect(harness.transactionsOf(payment)).toHaveLength(1);
    },
  );

  it('thirty of 10.00: exactly ten are paid', async ({ expect }) => {
    const payment = harness.newPayment();
    const { accepted, refused } = await settle(
      Array.from({ length: 30 }, (_, index) =>
        harness.ask(payment, '10.00', index % 2 === 0 ? {} : { by: disputeTeam, clientId: 'disputes' }),
      ),
    );
    expect(accepted).toHaveLength(10);
    expect(refused).toHaveLength(20);
    for (const refusal of refused) expect(refusal).toMatchObject({ code: REFUSED });
    for (const id of accepted) await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '100.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 0n });
  });

  it('the rejected one is accepted when the other has finally failed', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '700.100.300' });
    const first = await harness.ask(payment, '60.00');
    await harness.until(first.id, 'failed');
    const second = await harness.ask(payment, '60.00', { by: disputeTeam, clientId: 'disputes' });
    await harness.until(second.id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('the rejected one stays rejected while the outcome of the other is unknown', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'pending' });
    const first = await harness.ask(payment, '60.00');
    const { attempts } = await harness.until(first.id, 'pending');
    await expect(harness.ask(payment, '60.00', { by: disputeTeam })).rejects.toMatchObject({ code: REFUSED });
    harness.gateway.engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    await harness.until(first.id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('one of the authorization and one of its capture: they share the captured amount', async ({
    expect,
  }) => {
    const payment = harness.newPayment({ type: 'PA', captures: ['100.00'] });
    const [captureId = ''] = payment.captureIds;
    const { accepted, refused } = await settle([
      harness.ask(payment, '60.00'),
      harness.ask({ ...payment, paymentId: captureId }, '60.00', { by: disputeTeam }),
    ]);
    expect(accepted).toHaveLength(1);
    expect(refused).toMatchObject([{ code: REFUSED }]);
    for (const id of accepted) await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('ours and one in the portal: the gateway executes one of them, and no credit follows the other', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    const held = harness.clientWith({ retryFirst: NEVER, retryMax: NEVER });
    harness.onRefund(payment, { kind: 'reject', code: '900.100.600' });
    const { id } = await harness.ask(payment, '60.00', { by: held });
    await harness.until(id, 'rejected');
    harness.gateway.engine.refundInPortal({ paymentId: payment.paymentId, amount: 60_00n });
    await harness.restart(id);
    expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'refunded_elsewhere' });
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', credited: '0.00' });
  });
});
