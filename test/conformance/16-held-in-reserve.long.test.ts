/**
 * Failures beside the fifteen: unlisted result codes, temporary declines, and approvals that were given for something else.
 * Sources: juspay/hyperswitch (raises on an unlisted code), workos.com/blog/ai-agent-approval-policies-airlock (an approval is for one exact
 * instruction), the gateway's own list of result codes.
 */
import { describe, it } from 'vitest';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { NEVER, openHarness, SUPERVISOR } from './harness.js';

const harness = await openHarness({ mayStayOpen: true });
const { engine } = harness.gateway;

const orders = (payment: CreatedPayment): number =>
  harness.gateway
    .requests()
    .filter(({ method, path }) => method === 'POST' && path.endsWith(payment.paymentId)).length;

describe.concurrent('an answer that cannot be trusted', () => {
  it.for(['123.456.789', '000.100.999', '700.999.999'])(
    'with the unlisted code %s is unknown or a case, never succeeded, never submitted again',
    async (code, { expect }) => {
      const payment = harness.newPayment();
      harness.onRefund(payment, { kind: 'reject', code });
      const { id } = await harness.ask(payment, '60.00', {
        by: harness.clientWith({ caseAfterUnknown: 300 }),
      });
      expect(await harness.until(id, 'manual_review')).toMatchObject({ status: 'review' });
      expect(orders(payment)).toBe(1);
      expect(harness.creditOrders(payment)).toBe(0);
      expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n });
    },
  );

  it.for([
    ['another amount', { amount: '50.00' }],
    ['another currency', { currency: 'USD' }],
    ['the type of a debit', { paymentType: 'DB' }],
    ['no id', { id: null }],
    ['a reference that is not ours', { merchantTransactionId: 'SOMEBODYELSES001' }],
  ] as const)('with %s is looked up, and what the books say counts', async ([, fields], { expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'wrong_echo', fields });
    const { id } = await harness.ask(payment, '60.00');
    const { attempts } = await harness.until(id, 'succeeded');
    expect(orders(payment)).toBe(1);
    expect(attempts).toHaveLength(1);
    expect(attempts[0]?.gatewayId).toBe(harness.transactionsOf(payment)[0]?.id);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('with the id of the original is not recorded as our refund', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'wrong_echo', fields: { id: payment.paymentId } });
    const { id } = await harness.ask(payment, '60.00');
    const { attempts } = await harness.until(id, 'succeeded');
    expect(attempts[0]?.gatewayId).not.toBe(payment.paymentId);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });
});

describe.concurrent('a temporary decline', () => {
  it.for([
    ['the merchant balance is empty', { kind: 'reject', code: '800.100.155' }],
    ['asked too often (429)', { kind: 'reject', code: '800.120.100', httpStatus: 429 }],
    ['the capture is not final yet', { kind: 'reject', code: '700.400.570' }],
    ['the acquirer is down', { kind: 'reject', code: '900.100.600' }],
    ['maintenance', { kind: 'reject', code: '800.800.400', httpStatus: 503 }],
  ] as const)('(%s) is waited for, and the refund is paid once', async ([, effect], { expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, effect, effect);
    const { id } = await harness.ask(payment, '60.00');
    expect(await harness.until(id, 'succeeded')).toMatchObject({ operation: 'refund' });
    expect(orders(payment)).toBe(3);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', credited: '0.00' });
  });

  it('that does not end becomes a case with the money reserved, without a credit', async ({ expect }) => {
    const payment = harness.newPayment();
    const effect = { kind: 'reject', code: '800.100.155' } as const;
    harness.onRefund(payment, effect, effect, effect);
    const { id } = await harness.ask(payment, '60.00', { by: harness.clientWith({}, { softRetries: 2 }) });
    expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'declined_too_often' });
    expect(orders(payment)).toBe(3);
    expect(harness.creditOrders(payment)).toBe(0);
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n });
  });
});

describe.concurrent('credentials that change while refunds are in progress', () => {
  it.for([
    ['401', { kind: 'reject', code: '800.900.300', httpStatus: 401 }],
    ['403', { kind: 'reject', code: '800.900.300', httpStatus: 403 }],
  ] as const)(
    '(%s) are a configuration case: nothing was submitted, and nothing else is tried',
    async ([, effect], { expect }) => {
      const payment = harness.newPayment();
      harness.onRefund(payment, effect);
      const { id } = await harness.ask(payment, '60.00');
      expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'configuration' });
      expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
      expect(harness.creditOrders(payment)).toBe(0);
      expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n });
      // After the fix, the refund is withdrawn and requested again.
      await harness.client.withdraw(id, SUPERVISOR);
      const again = await harness.ask(payment, '60.00');
      await harness.until(again.id, 'succeeded');
      expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
    },
  );
});

