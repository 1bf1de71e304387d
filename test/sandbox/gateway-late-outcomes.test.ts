/** Tests transactions that the simulator shows late or not at all, and outcomes that change after the answer. */
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  debit,
  idOf,
  openHarness,
  refund,
  refundedOf,
  refundUnder,
  RF,
  seen,
  verdict,
} from './gateway-harness.js';

describe('a lag that hides a transaction', () => {
  it('ends by control, without a notification', () => {
    const { harness, answer } = refundUnder({ kind: 'visibility_lag', ms: 86_400_000 });
    const notified = harness.gateway.due().length;
    expect(seen(harness)).toBe('404 700.400.580');
    harness.gateway.show({ id: idOf(answer) });
    expect(seen(harness)).toBe('200 000.000.100');
    expect(harness.gateway.due()).toHaveLength(0);
    expect(notified).toBeGreaterThan(0);
    expect(() => harness.gateway.show({ id: idOf(answer) })).toThrow('visible already');
  });
});

describe('a declined refund that succeeds late', () => {
  it('pays the requested amount, is notified, and is shown as a success', () => {
    const { harness, id, answer } = refundUnder({ kind: 'reject', code: '800.100.152' });
    harness.gateway.due();
    harness.gateway.succeedLate({ id: idOf(answer) });
    expect(refundedOf(harness, id)).toBe(40_00n);
    expect(harness.gateway.executedByReference('RF1')).toBe(1);
    expect(harness.gateway.due()).toHaveLength(1);
    expect(bodyOf(harness.get('/v3/query', RF)).records?.[0]?.result?.code).toBe('000.100.110');
    expect(verdict(refund(harness, id, '60.01'))).toBe('400 700.400.200');
  });

  it('must have been declined, and must pay the customer', () => {
    const { harness, id, answer } = refundUnder({ kind: 'accept_then_drop' });
    expect(verdict(answer)).toBe('dropped');
    const [record] = bodyOf(harness.get('/v3/query', RF)).records ?? [];
    const paid = { id: record?.id ?? '' };
    expect(() => harness.gateway.succeedLate(paid)).toThrow('Only a refund');
    expect(() => harness.gateway.succeedLate({ id })).toThrow('Only a refund');
  });

  it('pays a returned refund again, once', () => {
    const { harness, id, answer } = refundUnder({ kind: 'answer_after', ms: 1 });
    const paid = { id: idOf(answer) };
    harness.gateway.failLate(paid);
    expect(refundedOf(harness, id)).toBe(0n);
    harness.gateway.succeedLate(paid);
    expect(refundedOf(harness, id)).toBe(40_00n);
    expect(harness.gateway.executedByReference('RF1')).toBe(1);
  });
});

describe('a transaction that is found by its id only', () => {
  it('is in no list, is found by its id, and counts in the books', () => {
    const { harness, id, answer } = refundUnder({ kind: 'by_id_only' });
    const linked = { includeLinkedTransactions: 'true' };
    expect(seen(harness)).toBe('404 700.400.580');
    expect(bodyOf(harness.get(`/v3/query/${id}`, linked)).records).toHaveLength(1);
    expect(verdict(harness.get('/v1/query', RF))).toBe('404 700.400.580');
    for (const path of ['/v3/query/', '/v1/query/', '/v1/payments/'])
      expect(verdict(harness.get(`${path}${idOf(answer)}`))).toMatch(/^200 000\./);
    expect(refundedOf(harness, id)).toBe(40_00n);
    expect(verdict(refund(harness, id, '60.01'))).toBe('400 700.400.200');
  });
});

