/** Stopping a refund: possible until anything may have left, refused from then on. */
import { describe, expect, it } from 'vitest';
import { historyOf } from './history.js';
import { eventually, openHarness } from './harness.js';
import { withdrawUpdate } from '../../workflows/refund/contract.js';

const harness = await openHarness();

const MESSAGE = { by: 'clerk', reason: 'the customer keeps the goods' };

describe('before anything was sent', () => {
  it('a refund that waits for a retry after a soft decline can be withdrawn', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'reject', code: '900.100.600' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00', {
      retryFirst: 60_000,
      retryMax: 60_000,
    });
    await harness.untilState(refundId, 'rejected');

    expect(await handle.executeUpdate(withdrawUpdate, { args: [MESSAGE] })).toMatchObject({
      kind: 'withdrawn',
    });
    expect(await handle.result()).toMatchObject({ state: 'canceled', why: MESSAGE.reason });
    expect(harness.gateway.engine.books(paymentId)).toMatchObject({ refunded: 0n });
  });
});

describe('once it may have left', () => {
  it('a cancellation comes too late: the refund runs to its end', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'answer_after', ms: 2_000 }, { paymentId });
    const { handle } = await harness.pay(paymentId, '100.00');
    await harness.untilExecuted(paymentId);
    await handle.cancel();

    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
  });

  it('a cancellation while the outcome is open is refused by the ledger, and queries go on', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'pending' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    const { attempts } = await harness.untilState(refundId, 'pending');
    await handle.cancel();
    await eventually('the wish was weighed', async () =>
      (await historyOf(handle)).activities.includes('withdrawRefund') ? true : undefined,
    );
    harness.gateway.engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });

    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
  });

  it('a withdrawal is refused with the reason', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'pending' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    const { attempts } = await harness.untilState(refundId, 'pending');

    const answer = await handle.executeUpdate(withdrawUpdate, { args: [MESSAGE] });
    expect(answer).toMatchObject({ kind: 'refused', why: 'may_have_left', snapshot: { state: 'pending' } });

    harness.gateway.engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
  });

  it('a withdrawal after the end changes nothing', async () => {
    const { paymentId } = harness.newPayment();
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    await handle.result();

    expect(await harness.dependencies.ledger.withdraw(refundId, MESSAGE.by, MESSAGE.reason)).toMatchObject({
      kind: 'refused',
      why: 'final',
    });
  });
});

describe('a withdrawal without a reason', () => {
  it.for([
    { by: 'clerk', reason: '' },
    { by: '  ', reason: 'why' },
    { by: 'clerk', reason: 'a\0b' },
  ])('is refused at the door and the refund lives on (%j)', async (message) => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'pending' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    const { attempts } = await harness.untilState(refundId, 'pending');

    await expect(handle.executeUpdate(withdrawUpdate, { args: [message] })).rejects.toMatchObject({
      cause: { type: 'invalid_input' },
    });
    expect((await handle.describe()).status.name).toBe('RUNNING');

    harness.gateway.engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(handle)).activities).not.toContain('withdrawRefund');
  });
});
