/**
 * 04: "cannot refund" because the customer already has the money. A credit after such an answer pays a second time.
 * Source: the gateway's own list of result codes (700.300.300, 700.300.600, 700.400.200 and their neighbours).
 */
import { describe, it } from 'vitest';
import { referenceFor } from '../../domain/refund/reference.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { NEVER, openHarness, SUPERVISOR } from './harness.js';

const harness = await openHarness();
const { engine } = harness.gateway;

const credits = (payment: CreatedPayment): number =>
  harness.transactionsOf(payment).filter(({ type }) => type === 'CD').length;

/** A soft decline delays the retry until the test releases it, so that events in between come before the next submission. */
const held = harness.clientWith({ retryFirst: NEVER, retryMax: NEVER });

/** Stores the payment in the ledger before anything happens outside of it. */
async function knownPayment(): Promise<CreatedPayment> {
  const payment = harness.newPayment();
  const { id } = await harness.ask(payment, '10.00');
  await harness.until(id, 'succeeded');
  return payment;
}

describe.concurrent('a refund that the gateway declines', () => {
  it('because our own earlier submission was executed after all, succeeds by that one, and nothing more is submitted', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '900.100.600' });
    const { id } = await harness.ask(payment, '100.00', { by: held });
    await harness.until(id, 'rejected');
    // The request answered with "acquirer down" was executed: the gateway shows it under our first reference.
    engine.refundInPortal({
      paymentId: payment.paymentId,
      amount: 100_00n,
      merchantTransactionId: referenceFor(id, 'refund', 1),
    });
    await harness.restart(id);
    const { attempts } = await harness.until(id, 'succeeded');

    expect(attempts.map(({ state }) => state)).toContain('succeeded');
    expect(attempts.filter(({ state }) => state === 'succeeded')).toHaveLength(1);
    expect(attempts.at(-1)).toMatchObject({ state: 'rejected', resultCode: '700.400.200' });
    expect(harness.booked(payment)).toMatchObject({ out: '100.00', credited: '0.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, succeededMinor: 100_00n });
  });

  it('because the whole amount was refunded in the portal, ends as refunded elsewhere, without a credit', async ({
    expect,
  }) => {
    const payment = await knownPayment();
    engine.refundInPortal({ paymentId: payment.paymentId, amount: 90_00n });
    const { id } = await harness.ask(payment, '90.00');
    expect(await harness.until(id, 'refunded_elsewhere')).toMatchObject({
      status: 'canceled',
      why: 'already_refunded',
      settledBy: 'refund_elsewhere',
      settledAmount: '90.00',
    });
    expect(harness.booked(payment)).toMatchObject({ out: '100.00', credited: '0.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 0n });
  });

  it('because a part was refunded in the portal, is for an operator to decide', async ({ expect }) => {
    const payment = await knownPayment();
    engine.refundInPortal({ paymentId: payment.paymentId, amount: 50_00n });
    const { id } = await harness.ask(payment, '90.00');
    expect(await harness.until(id, 'manual_review')).toMatchObject({
      why: 'refunded_elsewhere',
      settledBy: 'refund_elsewhere',
      settledAmount: '50.00',
      cases: [{ why: 'refunded_elsewhere', details: { owed: '40.00', refundedElsewhere: '50.00' } }],
    });
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', credited: '0.00' });
    expect(await harness.openCases(id)).toContain('refunded_elsewhere');

    // The operator finds that the portal refund was for the same goods, and withdraws ours; the rest is refundable again.
    expect(await harness.client.withdraw(id, SUPERVISOR)).toMatchObject({
      status: 'canceled',
      settledBy: 'refund_elsewhere',
      settledAmount: '50.00',
    });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 40_00n });
  });

  it('and that is refunded in the portal afterwards, ends as refunded elsewhere when an operator withdraws it', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '700.400.200' });
    const { id } = await harness.ask(payment, '50.00');
    await harness.until(id, 'manual_review');
    engine.refundInPortal({ paymentId: payment.paymentId, amount: 50_00n });
    await harness.client.withdraw(id, { by: 'supervisor', reason: 'done in the portal' });
    expect(await harness.until(id, 'refunded_elsewhere')).toMatchObject({
      ...{ status: 'canceled', settledBy: 'refund_elsewhere', settledAmount: '50.00' },
    });
  });

  it('because of an open chargeback, is closed: the bank repays the customer', async ({ expect }) => {
    const payment = await knownPayment();
    engine.chargeback({ paymentId: payment.paymentId });
    const { id } = await harness.ask(payment, '90.00');
    expect(await harness.until(id, 'closed_by_dispute')).toMatchObject({
      status: 'canceled',
      settledBy: 'chargeback',
      settledAmount: '90.00',
    });
    expect(harness.booked(payment)).toMatchObject({ out: '10.00', chargedBack: '100.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 0n });
  });

  it('because the authorization was reversed elsewhere, ends: no money was ever taken', async ({
    expect,
  }) => {
    const payment = harness.newPayment({ type: 'PA' });
    // Delayed by a soft decline until the shop's till has reversed the authorization.
    harness.fault(
      { kind: 'reject', code: '900.100.600' },
      { paymentType: 'RV', paymentId: payment.paymentId },
    );
    const { id } = await harness.ask(payment, '100.00', { by: held });
    await harness.until(id, 'rejected');
    await harness.orderElsewhere(payment, { paymentType: 'RV' });
    await harness.restart(id);
    expect(await harness.until(id, 'refunded_elsewhere')).toMatchObject({
      why: 'original_reversed',
      settledAmount: '100.00',
    });
    expect(harness.booked(payment)).toMatchObject({ out: '100.00', reversed: '100.00', credited: '0.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n });
  });

  it('because the debit was reversed elsewhere, ends without a credit', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '900.100.600' });
    const { id } = await harness.ask(payment, '100.00', { by: held });
    await harness.until(id, 'rejected');
    engine.changeSettings({ reversalOnDebit: true });
    await harness.orderElsewhere(payment, { paymentType: 'RV' });
    await harness.restart(id);
    expect(await harness.until(id, 'refunded_elsewhere')).toMatchObject({
      why: 'original_reversed',
      settledAmount: '100.00',
    });
    expect(harness.booked(payment)).toMatchObject({ out: '100.00', reversed: '100.00', credited: '0.00' });
  });

  it.for(['700.300.300', '700.400.200', '700.500.001', '700.100.300'])(
    'with %s after the whole amount was refunded in the portal, ends as refunded elsewhere, without a credit',
    async (code, { expect }) => {
      const payment = await knownPayment();
      engine.refundInPortal({ paymentId: payment.paymentId, amount: 90_00n });
      harness.onRefund(payment, { kind: 'reject', code });
      const { id } = await harness.ask(payment, '90.00');
      expect(await harness.until(id, 'refunded_elsewhere')).toMatchObject({
        settledBy: 'refund_elsewhere',
        settledAmount: '90.00',
      });
      expect(credits(payment)).toBe(0);
      expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n });
    },
  );

  it.for([
    ['700.300.300', 'manual_review'],
    ['700.300.600', 'manual_review'],
    ['700.400.200', 'manual_review'],
    ['700.400.300', 'manual_review'],
    ['700.400.420', 'manual_review'],
    ['800.100.206', 'manual_review'],
    ['700.300.200', 'failed'],
  ] as const)(
    'with %s although the gateway shows no reason, is %s and never a credit',
    async ([code, state], { expect }) => {
      const payment = harness.newPayment();
      harness.onRefund(payment, { kind: 'reject', code });
      const { id } = await harness.ask(payment, '100.00');
      await harness.until(id, state);
      expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
      expect(credits(payment)).toBe(0);
      expect(await harness.balance(payment)).toMatchObject({
        reservedMinor: state === 'failed' ? 0n : 100_00n,
      });
    },
  );
});