describe('a success that is returned', () => {
  it('changes by rule, days later', () => {
    const { harness, id, answer } = refundUnder({ kind: 'late_failure', ms: 86_400_000 });
    expect(verdict(answer)).toBe('200 000.100.110');
    expect(refundedOf(harness, id)).toBe(40_00n);
    harness.wait(86_400_000);
    expect(harness.gateway.books(id)).toMatchObject({ refunded: 0n, returned: 40_00n });
    expect(bodyOf(harness.get('/v3/query', RF)).records?.[0]?.result?.code).toBe('100.397.102');
  });

  it('is a refund and never a capture: the rule waits for the refund', () => {
    const harness = openHarness();
    const { paymentId } = harness.gateway.createPayment({ type: 'PA', amount: 4_00n, currency: 'EUR' });
    harness.gateway.setFault({ effect: { kind: 'late_failure', ms: 1000 } });
    harness.post(`/v1/payments/${paymentId}`, { paymentType: 'CP', amount: '4.00', currency: 'EUR' });
    expect(verdict(refund(harness, paymentId, '4.00'))).toBe('200 000.100.110');
    harness.wait(1000);
    expect(harness.gateway.books(paymentId)).toMatchObject({
      captured: 4_00n,
      refunded: 0n,
      returned: 4_00n,
    });
  });

  it('can have been pending before', () => {
    const { harness, id } = refundUnder({ kind: 'late_failure', ms: 5000 });
    const second = openHarness();
    const other = debit(second);
    second.gateway.setFault({ effect: { kind: 'late_failure', ms: 5000, code: '800.100.165' } });
    second.gateway.setFault({ effect: { kind: 'pending', afterMs: 1000 } });
    refund(second, other, '40.00');
    second.wait(1000);
    expect(refundedOf(second, other)).toBe(40_00n);
    second.wait(4000);
    expect(second.gateway.books(other)?.returned).toBe(40_00n);
    expect(refundedOf(harness, id)).toBe(40_00n);
  });

  it('is never a payment', () => {
    const harness = openHarness();
    expect(() => harness.gateway.failLate({ id: debit(harness) })).toThrow('Only a refund');
  });
});

describe('queries without a usable answer', () => {
  it('show a new transaction only after the visibility lag, by reference, by id and among the linked ones', () => {
    const { harness, id, answer } = refundUnder({ kind: 'visibility_lag', ms: 60_000 });
    const verdicts = (): string[] => [
      seen(harness),
      verdict(harness.get(`/v1/payments/${idOf(answer)}`)),
      String(bodyOf(harness.get(`/v3/query/${id}`, { includeLinkedTransactions: 'true' })).records?.length),
    ];
    harness.wait(59_999);
    expect(verdicts()).toEqual(['404 700.400.580', '404 700.400.580', '1']);
    harness.wait(1);
    expect(verdicts()).toEqual(['200 000.000.100', '200 000.100.110', '2']);
    expect(refundedOf(harness, id)).toBe(40_00n);
  });

  it.each([
    ['throttled', '429 800.120.100'],
    ['empty', '404 700.400.580'],
    ['html', 'raw 502'],
    ['drop', 'dropped'],
  ] as const)('because they are %s, once', (how, expected) => {
    const harness = openHarness();
    const id = debit(harness);
    harness.gateway.setFault({ match: { paymentId: id }, effect: { kind: 'query', how } });
    expect(verdict(harness.get('/v3/query', { merchantTransactionId: 'other' }))).toBe('404 700.400.580');
    expect(verdict(harness.get(`/v3/query/${id}`))).toBe(expected);
    expect(verdict(harness.get(`/v3/query/${id}`))).toBe('200 000.000.100');
  });

  it('show another currency, once', () => {
    const harness = openHarness();
    const id = debit(harness);
    refund(harness, id, '5.00');
    const effect = { kind: 'query', how: 'currency_differs', currency: 'JPY' } as const;
    harness.gateway.setFault({ match: { paymentId: id }, effect });
    const currencies = () =>
      bodyOf(harness.get(`/v3/query/${id}`, { includeLinkedTransactions: 'true' })).records?.map(
        ({ currency }) => currency,
      );
    expect(currencies()).toEqual(['JPY', 'JPY']);
    expect(currencies()).toEqual(['EUR', 'EUR']);
  });
});
