/** What an operator may do with a refund's run at any time: start it, end it, take it back. Money moves once all the same. */
import { describe, expect, it } from 'vitest';
import { historyOf } from './history.js';
import { openWorld, type RefundHandle } from './world.js';
import { resetToTheStart } from '../support/reset.js';

const world = await openWorld();

const runIdOf = async (handle: RefundHandle): Promise<string> => (await handle.describe()).runId;

const finish = ([attempt]: readonly { readonly gatewayId: string | null }[]): void => {
  world.gateway.engine.finishPending({ id: attempt?.gatewayId ?? '', state: 'succeeded' });
};

const sendsOf = async (refundId: string): Promise<readonly number[]> =>
  (await world.refund(refundId)).attempts.map(({ sends }) => sends);

describe('a refund that is under way', () => {
  it('started again is the same run', async () => {
    const { paymentId } = world.newPayment();
    world.fault({ kind: 'pending' }, { paymentId });
    const { refundId, handle } = await world.pay(paymentId, '100.00');
    const { attempts } = await world.untilState(refundId, 'pending');
    const before = await runIdOf(handle);
    await world.drive(refundId);
    expect(await runIdOf(handle)).toBe(before);
    finish(attempts);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await sendsOf(refundId)).toEqual([1]);
  });

  it('terminated between sending and the answer, and started again, is looked up and not sent again', async () => {
    const { paymentId } = world.newPayment();
    // Far longer than the next run needs: what it knows is from its own look-up.
    world.fault({ kind: 'answer_after', ms: 5_000 }, { paymentId });
    const { refundId, handle } = await world.pay(paymentId, '100.00');
    await world.untilExecuted(paymentId);
    await handle.terminate('a test of repairs');
    const again = await world.drive(refundId);
    expect(await again.result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(again)).activities).toEqual(['sendRefund', 'lookUp']);
    expect(await sendsOf(refundId)).toEqual([1]);
  });

  it('terminated before the request arrived, is proven absent and sent again under its reference', async () => {
    const soon = { sendWindow: 1_500 };
    const { paymentId } = world.newPayment();
    world.fault({ kind: 'drop_before_execute' }, { paymentId });
    // Only the next run looks it up.
    const patient = { ...soon, lookUpFirst: 3_600_000, lookUpMax: 3_600_000 };
    const { refundId, handle } = await world.pay(paymentId, '100.00', patient);
    const { attempts } = await world.untilState(refundId, 'unknown');
    await handle.terminate('a test of repairs');
    const again = await world.drive(refundId, soon);
    expect(await again.result()).toMatchObject({ state: 'succeeded' });
    expect((await world.refund(refundId)).attempts).toMatchObject([
      { reference: attempts[0]?.reference, sends: 2 },
    ]);
  });

  it('reset to before it was sent, adopts what the first run did', async () => {
    const { paymentId } = world.newPayment();
    world.fault({ kind: 'pending' }, { paymentId });
    const { refundId, handle } = await world.pay(paymentId, '100.00');
    const { attempts } = await world.untilState(refundId, 'pending');
    const before = await runIdOf(handle);
    await resetToTheStart(world.temporal, handle);
    expect(await runIdOf(handle)).not.toBe(before);
    finish(attempts);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await sendsOf(refundId)).toEqual([1]);
  });

  it('reset while the answer is on its way, is not sent again', async () => {
    const { paymentId } = world.newPayment();
    world.fault({ kind: 'answer_after', ms: 1_000 }, { paymentId });
    const { refundId, handle } = await world.pay(paymentId, '100.00');
    await world.untilExecuted(paymentId);
    await resetToTheStart(world.temporal, handle);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await sendsOf(refundId)).toEqual([1]);
  });

  it('reset after a refused refund became a credit, does not send a second credit', async () => {
    const { paymentId, registrationId } = world.newPayment();
    world.fault({ kind: 'reject', code: '700.500.001' }, { paymentId });
    world.fault({ kind: 'answer_after', ms: 1_000 }, { registrationId });
    const { refundId, handle } = await world.pay(paymentId, '100.00');
    await world.untilRefund(refundId, ({ attempts }) => attempts.length === 2);
    await resetToTheStart(world.temporal, handle);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect((await world.refund(refundId)).attempts.map(({ way, sends }) => [way, sends])).toEqual([
      ['refund', 1],
      ['credit', 1],
    ]);
  });
});

describe('a refund that has ended', () => {
  it.for([
    { ending: 'succeeded', sends: [1] },
    { ending: 'failed', sends: [1, 1] },
  ] as const)('$ending, started again, ends the same and sends nothing', async ({ ending, sends }) => {
    const { paymentId, registrationId } = world.newPayment();
    if (ending === 'failed') {
      world.fault({ kind: 'reject', code: '700.500.001' }, { paymentId });
      world.fault({ kind: 'reject', code: '800.100.152' }, { registrationId });
    }
    const { refundId, handle } = await world.pay(paymentId, '100.00');
    const first = await handle.result();
    expect(first).toMatchObject({ state: ending });
    const before = await runIdOf(handle);
    const again = await world.drive(refundId);
    expect(await again.result()).toEqual(first);
    expect(await runIdOf(again)).not.toBe(before);
    expect((await historyOf(again)).activities).toEqual(['sendRefund']);
    expect(await sendsOf(refundId)).toEqual(sends);
  });

  it('and reset to before it was sent, ends the same and sends nothing', async () => {
    const { paymentId } = world.newPayment();
    const { refundId, handle } = await world.pay(paymentId, '100.00');
    await handle.result();
    await resetToTheStart(world.temporal, handle);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await sendsOf(refundId)).toEqual([1]);
  });
});
