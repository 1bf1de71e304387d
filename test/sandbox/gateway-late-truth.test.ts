/** What the simulator shows late or not at all, and what turns out otherwise than it was answered. */
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  debit,
  idOf,
  openWorld,
  refund,
  refundedOf,
  refundUnder,
  RF,
  seen,
  verdict,
} from './gateway-world.js';

describe('a lag that hides a transaction', () => {
  it('ends when it is told to, without a notice', () => {
    const { world, answer } = refundUnder({ kind: 'visibility_lag', ms: 86_400_000 });
    const told = world.gateway.due().length;
    expect(seen(world)).toBe('404 700.400.580');
    world.gateway.show({ id: idOf(answer) });
    expect(seen(world)).toBe('200 000.000.100');
    expect(world.gateway.due()).toHaveLength(0);
    expect(told).toBeGreaterThan(0);
    expect(() => world.gateway.show({ id: idOf(answer) })).toThrow('visible already');
  });
});

describe('a refusal that turns out executed', () => {
  it('pays what was asked, is announced, and is shown as a success', () => {
    const { world, id, answer } = refundUnder({ kind: 'reject', code: '800.100.152' });
    world.gateway.due();
    world.gateway.succeedLate({ id: idOf(answer) });
    expect(refundedOf(world, id)).toBe(40_00n);
    expect(world.gateway.executedByReference('RF1')).toBe(1);
    expect(world.gateway.due()).toHaveLength(1);
    expect(bodyOf(world.get('/v3/query', RF)).records?.[0]?.result?.code).toBe('000.100.110');
    expect(verdict(refund(world, id, '60.01'))).toBe('400 700.400.200');
  });

  it('is none where it succeeded or pays nothing out', () => {
    const { world, id, answer } = refundUnder({ kind: 'accept_then_drop' });
    expect(verdict(answer)).toBe('dropped');
    const [record] = bodyOf(world.get('/v3/query', RF)).records ?? [];
    const paid = { id: record?.id ?? '' };
    expect(() => world.gateway.succeedLate(paid)).toThrow('Only a refund');
    expect(() => world.gateway.succeedLate({ id })).toThrow('Only a refund');
  });

  it('pays again what came back, once', () => {
    const { world, id, answer } = refundUnder({ kind: 'answer_after', ms: 1 });
    const paid = { id: idOf(answer) };
    world.gateway.failLate(paid);
    expect(refundedOf(world, id)).toBe(0n);
    world.gateway.succeedLate(paid);
    expect(refundedOf(world, id)).toBe(40_00n);
    expect(world.gateway.executedByReference('RF1')).toBe(1);
  });
});

describe('a transaction that is shown by its id alone', () => {
  it('is in no list, can be asked for, and counts all the same', () => {
    const { world, id, answer } = refundUnder({ kind: 'by_id_only' });
    const linked = { includeLinkedTransactions: 'true' };
    expect(seen(world)).toBe('404 700.400.580');
    expect(bodyOf(world.get(`/v3/query/${id}`, linked)).records).toHaveLength(1);
    expect(verdict(world.get('/v1/query', RF))).toBe('404 700.400.580');
    for (const path of ['/v3/query/', '/v1/query/', '/v1/payments/'])
      expect(verdict(world.get(`${path}${idOf(answer)}`))).toMatch(/^200 000\./);
    expect(refundedOf(world, id)).toBe(40_00n);
    expect(verdict(refund(world, id, '60.01'))).toBe('400 700.400.200');
  });
});

describe('a success that comes back', () => {
  it('by plan, days later', () => {
    const { world, id, answer } = refundUnder({ kind: 'late_failure', ms: 86_400_000 });
    expect(verdict(answer)).toBe('200 000.100.110');
    expect(refundedOf(world, id)).toBe(40_00n);
    world.wait(86_400_000);
    expect(world.gateway.books(id)).toMatchObject({ refunded: 0n, returned: 40_00n });
    expect(bodyOf(world.get('/v3/query', RF)).records?.[0]?.result?.code).toBe('100.397.102');
  });

  it('is never a capture: the rule waits for the refund', () => {
    const world = openWorld();
    const { paymentId } = world.gateway.createPayment({ type: 'PA', amount: 4_00n, currency: 'EUR' });
    world.gateway.setFault({ effect: { kind: 'late_failure', ms: 1000 } });
    world.post(`/v1/payments/${paymentId}`, { paymentType: 'CP', amount: '4.00', currency: 'EUR' });
    expect(verdict(refund(world, paymentId, '4.00'))).toBe('200 000.100.110');
    world.wait(1000);
    expect(world.gateway.books(paymentId)).toMatchObject({ captured: 4_00n, refunded: 0n, returned: 4_00n });
  });

  it('after it had been pending', () => {
    const { world, id } = refundUnder({ kind: 'late_failure', ms: 5000 });
    const second = openWorld();
    const other = debit(second);
    second.gateway.setFault({ effect: { kind: 'late_failure', ms: 5000, code: '800.100.165' } });
    second.gateway.setFault({ effect: { kind: 'pending', afterMs: 1000 } });
    refund(second, other, '40.00');
    second.wait(1000);
    expect(refundedOf(second, other)).toBe(40_00n);
    second.wait(4000);
    expect(second.gateway.books(other)?.returned).toBe(40_00n);
    expect(refundedOf(world, id)).toBe(40_00n);
  });

  it('never a payment', () => {
    const world = openWorld();
    expect(() => world.gateway.failLate({ id: debit(world) })).toThrow('Only a refund');
  });
});

describe('look-ups that do not tell', () => {
  it('show a new transaction only after the lag, by reference, by id and among the linked', () => {
    const { world, id, answer } = refundUnder({ kind: 'visibility_lag', ms: 60_000 });
    const ways = (): string[] => [
      seen(world),
      verdict(world.get(`/v1/payments/${idOf(answer)}`)),
      String(bodyOf(world.get(`/v3/query/${id}`, { includeLinkedTransactions: 'true' })).records?.length),
    ];
    world.wait(59_999);
    expect(ways()).toEqual(['404 700.400.580', '404 700.400.580', '1']);
    world.wait(1);
    expect(ways()).toEqual(['200 000.000.100', '200 000.100.110', '2']);
    expect(refundedOf(world, id)).toBe(40_00n);
  });

  it.each([
    ['throttled', '429 800.120.100'],
    ['empty', '404 700.400.580'],
    ['html', 'raw 502'],
    ['drop', 'dropped'],
  ] as const)('because they are %s, once', (how, expected) => {
    const world = openWorld();
    const id = debit(world);
    world.gateway.setFault({ match: { paymentId: id }, effect: { kind: 'look_up', how } });
    expect(verdict(world.get('/v3/query', { merchantTransactionId: 'other' }))).toBe('404 700.400.580');
    expect(verdict(world.get(`/v3/query/${id}`))).toBe(expected);
    expect(verdict(world.get(`/v3/query/${id}`))).toBe('200 000.000.100');
  });

  it('because they are shown in another currency, once', () => {
    const world = openWorld();
    const id = debit(world);
    refund(world, id, '5.00');
    const effect = { kind: 'look_up', how: 'other_currency', currency: 'JPY' } as const;
    world.gateway.setFault({ match: { paymentId: id }, effect });
    const currencies = () =>
      bodyOf(world.get(`/v3/query/${id}`, { includeLinkedTransactions: 'true' })).records?.map(
        ({ currency }) => currency,
      );
    expect(currencies()).toEqual(['JPY', 'JPY']);
    expect(currencies()).toEqual(['EUR', 'EUR']);
  });
});
