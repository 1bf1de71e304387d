/**
 * 15: the gateway's books and ours differ: a refund made in the portal, another amount, a line that one of them lacks.
 * Sources: pretix `create_external_refund`, own-pay/OwnPay#334, vipps-developers#87, chobbledotcom/tickets#1775.
 */
import { describe, it } from 'vitest';
import { referenceFor } from '../../domain/refund/reference.js';
import { compareBooks } from '../../sandbox/demo/books.js';
import { formatAmount } from '../../sandbox/gateway/amounts.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { NEVER, openHarness, SUPERVISOR } from './harness.js';
import { seen } from '../support/seen.js';

const harness = await openHarness();
const { engine } = harness.gateway;
const { dependencies } = harness;

describe.concurrent('a refund made in the portal', () => {
  it('before ours reduces the refundable amount', async ({ expect }) => {
    const payment = harness.newPayment();
    engine.refundInPortal({ paymentId: payment.paymentId, amount: 70_00n });
    await expect(harness.ask(payment, '60.00')).rejects.toMatchObject({
      code: 'exceeds_refundable',
      details: { refundable: '30.00' },
    });
    const { id } = await harness.ask(payment, '30.00');
    await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '100.00' });
    expect(await harness.balance(payment)).toMatchObject({ succeededMinor: 100_00n, refundableMinor: 0n });
  });

  it('after ours is counted once, however often the books are compared', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id } = await harness.ask(payment, '30.00');
    await harness.until(id, 'succeeded');
    engine.refundInPortal({ paymentId: payment.paymentId, amount: 50_00n });
    await harness.readOriginal(payment);
    await harness.readOriginal(payment);
    expect(await harness.balance(payment)).toMatchObject({ succeededMinor: 80_00n, refundableMinor: 20_00n });
    await expect(harness.ask(payment, '30.00')).rejects.toMatchObject({ code: 'exceeds_refundable' });
    expect(harness.booked(payment)).toMatchObject({ out: '80.00' });
  });

  it('that the gateway later shows as declined is not counted, and the amount can be refunded again', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    const { id: elsewhere } = engine.refundInPortal({ paymentId: payment.paymentId, amount: 50_00n });
    const first = await harness.ask(payment, '50.00');
    await harness.until(first.id, 'succeeded');
    engine.failLate({ id: elsewhere });
    await harness.readOriginal(payment);
    expect(harness.booked(payment)).toMatchObject({ out: '50.00' });
    expect(await harness.balance(payment)).toMatchObject({ refundableMinor: 50_00n });
  });

  it('while a credit waits for approval blocks the credit: it may have been the same refund', async ({
    expect,
  }) => {
    const payment = harness.newPayment({ amount: '800.00' });
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id } = await harness.ask(payment, '800.00');
    await harness.until(id, 'awaiting_approval');
    engine.refundInPortal({ paymentId: payment.paymentId, amount: 200_00n });
    await harness.client.approve(id, await seen(harness.client, id, { by: 'supervisor', reason: 'checked' }));
    const { blocks } = await harness.until(id, 'manual_review');
    expect(blocks).toEqual(expect.arrayContaining(['unknown_return']));
    expect(harness.creditOrders(payment)).toBe(0);
    expect(harness.booked(payment)).toMatchObject({ out: '200.00' });
  });

  it('with our own reference and another amount is a contradiction that opens a case, and nothing is submitted', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '900.100.600' });
    const { id } = await harness.ask(payment, '100.00', {
      by: harness.clientWith({ retryFirst: NEVER, retryMax: NEVER }),
    });
    await harness.until(id, 'rejected');
    const { paymentId } = payment;
    const reference = referenceFor(id, 'refund', 1);
    const odd = engine.refundInPortal({ paymentId, amount: 60_00n, merchantTransactionId: reference });
    await harness.restart(id);
    await harness.until(id, 'manual_review');
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', credited: '0.00' });
    expect(disagreementsAbout(await recordsOf(payment), reference)).toHaveLength(1);
    // The operator who made the portal refund resolves the difference.
    engine.failLate({ id: odd.id });
    expect(disagreementsAbout(await recordsOf(payment), reference)).toEqual([]);
  });
});

describe.concurrent('facts that only the gateway has', () => {
  it('a capture made after the first refund can be refunded as well', async ({ expect }) => {
    const payment = harness.newPayment({ type: 'PA', captures: ['60.00'] });
    const first = await harness.ask(payment, '60.00');
    await harness.until(first.id, 'succeeded');
    await harness.orderElsewhere(payment, { paymentType: 'CP', amount: '40.00', currency: 'EUR' });
    const second = await harness.ask(payment, '40.00');
    await harness.until(second.id, 'succeeded');
    expect(engine.books(payment.paymentId)).toMatchObject({ captured: 100_00n, refunded: 100_00n });
  });
});

describe.concurrent('a payment that the gateway shows in another currency', () => {
  it.for([
    ['whose refund cannot be linked', '700.500.001'],
    ['of which something may have been given back already', '700.400.200'],
  ] as const)(
    'and %s opens a case: nothing is credited, and the stored facts stay',
    async ([, code], { expect }) => {
      const payment = harness.newPayment();
      const first = await harness.ask(payment, '10.00');
      await harness.until(first.id, 'succeeded');
      harness.onRefund(payment, { kind: 'reject', code });
      const rule = engine.setFault({
        match: { paymentId: payment.paymentId },
        times: 'always',
        effect: { kind: 'query', how: 'currency_differs', currency: 'JPY' },
      });
      const { id } = await harness.ask(payment, '60.00');
      const { why, cases } = await harness.until(id, 'manual_review');
      expect(why).toBe('original_unreadable');
      expect(cases).toMatchObject([
        { why: 'original_unreadable', details: { answer: 'the gateway shows it in JPY, not in EUR' } },
      ]);
      expect(harness.creditOrders(payment)).toBe(0);
      expect(await harness.balance(payment)).toMatchObject({
        currency: 'EUR',
        capturedMinor: 100_00n,
        succeededMinor: 10_00n,
        reservedMinor: 60_00n,
      });

      engine.clearFault(rule);
      await harness.client.withdraw(id, SUPERVISOR);
      expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 90_00n });
      expect(harness.booked(payment)).toMatchObject({ out: '10.00' });
    },
  );
});

describe('a settlement file', () => {
  it.todo('with a line that we lack opens a case: settlement files are not read yet');
  it.todo('that lacks one of our lines opens a case: settlement files are not read yet');
  it.todo('with another amount or sign opens a case: settlement files are not read yet');
});

const recordsOf = ({ paymentId }: CreatedPayment) => dependencies.ledger.listRefunds({ paymentId });

function disagreementsAbout(refunds: Awaited<ReturnType<typeof recordsOf>>, reference: string) {
  const transactions = engine.transactions().map((one) => ({ ...one, amount: formatAmount(one.amount) }));
  return compareBooks(refunds, transactions).filter((one) => one.reference === reference);
}
