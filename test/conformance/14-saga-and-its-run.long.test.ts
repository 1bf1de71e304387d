/**
 * 14, second part: the refund's run ends before the refund is final (an operator restarts, terminates or resets it), or the client's own
 * run starts again, while the order waits. Only the final state in the ledger triggers a compensation.
 */
import { CancelledFailure } from '@temporalio/common';
import { describe, it } from 'vitest';
import { resetToTheStart } from '../support/reset.js';
import { openMerchant, type Cancellation } from './merchant.js';
import { eventually, openHarness } from './harness.js';

const harness = await openHarness();
const { orders, newOrder, cancelOrder, refundOf, stateOf, callsOf, reservations } =
  await openMerchant(harness);

const NOTE = { by: 'berta', reason: 'it hangs' };
/** A decline after which nothing is retried. */
const NOT_OWED = '700.100.300';

/** Cancels an order whose refund the gateway has accepted and not decided yet. */
async function waiting() {
  const order = newOrder();
  harness.onRefund(order.payment, { kind: 'pending' });
  const run = await cancelOrder(order);
  const { id } = await refundOf(order);
  const { attempts } = await harness.until(id, 'pending');
  const decide = (state: 'succeeded' | 'rejected'): void => {
    harness.gateway.engine.finishPending({
      id: attempts[0]?.gatewayId ?? '',
      state,
      ...(state === 'rejected' ? { code: NOT_OWED } : {}),
    });
  };
  return { order, run, id, decide };
}

const endings: Readonly<Record<string, (id: string) => Promise<void>>> = {
  'an operator restarts': async (id) => {
    const { runId } = await harness.run(id).describe();
    await harness.client.replay(id, { ...NOTE, restart: { runId } });
  },
  'an operator terminates, and another one replays': async (id) => {
    await harness.run(id).terminate('a test');
    await harness.client.replay(id, NOTE);
  },
  'an operator resets': (id) => resetToTheStart(harness.temporal, harness.run(id)),
  'an operator cancels in Temporal': async (id) => {
    await harness.run(id).cancel();
  },
};

/** Without a run of the refund, the client asks the ledger at growing intervals: it may learn of the end up to twice as late. */
const PATIENT = { timeout: 240_000 };

describe.concurrent('a run of the refund that', PATIENT, () => {
  it.for(Object.entries(endings))(
    '%s: the order stays on hold, and follows the refund',
    async ([, end], { expect }) => {
      const { order, run, id, decide } = await waiting();
      await end(id);
      // The client has seen that the run is gone: it asks the ledger, or waits for the next run.
      await eventually('the next run is alive', async () =>
        (await harness.run(id).describe()).status.name === 'RUNNING' ? true : undefined,
      );
      expect(stateOf(order)).toBe('on_hold');
      decide('succeeded');
      expect(await run.result()).toMatchObject({
        order: 'canceled',
        refund: { refundId: id, state: 'succeeded' },
      });
      expect(stateOf(order)).toBe('canceled');
      expect(callsOf(order, 'restoreOrder')).toBe(0);
      expect(harness.booked(order.payment)).toMatchObject({ out: '100.00' });
    },
  );

  it('an operator restarts, and which is finally declined: the order is restored once', async ({
    expect,
  }) => {
    const { order, run, id, decide } = await waiting();
    await endings['an operator restarts']?.(id);
    decide('rejected');
    expect(await run.result()).toMatchObject({ order: 'restored', refund: { state: 'failed' } });
    expect(callsOf(order, 'restoreOrder')).toBe(1);
    expect(await reservations(order)).toEqual([100_00n, -100_00n]);
    expect(harness.booked(order.payment)).toMatchObject({ out: '0.00' });
  });

  it('is terminated while the client is canceled too: the refund runs to its own end', async ({ expect }) => {
    const { order, run, id, decide } = await waiting();
    await run.cancel();
    await harness.run(id).terminate('a test');
    await harness.client.replay(id, NOTE);
    decide('succeeded');
    expect(await run.result()).toMatchObject({ order: 'canceled', refund: { state: 'succeeded' } });
    expect(stateOf(order)).toBe('canceled');
  });
});

/** Ends the client's own run and starts the cancellation of the order again. */
async function beginAgain(order: Cancellation, run: { terminate(reason: string): Promise<unknown> }) {
  await run.terminate('a test');
  return cancelOrder(order);
}

describe.concurrent(
  'a cancellation of the order that starts again while its refund is in transit',
  PATIENT,
  () => {
    it('and is canceled before it requests the refund: the order is not restored', async ({ expect }) => {
      const order = newOrder();
      harness.onRefund(order.payment, { kind: 'pending' });
      const first = await cancelOrder(order);
      const { id } = await refundOf(order);
      const { attempts } = await harness.until(id, 'pending');
      await first.terminate('a test');
      const again = await cancelOrder(order);
      await again.cancel();
      harness.gateway.engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
      expect(await again.result()).toMatchObject({ order: 'canceled', refund: { state: 'succeeded' } });
      expect(callsOf(order, 'restoreOrder')).toBe(0);
    });

    it('for another amount: the key is in use, so the order stays on hold and the workflow fails', async ({
      expect,
    }) => {
      const { order, run, id, decide } = await waiting();
      const known = orders.get(order.orderId);
      if (known !== undefined) orders.set(order.orderId, { ...known, amount: '90.00' });
      const again = await beginAgain(order, run);
      await expect(again.result()).rejects.toMatchObject({
        cause: { cause: { type: 'idempotency_key_reused' } },
      });
      expect(stateOf(order)).toBe('on_hold');
      expect(callsOf(order, 'restoreOrder')).toBe(0);
      decide('succeeded');
      await harness.until(id, 'succeeded');
      expect(harness.booked(order.payment)).toMatchObject({ out: '100.00' });
    });
  },
);

describe.concurrent('a cancellation of the order that is canceled', () => {
  it('while the order is being held: nothing was accepted, so the order is restored', async ({ expect }) => {
    const order = newOrder({ step: 'holdOrder', times: 2 });
    const run = await cancelOrder(order);
    await eventually('it holds', () => (callsOf(order, 'holdOrder') > 0 ? true : undefined));
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(stateOf(order)).toBe('open');
    expect(await harness.client.listRefunds({ paymentId: order.payment.paymentId })).toEqual([]);
  });
});
