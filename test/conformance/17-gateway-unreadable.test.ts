/**
 * 17: the gateway answers writes and no queries (throttled, forbidden, a list that cannot be read). A refund that waits for a query must come to
 * an operator when its time is up, and go on by itself when queries work again.
 * Sources: the gateway's limits on queries (800.120.100), Kill Bill #1220 (a janitor that retries for ever and tells nobody).
 */
import { describe, expect, it } from 'vitest';
import type { FaultRule } from '../../sandbox/gateway/faults.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { eventually, openHarness } from './world.js';

const harness = await openHarness({ timings: { caseAfterUnknown: 500, queryMax: 100 } });
const { engine } = harness.gateway;

type How = Extract<FaultRule['effect'], { kind: 'query' }>['how'];

/** Every query of this payment; what is asked by reference is not about it. */
const unreadable = ({ paymentId }: CreatedPayment, how: How): string =>
  engine.setFault({ match: { paymentId }, times: 'always', effect: { kind: 'query', how } });

describe.each([
  ['throttled', '800.120.100'],
  ['forbidden', '800.900.300'],
  ['no_result_code', 'cannot be read'],
  ['too_many_pages', 'more pages'],
] as const)('queries are answered: %s', (how, answered) => {
  it('a declined refund that is compared with its payment comes to an operator, and goes on by itself', async () => {
    const payment = harness.newPayment();
    const id = await harness.accept(payment);
    harness.onRefund(payment, { kind: 'reject', code: '700.400.200' });
    const fault = unreadable(payment, how);
    await harness.drive(id);
    const review = await harness.until(id, 'manual_review');
    expect(review.cases).toMatchObject([{ why: 'original_unreadable' }]);
    expect(JSON.stringify(review.cases[0]?.details)).toContain(answered);

    engine.clearFault(fault);
    await eventually('it has left the case', async () =>
      (await harness.openCases(id)).includes('original_unreadable') ? undefined : true,
    );
    // Nothing explains the decline: that, and no longer the reading, is for an operator.
    await eventually('it was compared', async () =>
      (await harness.openCases(id)).join() === 'decline_unclear' ? true : undefined,
    );
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
    await harness.client.withdraw(id, { by: 'supervisor', reason: 'paid by bank transfer' });
  });

  it('a credit that cannot be proven comes to an operator, and is paid once by itself', async () => {
    const payment = harness.newPayment();
    const id = await harness.accept(payment);
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const fault = unreadable(payment, how);
    await harness.drive(id);
    const review = await harness.until(id, 'manual_review');
    expect(review.cases).toMatchObject([{ why: 'original_unreadable' }]);
    expect(harness.creditOrders(payment)).toBe(0);

    engine.clearFault(fault);
    await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ credited: '60.00', out: '60.00' });
    expect(harness.creditOrders(payment)).toBe(1);
  });
});

describe('whoever asks is told', () => {
  it.each(['no_result_code', 'too_many_pages'] as const)('that it does not pass: %s', async (how) => {
    const payment = harness.newPayment();
    const fault = unreadable(payment, how);
    await expect(harness.ask(payment, '60.00')).rejects.toMatchObject({ code: 'payment_unreadable' });
    engine.clearFault(fault);
    expect(await harness.client.listRefunds({ paymentId: payment.paymentId })).toEqual([]);
  });

  it('that it may pass: throttled', async () => {
    const payment = harness.newPayment();
    const fault = unreadable(payment, 'throttled');
    await expect(harness.ask(payment, '60.00')).rejects.toMatchObject({ code: 'gateway_unavailable' });
    engine.clearFault(fault);
  });
});
