/**
 * 03: the answer of a standalone credit is lost. The gateway does not cap credits, so a second one would be paid as well.
 * Sources: Adyen's table of referenced and unreferenced refunds; a payment switch that leaves such a credit pending and never resolves it.
 */
import { randomUUID } from 'node:crypto';
import { describe, it } from 'vitest';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import type { FaultRule } from '../../sandbox/gateway/faults.js';
import { openHarness, SUPERVISOR } from './harness.js';
import { seen } from '../support/seen.js';

const harness = await openHarness({ mayStayOpen: true });

/** Creates a refund that the gateway declines because it cannot be linked, so that a credit is next. */
function paymentThatNeedsCredit(effect: FaultRule['effect'], amount = '100.00'): CreatedPayment {
  const payment = harness.newPayment({ amount });
  harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
  harness.onCredit(payment, effect);
  return payment;
}

describe.concurrent('a credit whose answer is lost', () => {
  it('and which was executed is found by its reference and not submitted again', async ({ expect }) => {
    const payment = paymentThatNeedsCredit({ kind: 'accept_then_drop' });
    const { id } = await harness.ask(payment, '100.00');
    expect(await harness.until(id, 'succeeded')).toMatchObject({ operation: 'credit' });
    expect(harness.booked(payment)).toMatchObject({ out: '100.00', credited: '100.00', refunded: '0.00' });
    expect(harness.creditOrders(payment)).toBe(1);
  });

  it('and which was executed after an approval is found as well', async ({ expect }) => {
    const payment = paymentThatNeedsCredit({ kind: 'broken_body', form: 'cut_off' }, '800.00');
    const { id } = await harness.ask(payment, '800.00');
    await harness.until(id, 'awaiting_approval');
    expect(harness.creditOrders(payment)).toBe(0);
    await harness.client.approve(id, await seen(harness.client, id, SUPERVISOR));
    await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '800.00', credited: '800.00' });
    expect(harness.creditOrders(payment)).toBe(1);
  });

  it('and which queries do not show is never submitted again: an operator asks the acquirer, and the money stays reserved', async ({
    expect,
  }) => {
    const payment = paymentThatNeedsCredit({ kind: 'drop_before_execute' });
    const { id } = await harness.ask(payment, '100.00');
    expect(await harness.until(id, 'manual_review')).toMatchObject({
      status: 'review',
      why: 'credit_not_found',
    });
    expect(await harness.openCases(id)).toEqual(['credit_not_found']);
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 100_00n, refundableMinor: 0n });
    await expect(harness.client.withdraw(id, SUPERVISOR)).rejects.toMatchObject({ code: 'may_have_left' });

    // Neither another query, nor a new run, nor an operator's command submits it.
    await harness.client.sync(id);
    await harness.run(id).terminate('a test');
    await harness.client.resume();
    await harness.client.sync(id);
    expect(await harness.client.getRefund(id)).toMatchObject({ state: 'manual_review' });
    expect(harness.creditOrders(payment)).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
  });

  it('and which the gateway executes long after the case was opened ends with its real outcome', async ({
    expect,
  }) => {
    const payment = paymentThatNeedsCredit({ kind: 'drop_before_execute' });
    const { id } = await harness.ask(payment, '100.00');
    const { attempts } = await harness.until(id, 'manual_review');
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
    const merchantTransactionId = attempts.at(-1)?.merchantTransactionId ?? '';
    const late = { paymentType: 'CD', amount: '100.00', currency: 'EUR', merchantTransactionId };
    await harness.orderElsewhere(payment, late);

    expect(await harness.until(id, 'succeeded')).toMatchObject({ operation: 'credit' });
    expect(harness.booked(payment)).toMatchObject({ out: '100.00' });
    expect(harness.gateway.engine.executedByReference(merchantTransactionId)).toBe(1);
    expect(await harness.openCases(id)).toEqual([]);
  });

  it('is different from a declined credit, which is final and releases the money', async ({ expect }) => {
    const payment = paymentThatNeedsCredit({ kind: 'reject', code: '800.100.152' });
    const { id } = await harness.ask(payment, '100.00');
    expect(await harness.until(id, 'failed')).toMatchObject({ why: 'credit_declined' });
    expect(harness.creditOrders(payment)).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 100_00n });
  });
});

describe.concurrent('the lost answer of a credit that was requested directly', () => {
  const ask = (payment: CreatedPayment, paymentId?: string) =>
    harness.client.requestCredit({
      clientId: 'shop',
      idempotencyKey: randomUUID(),
      requestedBy: 'clerk',
      request: {
        amount: '100.00',
        currency: 'EUR',
        reason: 'goodwill',
        destination: { registrationId: payment.registrationId },
        ...(paymentId === undefined ? {} : { paymentId }),
      },
    });

  it('is queried, and nothing else can be requested on that payment meanwhile', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onCredit(payment, { kind: 'drop_before_execute' });
    const { id } = await ask(payment, payment.paymentId);
    expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'credit_not_found' });
    await expect(harness.ask(payment, '0.01')).rejects.toMatchObject({ code: 'exceeds_refundable' });
    await harness.run(id).terminate('a test');
    await harness.client.resume();
    await harness.client.sync(id);
    expect(harness.creditOrders(payment)).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
  });

  it('of an unlinked credit opens a case; neither a new run nor a command submits it again', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    harness.onCredit(payment, { kind: 'drop_before_execute' });
    const { id } = await ask(payment);
    await harness.until(id, 'awaiting_approval');
    await harness.client.approve(id, await seen(harness.client, id, SUPERVISOR));
    const { attempts } = await harness.until(id, 'manual_review');
    expect(await harness.openCases(id)).toEqual(['credit_not_found']);
    await expect(harness.client.withdraw(id, SUPERVISOR)).rejects.toMatchObject({ code: 'may_have_left' });
    await harness.run(id).terminate('a test');
    await harness.client.resume();
    await harness.client.sync(id);
    expect(harness.creditOrders(payment)).toBe(1);

    const merchantTransactionId = attempts[0]?.merchantTransactionId ?? '';
    const late = { paymentType: 'CD', amount: '100.00', currency: 'EUR', merchantTransactionId };
    await harness.orderElsewhere(payment, late);
    expect(await harness.until(id, 'succeeded')).toMatchObject({ operation: 'credit', paymentId: null });
    expect(await harness.openCases(id)).toEqual([]);
  });
});

describe('a credit on a payment with another refund whose outcome is unknown', () => {
  it('waits until that outcome is known', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'pending' }, { kind: 'reject', code: '700.500.001' });
    const first = await harness.ask(payment, '40.00');
    const { attempts } = await harness.until(first.id, 'pending');
    const second = await harness.ask(payment, '60.00');
    await harness.until(second.id, ({ why }) => why === 'other_attempt_open');
    expect(harness.creditOrders(payment)).toBe(0);

    harness.gateway.engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    await harness.until(first.id, 'succeeded');
    await harness.until(second.id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '100.00', refunded: '40.00', credited: '60.00' });
  });
});