describe.concurrent('an approval', () => {
  async function waiting(amount: string) {
    const payment = harness.newPayment({ amount: '2000.00' });
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id } = await harness.ask(payment, amount);
    const { approval } = await harness.until(id, 'awaiting_approval');
    return { payment, id, instruction: approval?.instruction ?? '' };
  }

  it('is for one exact instruction: with that of another refund or amount it is rejected, and nothing is submitted', async ({
    expect,
  }) => {
    const [small, large] = await Promise.all([waiting('600.00'), waiting('900.00')]);
    await expect(
      harness.client.approve(large.id, { ...SUPERVISOR, instruction: small.instruction }),
    ).rejects.toMatchObject({ code: 'instruction_changed' });
    expect(await harness.client.getRefund(large.id)).toMatchObject({ state: 'awaiting_approval' });
    expect(harness.creditOrders(large.payment)).toBe(0);

    for (const { id, instruction } of [small, large])
      await harness.client.approve(id, { ...SUPERVISOR, instruction });
    await Promise.all([small, large].map(({ id }) => harness.until(id, 'succeeded')));
    expect(harness.booked(small.payment)).toMatchObject({ out: '600.00' });
    expect(harness.booked(large.payment)).toMatchObject({ out: '900.00' });
  });

  it('given twice, and by two approvers at once, submits one credit', async ({ expect }) => {
    const { payment, id, instruction } = await waiting('600.00');
    const approvers = ['supervisor', 'manager'] as const;
    const approve = (by: string) => harness.client.approve(id, { by, reason: 'checked', instruction });
    const results = await Promise.allSettled(approvers.map(approve));
    const first = approvers.filter((_, index) => results[index]?.status === 'fulfilled');
    expect(first).toHaveLength(1);
    // The second approver gets an error that names the first.
    const second = approvers.find((name) => !first.includes(name)) ?? '';
    await expect(approve(second)).rejects.toMatchObject({
      code: 'already_decided',
      details: { by: first[0] },
    });
    await harness.until(id, 'succeeded');
    await approve(first[0] ?? '');
    expect(harness.creditOrders(payment)).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '600.00' });
  });

  it('cannot be given after a rejection', async ({ expect }) => {
    const { payment, id, instruction } = await waiting('600.00');
    await harness.client.reject(id, { ...SUPERVISOR, instruction });
    await harness.until(id, 'failed');
    await expect(
      harness.client.approve(id, { by: 'manager', reason: 'after all', instruction }),
    ).rejects.toMatchObject({ code: 'already_decided' });
    expect(harness.creditOrders(payment)).toBe(0);
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n });
  });
});

describe.concurrent('an authorization without captures', () => {
  it('is reversed and never credited', async ({ expect }) => {
    const payment = harness.newPayment({ type: 'PA' });
    const { id } = await harness.ask(payment, '100.00');
    expect(await harness.until(id, 'succeeded')).toMatchObject({ operation: 'reversal' });
    expect(harness.booked(payment)).toMatchObject({ out: '100.00', reversed: '100.00' });
    expect(harness.creditOrders(payment)).toBe(0);
  });

  it('of which a part is requested is for an operator, where the acquirer only reverses the whole of it', async ({
    expect,
  }) => {
    const payment = harness.newPayment({ type: 'PA' });
    const { id } = await harness.ask(payment, '40.00');
    expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'partial_reversal' });
    expect(orders(payment)).toBe(0);
    expect(harness.creditOrders(payment)).toBe(0);
  });

  it('whose refund is declined because nothing was captured (700.400.520) gets no credit', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '700.400.520' });
    const { id } = await harness.ask(payment, '60.00');
    await harness.until(id, 'manual_review');
    expect(harness.creditOrders(payment)).toBe(0);
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
  });

  it('that is captured while its reversal is in transit is refunded instead', async ({ expect }) => {
    const payment = harness.newPayment({ type: 'PA' });
    harness.fault(
      { kind: 'reject', code: '900.100.600' },
      { paymentType: 'RV', paymentId: payment.paymentId },
    );
    const { id } = await harness.ask(payment, '100.00', {
      by: harness.clientWith({ retryFirst: NEVER, retryMax: NEVER }),
    });
    await harness.until(id, 'rejected');
    await harness.orderElsewhere(payment, { paymentType: 'CP', amount: '100.00', currency: 'EUR' });
    await harness.restart(id);
    expect(await harness.until(id, 'succeeded')).toMatchObject({ operation: 'refund' });
    expect(engine.books(payment.paymentId)).toMatchObject({ captured: 100_00n, reversed: 0n });
    expect(harness.creditOrders(payment)).toBe(0);
  });
});
