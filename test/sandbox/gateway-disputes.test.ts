/** Tests chargebacks: partial, without an amount, pending and declined; their changes and reversals; refunds listed under a capture only. */
import { describe, expect, it } from 'vitest';
import { control } from '../../sandbox/gateway/control.js';
import { RequestLog } from '../../sandbox/gateway/request-log.js';
import { bodyOf, debit, openHarness, refund, verdict, type Harness } from './gateway-harness.js';

const LINKED = { includeLinkedTransactions: 'true' };
const listed = (harness: Harness, id: string) => bodyOf(harness.get(`/v3/query/${id}`, LINKED)).records ?? [];
const brief = (harness: Harness, id: string): unknown =>
  listed(harness, id).map(({ paymentType, amount, referencedId, result }) => [
    paymentType,
    amount,
    referencedId,
    result?.code,
  ]);
const standing = (harness: Harness, id: string): bigint | undefined => harness.gateway.books(id)?.chargedBack;

/** Calls the control API, as other processes do. */
function command(harness: Harness, name: string, body: object): { status: number; id: string } {
  const on = { engine: harness.gateway, log: new RequestLog() };
  const { status, body: answer } = control(
    on,
    'POST',
    `/_control/${name}`,
    new URLSearchParams(),
    JSON.stringify(body),
  );
  const id = typeof answer === 'object' && answer !== null && 'id' in answer ? String(answer.id) : '';
  return { status, id };
}

describe('a chargeback', () => {
  it('moves money only when it succeeded; a pending one blocks refunds', () => {
    const harness = openHarness();
    const [part, declined, pending] = [debit(harness), debit(harness), debit(harness)];
    expect(command(harness, 'chargeback', { paymentId: part, amount: '30.00' }).status).toBe(200);
    command(harness, 'chargeback', { paymentId: declined, state: 'rejected' });
    const { id } = command(harness, 'chargeback', { paymentId: pending, state: 'pending' });
    expect([part, declined, pending].map((payment) => standing(harness, payment))).toEqual([30_00n, 0n, 0n]);
    expect(verdict(refund(harness, declined, '1.00'))).toBe('200 000.100.110');
    expect(verdict(refund(harness, pending, '1.00'))).toBe('400 700.300.600');
    expect(brief(harness, pending)).toContainEqual(['CB', '100.00', pending, '000.200.000']);
    harness.gateway.finishPending({ id, state: 'succeeded' });
    expect(standing(harness, pending)).toBe(100_00n);
  });

  it('without an amount shows it once it changes, and can grow and shrink', () => {
    const harness = openHarness();
    const payment = debit(harness);
    const { id } = command(harness, 'chargeback', {
      paymentId: payment,
      amount: '30.00',
      showsAmount: false,
    });
    expect(brief(harness, payment)).toContainEqual(['CB', undefined, payment, '000.100.200']);
    for (const [amount, minor] of [
      ['30.00', 30_00n],
      ['100.00', 100_00n],
      ['0.01', 1n],
    ] as const) {
      expect(command(harness, 'chargeback-change', { chargebackId: id, amount }).status).toBe(200);
      expect(brief(harness, payment)).toContainEqual(['CB', amount, payment, '000.100.200']);
      expect(standing(harness, payment)).toBe(minor);
    }
    expect(command(harness, 'chargeback-change', { chargebackId: id, amount: '100.01' }).status).toBe(409);
    expect(command(harness, 'chargeback-change', { chargebackId: payment, amount: '1.00' }).status).toBe(409);
  });
});

describe('a chargeback reversal', () => {
  it('of a part leaves the rest disputed; the payment can be refunded once all of it is reversed', () => {
    const harness = openHarness();
    const payment = debit(harness);
    const { id } = command(harness, 'chargeback', { paymentId: payment });
    command(harness, 'chargeback-reversal', { chargebackId: id, amount: '40.00' });
    expect(standing(harness, payment)).toBe(60_00n);
    expect(verdict(refund(harness, payment, '1.00'))).toBe('400 700.300.600');
    expect(command(harness, 'chargeback-change', { chargebackId: id, amount: '39.99' }).status).toBe(409);
    expect(command(harness, 'chargeback-reversal', { chargebackId: id, amount: '60.01' }).status).toBe(409);
    command(harness, 'chargeback-reversal', { chargebackId: id });
    expect(standing(harness, payment)).toBe(0n);
    expect(command(harness, 'chargeback-reversal', { chargebackId: id }).status).toBe(409);
    expect(verdict(refund(harness, payment, '100.00'))).toBe('200 000.100.110');
  });

  it('that is pending or declined returns no money; a pending one holds its amount', () => {
    const harness = openHarness();
    const payment = debit(harness);
    const { id: chargebackId } = command(harness, 'chargeback', { paymentId: payment });
    command(harness, 'chargeback-reversal', { chargebackId, state: 'rejected' });
    const { id } = command(harness, 'chargeback-reversal', {
      chargebackId,
      state: 'pending',
      amount: '70.00',
    });
    expect(standing(harness, payment)).toBe(100_00n);
    expect(command(harness, 'chargeback-reversal', { chargebackId, amount: '30.01' }).status).toBe(409);
    expect(
      listed(harness, payment).flatMap(({ paymentType, result }) =>
        paymentType === 'CR' ? [result?.code] : [],
      ),
    ).toEqual(['100.397.102', '000.200.000']);
    harness.gateway.finishPending({ id, state: 'succeeded' });
    expect(standing(harness, payment)).toBe(30_00n);
  });

  it('may omit its original; the reversal of a reversal means that the merchant lost again', () => {
    const harness = openHarness();
    const payment = debit(harness);
    const { id: chargebackId } = command(harness, 'chargeback', { paymentId: payment });
    const { id } = command(harness, 'chargeback-reversal', { chargebackId, showsReference: false });
    expect(brief(harness, payment)).toContainEqual(['CR', '100.00', undefined, '000.100.110']);
    command(harness, 'chargeback-reversal', { chargebackId: id, amount: '60.00' });
    expect(brief(harness, payment)).toContainEqual(['CR', '60.00', id, '000.100.110']);
    expect(standing(harness, payment)).toBe(60_00n);
    expect(harness.gateway.leftMerchant({ originals: [payment] })).toMatchObject([{ chargedBack: 60_00n }]);
    expect(verdict(refund(harness, payment, '1.00'))).toBe('400 700.300.600');
  });
});

describe('an account that lists refunds of a capture with that capture only', () => {
  it('lists only direct children under the authorization', () => {
    const harness = openHarness();
    expect(command(harness, 'settings', { captureLinks: 'apart' }).status).toBe(200);
    const { paymentId, captureIds } = harness.gateway.createPayment({
      type: 'PA',
      amount: 50_00n,
      currency: 'EUR',
      captures: [50_00n],
    });
    const [capture = ''] = captureIds;
    refund(harness, capture, '5.00');
    const { id } = command(harness, 'chargeback', { paymentId: capture, amount: '10.00' });
    command(harness, 'chargeback-reversal', { chargebackId: id });
    const types = (of: string) => listed(harness, of).map(({ paymentType }) => paymentType);
    expect(types(paymentId)).toEqual(['PA', 'CP']);
    expect(types(capture)).toEqual(['CP', 'RF', 'CB', 'CR']);
    const single = debit(harness);
    command(harness, 'chargeback', { paymentId: single });
    expect(types(single)).toEqual(['DB', 'CB']);
  });
});
