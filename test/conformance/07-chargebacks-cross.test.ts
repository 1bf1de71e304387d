/**
 * 07: a refund and a chargeback cross: the customer gets the money twice, or the evidence that wins the dispute is lost.
 * Sources: juspay/hyperswitch-control-center#4109, juspay/hyperswitch#10533, antiwork/gumroad#4372 and #4515, woocommerce-payments#6378.
 */
import { describe, it } from 'vitest';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { eventually, NEVER, openHarness } from './harness.js';
import { seen } from '../support/seen.js';

const harness = await openHarness();
const { engine } = harness.gateway;

const credits = (payment: CreatedPayment): number =>
  harness.transactionsOf(payment).filter(({ type }) => type === 'CD').length;

describe.concurrent('a chargeback before the refund', () => {
  it('is found when the refund is requested: the request is rejected with the remaining refundable amount', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    engine.chargeback({ paymentId: payment.paymentId });
    await expect(harness.ask(payment, '60.00')).rejects.toMatchObject({
      code: 'exceeds_refundable',
      details: { refundable: '0.00' },
    });
    expect(harness.booked(payment)).toMatchObject({ out: '0.00', chargedBack: '100.00' });
  });

  it('of a part leaves the other part owed, although the gateway declines it: an operator decides, no credit', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    engine.chargeback({ paymentId: payment.paymentId, amount: 40_00n });
    const { id } = await harness.ask(payment, '60.00');
    expect(await harness.until(id, 'manual_review')).toMatchObject({
      why: 'partly_disputed',
      settledBy: null,
      settledAmount: '0.00',
      cases: [{ details: { owed: '60.00', chargebacksOnPayment: '40.00' } }],
    });
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
    expect(credits(payment)).toBe(0);
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n });
  });

  it('of 20.00 of 100.00 does not close a refund of 50.00 that is declined for an unclear reason', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    engine.chargeback({ paymentId: payment.paymentId, amount: 20_00n });
    harness.onRefund(payment, { kind: 'reject', code: '700.400.200' });
    const { id } = await harness.ask(payment, '50.00');
    expect(await harness.until(id, 'manual_review')).toMatchObject({ settledBy: null });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 50_00n, disputedMinor: 20_00n });
  });

  it('that was reversed does not block the refund', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id: chargebackId } = engine.chargeback({ paymentId: payment.paymentId });
    engine.reverseChargeback(chargebackId);
    const { id } = await harness.ask(payment, '60.00');
    await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', chargedBack: '0.00' });
  });
});

describe.concurrent('a chargeback that closed a refund', () => {
  it('and is reversed opens the payment for refunds again, also where the ledger only knew the lost dispute', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    const first = await harness.ask(payment, '10.00');
    await harness.until(first.id, 'succeeded');
    const { id: chargebackId } = engine.chargeback({ paymentId: payment.paymentId });
    const closed = await harness.ask(payment, '90.00');
    await harness.until(closed.id, 'closed_by_dispute');
    await expect(harness.ask(payment, '90.00')).rejects.toMatchObject({ code: 'exceeds_refundable' });

    engine.reverseChargeback(chargebackId);
    const again = await harness.ask(payment, '90.00');
    await harness.until(again.id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '100.00', chargedBack: '0.00' });
  });
});

describe.concurrent('a chargeback while the refund is in progress', () => {
  it('between a declined refund and its credit: no credit', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(
      payment,
      { kind: 'reject', code: '700.500.001' },
      { kind: 'chargeback_after_rejection' },
    );
    const { id } = await harness.ask(payment, '100.00');
    await harness.until(id, 'closed_by_dispute');
    expect(harness.booked(payment)).toMatchObject({ out: '0.00', chargedBack: '100.00' });
    expect(credits(payment)).toBe(0);
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n });
  });

  it('while an operator decides about the credit: the approval comes too late', async ({ expect }) => {
    const payment = harness.newPayment({ amount: '800.00' });
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id } = await harness.ask(payment, '800.00');
    await harness.until(id, 'awaiting_approval');
    engine.chargeback({ paymentId: payment.paymentId });
    await harness.client.approve(
      id,
      await seen(harness.client, id, { by: 'supervisor', reason: 'the customer waits' }),
    );
    await harness.until(id, 'closed_by_dispute');
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
    expect(credits(payment)).toBe(0);
  });

  it('after the request was lost: a refund that is proven absent is not submitted any more', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'drop_before_execute' });
    const { id } = await harness.ask(payment, '100.00', {
      by: harness.clientWith({ queryFirst: NEVER, queryMax: NEVER }),
    });
    await harness.until(id, 'unknown');
    engine.chargeback({ paymentId: payment.paymentId });
    await harness.restart(id);
    await harness.until(id, 'closed_by_dispute');
    expect(harness.booked(payment)).toMatchObject({ out: '0.00', chargedBack: '100.00' });
  });

  it('while it is pending, and is then declined: closed, and nothing else is submitted', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'pending' });
    const { id } = await harness.ask(payment, '100.00');
    const { attempts } = await harness.until(id, 'pending');
    engine.chargeback({ paymentId: payment.paymentId });
    engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'rejected' });
    await harness.until(id, 'closed_by_dispute');
    expect(harness.booked(payment)).toMatchObject({ out: '0.00', chargedBack: '100.00' });
    expect(credits(payment)).toBe(0);
  });

  it('while it is pending, and is then executed: both are paid, which opens a case with its evidence', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'pending' });
    const { id } = await harness.ask(payment, '100.00');
    const { attempts } = await harness.until(id, 'pending');
    engine.chargeback({ paymentId: payment.paymentId });
    engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    const { attempts: paid } = await harness.until(id, 'succeeded');
    await harness.readOriginal(payment);

    expect(await harness.openCases(id)).toEqual(['paid_twice']);
    expect(paid[0]).toMatchObject({ state: 'succeeded', gatewayId: attempts[0]?.gatewayId });
    expect(await harness.balance(payment)).toMatchObject({ excessMinor: 100_00n, disputedMinor: 100_00n });
  });
});

