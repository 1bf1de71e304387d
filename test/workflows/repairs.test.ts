/** Operators start, terminate and reset a refund's run at any time. Money still moves once. */
import { describe, expect, it } from 'vitest';
import { historyOf } from './history.js';
import { openHarness, type RefundHandle } from './harness.js';
import { resetToTheStart } from '../support/reset.js';

const harness = await openHarness();

const runIdOf = async (handle: RefundHandle): Promise<string> => (await handle.describe()).runId;

const finish = ([attempt]: readonly { readonly gatewayId: string | null }[]): void => {
  harness.gateway.engine.finishPending({ id: attempt?.gatewayId ?? '', state: 'succeeded' });
};

const submissionsOf = async (refundId: string): Promise<readonly number[]> =>
  (await harness.refund(refundId)).attempts.map(({ submissions }) => submissions);

describe('a refund that is running', () => {
  it('started again is the same run', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'pending' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    const { attempts } = await harness.untilState(refundId, 'pending');
    const before = await runIdOf(handle);
    await harness.drive(refundId);
    expect(await runIdOf(handle)).toBe(before);
    finish(attempts);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await submissionsOf(refundId)).toEqual([1]);
  });

  it('terminated between sending and the answer, and started again, is queried and not sent again', async () => {
    const { paymentId } = harness.newPayment();
    // Far longer than the next run needs: it must learn the outcome from its own query.
    harness.fault({ kind: 'answer_after', ms: 5_000 }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    await harness.untilExecuted(paymentId);
    await handle.terminate('a test of repairs');
    const again = await harness.drive(refundId);
    expect(await again.result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(again)).activities).toEqual(['submitRefund', 'queryOutcome']);
    expect(await submissionsOf(refundId)).toEqual([1]);
  });

  it('terminated before the request arrived, is proven absent and sent again under its reference', async () => {
    const soon = { sendWindow: 1_500 };
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'drop_before_execute' }, { paymentId });
    // Only the next run queries it.
    const patient = { ...soon, queryFirst: 3_600_000, queryMax: 3_600_000 };
    const { refundId, handle } = await harness.pay(paymentId, '100.00', patient);
    const { attempts } = await harness.untilState(refundId, 'unknown');
    await handle.terminate('a test of repairs');
    const again = await harness.drive(refundId, soon);
    expect(await again.result()).toMatchObject({ state: 'succeeded' });
    expect((await harness.refund(refundId)).attempts).toMatchObject([
      { reference: attempts[0]?.reference, submissions: 2 },
    ]);
  });

  it('reset to before it was sent, takes over what the first run did', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'pending' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    const { attempts } = await harness.untilState(refundId, 'pending');
    const before = await runIdOf(handle);
    await resetToTheStart(harness.temporal, handle);
    expect(await runIdOf(handle)).not.toBe(before);
    finish(attempts);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await submissionsOf(refundId)).toEqual([1]);
  });

  it('reset while the answer is on its way, is not sent again', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'answer_after', ms: 1_000 }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    await harness.untilExecuted(paymentId);
    await resetToTheStart(harness.temporal, handle);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await submissionsOf(refundId)).toEqual([1]);
  });

  it('reset after a declined refund became a credit, does not send a second credit', async () => {
    const { paymentId, registrationId } = harness.newPayment();
    harness.fault({ kind: 'reject', code: '700.500.001' }, { paymentId });
    harness.fault({ kind: 'answer_after', ms: 1_000 }, { registrationId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    await harness.untilRefund(refundId, ({ attempts }) => attempts.length === 2);
    await resetToTheStart(harness.temporal, handle);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(
      (await harness.refund(refundId)).attempts.map(({ operation, submissions }) => [operation, submissions]),
    ).toEqual([
      ['refund', 1],
      ['credit', 1],
    ]);
  });
});

describe('a refund that is final', () => {
  it.for([
    { ending: 'succeeded', submissions: [1] },
    { ending: 'failed', submissions: [1, 1] },
  ] as const)('$ending, started again, ends the same and sends nothing', async ({ ending, submissions }) => {
    const { paymentId, registrationId } = harness.newPayment();
    if (ending === 'failed') {
      harness.fault({ kind: 'reject', code: '700.500.001' }, { paymentId });
      harness.fault({ kind: 'reject', code: '800.100.152' }, { registrationId });
    }
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    const first = await handle.result();
    expect(first).toMatchObject({ state: ending });
    const before = await runIdOf(handle);
    const again = await harness.drive(refundId);
    expect(await again.result()).toEqual(first);
    expect(await runIdOf(again)).not.toBe(before);
    expect((await historyOf(again)).activities).toEqual(['submitRefund']);
    expect(await submissionsOf(refundId)).toEqual(submissions);
  });

  it('and reset to before it was sent, ends the same and sends nothing', async () => {
    const { paymentId } = harness.newPayment();
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    await handle.result();
    await resetToTheStart(harness.temporal, handle);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await submissionsOf(refundId)).toEqual([1]);
  });
});
