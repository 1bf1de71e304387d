/**
 * 21: an account lists under an authorization only its direct children: refunds of a capture are listed with the
 * capture only. The credit guard and the reconciliation must find them all the same.
 */
import { describe, it } from 'vitest';
import { openHarness } from './harness.js';

const harness = await openHarness({ gateway: { captureLinks: 'apart' } });
const { engine } = harness.gateway;
const captured = () => {
  const payment = harness.newPayment({ type: 'PA', captures: ['60.00', '40.00'] });
  const [first = '', second = ''] = payment.captureIds;
  return { payment, first, second };
};

describe.concurrent('a refund of an authorization that cannot be linked', () => {
  it('is not credited when a capture has a refund made elsewhere', async ({ expect }) => {
    const { payment, first, second } = captured();
    engine.refundInPortal({ paymentId: first, amount: 60_00n });
    engine.refundInPortal({ paymentId: second, amount: 40_00n });
    harness.fault({ kind: 'reject', code: '700.500.001' }, { paymentType: 'RF', paymentId: first });
    const { id } = await harness.ask(payment, '100.00');
    expect(await harness.until(id, 'refunded_elsewhere')).toMatchObject({
      status: 'canceled',
      settledBy: 'refund_elsewhere',
      settledAmount: '100.00',
    });
    expect(harness.creditOrders(payment)).toBe(0);
    expect(harness.booked(payment)).toMatchObject({ out: '100.00' });
  });

  it('is not credited when a capture has a chargeback', async ({ expect }) => {
    const { payment, first, second } = captured();
    engine.chargeback({ paymentId: first });
    engine.chargeback({ paymentId: second });
    harness.fault({ kind: 'reject', code: '700.500.001' }, { paymentType: 'RF', paymentId: first });
    const { id } = await harness.ask(payment, '100.00');
    expect(await harness.until(id, 'closed_by_dispute')).toMatchObject({
      settledBy: 'chargeback',
      settledAmount: '100.00',
    });
    expect(harness.creditOrders(payment)).toBe(0);
  });

  it('is credited when no capture has either', async ({ expect }) => {
    const { payment, first } = captured();
    harness.fault({ kind: 'reject', code: '700.500.001' }, { paymentType: 'RF', paymentId: first });
    const { id } = await harness.ask(payment, '60.00');
    await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ refunded: '0.00', credited: '60.00' });
  });
});

describe.concurrent('a chargeback of one capture', () => {
  it('moves the refund to the other capture, also when the ledger did not know the captures', async ({
    expect,
  }) => {
    const { payment, first, second } = captured();
    engine.chargeback({ paymentId: first });
    const { id } = await harness.ask(payment, '40.00');
    const { attempts } = await harness.until(id, 'succeeded');
    expect(attempts.map(({ state }) => state)).toEqual(['rejected', 'succeeded']);
    expect(harness.transactionsOf(payment).find(({ executed }) => executed)?.referencedId).toBe(second);
    expect(harness.booked(payment)).toMatchObject({ out: '40.00', chargedBack: '60.00' });
  });
});
