/**
 * 12: the customer's bank declines the refund: account closed, card frozen, prepaid. Paid to the same card again, it fails again.
 * Sources: Braintree on refund authorizations and code 1005; bcgov/entity#6341, #6474 and #6295 (refunded by hand, so that the systems differed).
 */
import { describe, it } from 'vitest';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { openHarness, SUPERVISOR } from './harness.js';
import { seen } from '../support/seen.js';

const harness = await openHarness();
const { engine } = harness.gateway;

const DECLINED = { kind: 'reject', code: '800.100.152' } as const;

async function declinedTwice(): Promise<{ payment: CreatedPayment; id: string }> {
  const payment = harness.newPayment();
  harness.onRefund(payment, DECLINED, DECLINED);
  const { id } = await harness.ask(payment, '60.00');
  await harness.until(id, 'awaiting_approval');
  return { payment, id };
}

describe.concurrent('a refund that the issuer declines', () => {
  it('once only, is paid by its one retry', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, DECLINED);
    const { id } = await harness.ask(payment, '60.00');
    expect(await harness.until(id, 'succeeded')).toMatchObject({ operation: 'refund' });
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', refunded: '60.00' });
  });

  it('twice, waits for an operator: nothing goes to the same card automatically, and the amount is still owed', async ({
    expect,
  }) => {
    const { payment, id } = await declinedTwice();
    expect(await harness.client.getRefund(id)).toMatchObject({
      status: 'pending',
      approval: { why: ['decline_needs_approval'] },
    });
    expect(harness.creditOrders(payment)).toBe(0);
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n });

    await harness.client.reject(
      id,
      await seen(harness.client, id, { by: 'supervisor', reason: 'paid by bank transfer' }),
    );
    expect(await harness.until(id, 'failed')).toMatchObject({ why: 'approval_refused' });
    expect(harness.creditOrders(payment)).toBe(0);
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 100_00n });
  });

  it('twice, cannot be approved as a credit by the requester', async ({ expect }) => {
    const { payment, id } = await declinedTwice();
    await expect(
      harness.client.approve(id, await seen(harness.client, id, { by: 'clerk', reason: 'it is urgent' })),
    ).rejects.toMatchObject({
      code: 'requester_cannot_decide',
    });
    expect(harness.creditOrders(payment)).toBe(0);
    await harness.client.approve(id, await seen(harness.client, id, SUPERVISOR));
    await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', credited: '60.00' });
  });

  it('twice, and whose approved credit is declined too, has failed: once, and the amount is released', async ({
    expect,
  }) => {
    const { payment, id } = await declinedTwice();
    harness.onCredit(payment, DECLINED);
    await harness.client.approve(id, await seen(harness.client, id, SUPERVISOR));
    expect(await harness.until(id, 'failed')).toMatchObject({ why: 'credit_declined' });
    expect(harness.creditOrders(payment)).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 100_00n });
  });

  it('twice, is a case without a credit where the policy requires an operator', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, DECLINED, DECLINED);
    const client = harness.clientWith({}, { creditAfterIssuerDecline: 'operator' });
    const { id } = await harness.ask(payment, '60.00', { by: client });
    expect(await harness.until(id, 'manual_review')).toMatchObject({
      why: 'credit_blocked',
      blocks: ['policy_asks_operator'],
    });
    expect(harness.creditOrders(payment)).toBe(0);
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n });
  });

  it('and that was refunded in the portal meanwhile, is not credited despite its approval', async ({
    expect,
  }) => {
    const { payment, id } = await declinedTwice();
    engine.refundInPortal({ paymentId: payment.paymentId, amount: 60_00n });
    await harness.client.approve(id, await seen(harness.client, id, SUPERVISOR));
    expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'credit_blocked' });
    expect((await harness.client.getRefund(id)).blocks).toContain('unknown_return');
    expect(harness.creditOrders(payment)).toBe(0);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', credited: '0.00' });
  });

  it.for(['800.100.151', '800.100.165', '800.100.171', '800.310.200'])(
    'because the card is closed (%s), is for an operator: a credit would go to the same card',
    async (code, { expect }) => {
      const payment = harness.newPayment();
      harness.onRefund(payment, { kind: 'reject', code });
      const { id } = await harness.ask(payment, '60.00');
      expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'card_unusable' });
      expect(harness.creditOrders(payment)).toBe(0);
      expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n });
    },
  );
});
