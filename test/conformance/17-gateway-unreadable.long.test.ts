/**
 * 17: the gateway answers submissions and no queries (throttled, forbidden, a list that cannot be read). A refund that waits for a query must
 * become a case when its time is up, and continue by itself when queries work again.
 * Sources: the gateway's limits on queries (800.120.100), Kill Bill #1220 (a janitor that retries forever and alerts no operator).
 */
import { describe, expect, it } from 'vitest';
import type { FaultRule } from '../../sandbox/gateway/faults.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { eventually, openHarness } from './harness.js';

const harness = await openHarness({ timings: { caseAfterUnknown: 500, queryMax: 100 } });
const { engine } = harness.gateway;

type How = Extract<FaultRule['effect'], { kind: 'query' }>['how'];

/** Every query of this payment by id; queries by reference are not affected. */
const unreadable = ({ paymentId }: CreatedPayment, how: How): string =>
  engine.setFault({ match: { paymentId }, times: 'always', effect: { kind: 'query', how } });

describe.each([
  ['throttled', '800.120.100'],
  ['forbidden', '800.900.300'],
  ['no_result_code', 'cannot be read'],
  ['too_many_pages', 'more pages'],
] as const)('queries are answered: %s', (how, answered) => {
  it('a declined refund that is compared with its payment becomes a case, and continues by itself', async () => {
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
    // Now the unexplained decline is for an operator, not the failed query.
    await eventually('it was compared', async () =>
      (await harness.openCases(id)).join() === 'decline_unclear' ? true : undefined,
    );
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
    await harness.client.withdraw(id, { by: 'supervisor', reason: 'paid by bank transfer' });
  });

  it('a credit that cannot be proven becomes a case, and is paid once by itself', async () => {
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

describe('a request that needs a failing query is answered', () => {
  it.each(['no_result_code', 'too_many_pages'] as const)('with a permanent error: %s', async (how) => {
    const payment = harness.newPayment();
    const fault = unreadable(payment, how);
    await expect(harness.ask(payment, '60.00')).rejects.toMatchObject({ code: 'payment_unreadable' });
    engine.clearFault(fault);
    expect(await harness.client.listRefunds({ paymentId: payment.paymentId })).toEqual([]);
  });

  it('with a temporary error: throttled', async () => {
    const payment = harness.newPayment();
    const fault = unreadable(payment, 'throttled');
    await expect(harness.ask(payment, '60.00')).rejects.toMatchObject({ code: 'gateway_unavailable' });
    engine.clearFault(fault);
  });
});