describe.concurrent('a chargeback that is reversed in part', () => {
  const REVERSALS = [
    ['of 40.00 executed', { amount: 40_00n }, 60_00n],
    ['of 40.00 executed that names nothing', { amount: 40_00n, showsReference: false }, 60_00n],
    ['of all declined', { state: 'rejected' }, 100_00n],
    ['of all pending', { state: 'pending' }, 100_00n],
  ] as const;

  it.for(REVERSALS)(
    'reversal %s, while the credit of 100.00 waits for approval: no credit beyond the amount owed',
    async ([, reversal, disputedMinor], { expect }) => {
      const payment = harness.newPayment();
      harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
      const { id } = await harness.ask(payment, '100.00', {
        by: harness.clientWith({}, { creditApprovalAbove: {} }),
      });
      await harness.until(id, 'awaiting_approval');
      const { id: chargebackId } = engine.chargeback({ paymentId: payment.paymentId });
      engine.reverseChargeback(chargebackId, reversal);
      await harness.client.approve(
        id,
        await seen(harness.client, id, { by: 'supervisor', reason: 'the customer waits' }),
      );
      await eventually('the chargeback is known', async () =>
        (await harness.balance(payment)).disputedMinor === disputedMinor ? true : undefined,
      );
      // The amount owed beside the chargeback is for an operator, or a refund of that amount was declined.
      await harness.until(id, ({ state }) =>
        ['closed_by_dispute', 'manual_review', 'awaiting_approval'].includes(state),
      );
      const books = engine.books(payment.paymentId, { registrationId: payment.registrationId });
      const paid = books?.credits.reduce((sum, { amount }) => sum + amount, books.refunded) ?? -1n;
      expect(books?.chargedBack).toBe(disputedMinor);
      expect(paid).toBeGreaterThanOrEqual(0n);
      expect(paid + disputedMinor).toBeLessThanOrEqual(100_00n);
    },
  );

  it('by 40.00 before the refund is submitted leaves 40.00 refundable, and a reversal of the reversal is a case', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    const { id: chargebackId } = engine.chargeback({ paymentId: payment.paymentId });
    const { id: reversalId } = engine.reverseChargeback(chargebackId, { amount: 40_00n });
    await expect(harness.ask(payment, '100.00')).rejects.toMatchObject({
      code: 'exceeds_refundable',
      details: { refundable: '40.00' },
    });
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id } = await harness.ask(payment, '40.00');
    await harness.until(id, 'manual_review');
    engine.reverseChargeback(reversalId);
    await harness.readOriginal(payment);
    expect(await harness.openCases(id)).toContain('payment_unclear');
    expect(harness.booked(payment)).toMatchObject({ out: '0.00', chargedBack: '100.00' });
    expect(credits(payment)).toBe(0);
  });
});

describe.concurrent('a chargeback after the refund', () => {
  it('is a double payment that opens a case; if it is reversed, the customer was paid once', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    const { id } = await harness.ask(payment, '100.00');
    await harness.until(id, 'succeeded');
    const { id: chargebackId } = engine.chargeback({ paymentId: payment.paymentId });
    await harness.readOriginal(payment);
    await harness.readOriginal(payment);
    expect(await harness.openCases(id)).toEqual(['paid_twice']);
    expect(await harness.balance(payment)).toMatchObject({ excessMinor: 100_00n, refundableMinor: 0n });

    engine.reverseChargeback(chargebackId);
    await harness.readOriginal(payment);
    expect(await harness.balance(payment)).toMatchObject({
      disputedMinor: 0n,
      excessMinor: 0n,
      refundableMinor: 0n,
    });
    expect(harness.booked(payment)).toMatchObject({ out: '100.00', chargedBack: '0.00' });
    // Only an operator closes the case of a double payment, however it ends.
    expect(await harness.openCases(id)).toEqual(['paid_twice']);
  });

  it('of the amount that was not refunded is no double payment', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id } = await harness.ask(payment, '40.00');
    await harness.until(id, 'succeeded');
    engine.chargeback({ paymentId: payment.paymentId, amount: 60_00n });
    await harness.readOriginal(payment);
    expect(await harness.openCases(id)).toEqual([]);
    expect(await harness.balance(payment)).toMatchObject({ excessMinor: 0n, refundableMinor: 0n });
    await expect(harness.ask(payment, '1.00')).rejects.toMatchObject({ code: 'exceeds_refundable' });
  });
});
