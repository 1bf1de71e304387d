/** Tests which limits the gateway enforces: the refundable amount, standalone credits without a limit, and the gateway's own books. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededIds } from '../../sandbox/gateway/ids.js';
import {
  bodyOf,
  creditByCard,
  debit,
  idOf,
  openHarness,
  refund,
  verdict,
  type Harness,
} from './gateway-harness.js';

const capture = (
  harness: Harness,
  captures: readonly bigint[],
): { paymentId: string; captureIds: readonly string[] } =>
  harness.gateway.createPayment({ type: 'PA', amount: 100_00n, currency: 'EUR', captures });

describe('the refundable amount', () => {
  it('allows partial refunds up to the last cent, and then rejects with 700.400.200', () => {
    const harness = openHarness();
    const id = debit(harness);
    expect(verdict(refund(harness, id, '60.00'))).toBe('200 000.100.110');
    expect(verdict(refund(harness, id, '40.01'))).toBe('400 700.400.200');
    expect(verdict(refund(harness, id, '40.00'))).toBe('200 000.100.110');
    expect(verdict(refund(harness, id, '0.01'))).toBe('400 700.400.200');
    expect(harness.gateway.books(id)?.refunded).toBe(100_00n);
  });

  it('is taken again by a second refund with the same reference', () => {
    const harness = openHarness();
    const id = debit(harness);
    refund(harness, id, '30.00', { merchantTransactionId: 'SAME' });
    refund(harness, id, '30.00', { merchantTransactionId: 'SAME' });
    expect(harness.gateway.executedByReference('SAME')).toBe(2);
    expect(harness.gateway.leftMerchant({ references: ['SAME'] })).toMatchObject([{ refunded: 60_00n }]);
  });

  it('is reduced by a pending refund, and restored when that is rejected', () => {
    const harness = openHarness();
    const id = debit(harness);
    harness.gateway.setFault({ effect: { kind: 'pending', afterMs: 1000, final: 'rejected' } });
    refund(harness, id, '100.00', { merchantTransactionId: 'P1' });
    expect(verdict(refund(harness, id, '1.00'))).toBe('400 700.400.200');
    expect(harness.gateway.executedByReference('P1')).toBe(1);
    harness.wait(1000);
    expect(harness.gateway.executedByReference('P1')).toBe(0);
    expect(verdict(refund(harness, id, '100.00'))).toBe('200 000.100.110');
  });

  it('is shared by an authorization and its captures', () => {
    const harness = openHarness();
    const { paymentId, captureIds } = capture(harness, [60_00n, 40_00n]);
    const [first = '', second = ''] = captureIds;
    expect(verdict(refund(harness, first, '60.01'))).toBe('400 700.400.200');
    expect(verdict(refund(harness, paymentId, '50.00'))).toBe('200 000.100.110');
    expect(verdict(refund(harness, first, '60.00'))).toBe('400 700.400.200');
    expect(verdict(refund(harness, second, '40.00'))).toBe('200 000.100.110');
    expect(verdict(refund(harness, first, '10.00'))).toBe('200 000.100.110');
    expect(verdict(refund(harness, paymentId, '0.01'))).toBe('400 700.400.200');
    expect(harness.gateway.books(paymentId)).toMatchObject({ captured: 100_00n, refunded: 100_00n });
  });

  it('is reduced by a refund that was made in the portal', () => {
    const harness = openHarness();
    const id = debit(harness);
    harness.gateway.refundInPortal({ paymentId: id, amount: 70_00n });
    expect(verdict(refund(harness, id, '30.01'))).toBe('400 700.400.200');
    expect(() => harness.gateway.refundInPortal({ paymentId: id, amount: 30_01n })).toThrow('700.400.200');
  });
});

describe('the standalone credit', () => {
  it('has no limit and no original: a refunded customer is paid again', () => {
    const harness = openHarness();
    const id = debit(harness);
    refund(harness, id, '100.00', { merchantTransactionId: 'RF1' });
    expect(verdict(creditByCard(harness, '5000.00', { merchantTransactionId: 'CD1' }))).toBe(
      '200 000.100.110',
    );
    const linked = bodyOf(harness.get(`/v3/query/${id}`, { includeLinkedTransactions: 'true' })).records;
    expect(linked?.map(({ paymentType }) => paymentType)).toEqual(['DB', 'RF']);
    expect(harness.gateway.books(id)).toMatchObject({ refunded: 100_00n, credits: [{ amount: 5000_00n }] });
  });

  it('is found in the books by reference or registration only', () => {
    const harness = openHarness();
    const { paymentId, registrationId } = harness.gateway.createPayment({
      type: 'DB',
      amount: 9_00n,
      currency: 'EUR',
    });
    harness.post(`/v1/registrations/${registrationId}/payments`, {
      paymentType: 'CD',
      amount: '1.00',
      currency: 'EUR',
    });
    creditByCard(harness, '2.00', { merchantTransactionId: 'CD2' });
    creditByCard(harness, '3.00');
    const amounts = (hint: object): unknown =>
      harness.gateway.books(paymentId, hint)?.credits.map(({ amount }) => amount);
    expect(amounts({})).toEqual([1_00n, 2_00n, 3_00n]);
    expect(amounts({ registrationId })).toEqual([1_00n]);
    expect(amounts({ references: ['CD2'] })).toEqual([2_00n]);
    expect(amounts({ references: [] })).toEqual([]);
  });
});

describe('the money that left the merchant', () => {
  it('sums references and originals, each transaction once and each currency separately', () => {
    const harness = openHarness();
    const id = debit(harness);
    refund(harness, id, '20.00', { merchantTransactionId: 'A' });
    harness.gateway.refundInPortal({ paymentId: id, amount: 5_00n });
    creditByCard(harness, '7.00', { merchantTransactionId: 'B' });
    creditByCard(harness, '8.00', { merchantTransactionId: 'C', currency: 'USD' });
    refund(harness, id, '500.00', { merchantTransactionId: 'A' });
    expect(harness.gateway.leftMerchant({ references: ['A', 'B', 'C'], originals: [id] })).toEqual([
      { currency: 'EUR', refunded: 25_00n, reversed: 0n, credited: 7_00n, chargedBack: 0n, total: 32_00n },
      { currency: 'USD', refunded: 0n, reversed: 0n, credited: 8_00n, chargedBack: 0n, total: 8_00n },
    ]);
    expect(['A', 'B', 'unused'].map((reference) => harness.gateway.executedByReference(reference))).toEqual([
      1, 1, 0,
    ]);
  });

  it('does not contain returned refunds', () => {
    const harness = openHarness();
    const id = debit(harness);
    const refunded = idOf(refund(harness, id, '20.00', { merchantTransactionId: 'A' }));
    harness.gateway.failLate({ id: refunded });
    expect(harness.gateway.books(id)).toMatchObject({ refunded: 0n, returned: 20_00n });
    expect(harness.gateway.leftMerchant({ references: ['A'] })).toMatchObject([{ total: 0n }]);
    expect(verdict(refund(harness, id, '100.00'))).toBe('200 000.100.110');
  });
});

type Step = { readonly do: string; readonly pick: number; readonly amount: bigint; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom(
    'DB',
    'PA',
    'CP',
    'RF',
    'RF',
    'RF',
    'RV',
    'CD',
    'CB',
    'CR',
    'portal',
    'late',
    'fault',
    'wait',
  ),
  pick: fc.nat(1000),
  amount: fc.bigInt(1n, 120_00n),
  ms: fc.nat(2000),
});

const text = (amount: bigint): string => `${amount / 100n}.${(amount % 100n).toString().padStart(2, '0')}`;

/** Controls may be rejected with CommandRefused; any other error fails the test. */
function attempt(command: () => unknown): void {
  try {
    command();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'CommandRefused') throw error;
  }
}

function play(harness: Harness, move: Step): void {
  const { gateway } = harness;
  const all = gateway.transactions();
  const target = all[move.pick % Math.max(all.length, 1)]?.id ?? 'none';
  const amount = text(move.amount);
  switch (move.do) {
    case 'DB':
      gateway.createPayment({ type: 'DB', amount: move.amount, currency: 'EUR' });
      return;
    case 'PA':
      gateway.createPayment({
        type: 'PA',
        amount: move.amount,
        currency: 'EUR',
        captures: [move.amount / 2n + 1n].filter((part) => part <= move.amount),
      });
      return;
    case 'CP':
    case 'RF':
    case 'RV':
      harness.post(`/v1/payments/${target}`, {
        paymentType: move.do,
        amount,
        currency: 'EUR',
        merchantTransactionId: `m${move.pick}`,
      });
      return;
    case 'CD':
      creditByCard(harness, amount);
      return;
    case 'CB':
      attempt(() => gateway.chargeback({ paymentId: target, amount: move.amount }));
      return;
    case 'CR':
      attempt(() => gateway.changeChargeback({ chargebackId: target, amount: move.amount }));
      attempt(() =>
        gateway.reverseChargeback(target, {
          ...(move.ms % 2 === 0 ? { amount: move.amount } : {}),
          ...(move.ms % 3 === 0 ? { state: 'pending' } : {}),
        }),
      );
      return;
    case 'portal':
      attempt(() => gateway.refundInPortal({ paymentId: target, amount: move.amount }));
      return;
    case 'late':
      attempt(() => gateway.failLate({ id: target }));
      return;
    case 'fault':
      gateway.setFault({
        effect: [
          { kind: 'pending', afterMs: move.ms, final: 'succeeded' } as const,
          { kind: 'pending', afterMs: move.ms, final: 'rejected' } as const,
          { kind: 'execute_after', ms: move.ms } as const,
          { kind: 'accept_then_drop' } as const,
          { kind: 'comm_error', executed: true } as const,
          { kind: 'late_failure', ms: move.ms } as const,
        ][move.pick % 6] ?? { kind: 'drop_before_execute' },
      });
      return;
    default:
      harness.wait(move.ms);
  }
}

describe('after any sequence of requests and controls', () => {
  it('no original is refunded beyond its captured amount, and the books equal the sums of the transactions', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 80 }), fc.integer(), (steps, seed) => {
        const harness = openHarness({ ids: seededIds(seed), settings: { reversalOnDebit: seed % 2 === 0 } });
        for (const move of steps) play(harness, move);
        harness.wait(10_000);
        const all = harness.gateway.transactions();
        const paid = (ids: ReadonlySet<string>, type: string): bigint =>
          all
            .filter(
              (found) =>
                found.type === type && found.state === 'succeeded' && ids.has(found.referencedId ?? ''),
            )
            .reduce((sum, found) => sum + found.amount, 0n);
        for (const original of all.filter(({ type }) => type === 'DB' || type === 'PA')) {
          const captures = all.filter(
            ({ type, referencedId }) => type === 'CP' && referencedId === original.id,
          );
          const tree = new Set([original.id, ...captures.map(({ id }) => id)]);
          const books = harness.gateway.books(original.id);
          expect(books?.refunded).toBe(paid(tree, 'RF'));
          expect(books?.reversed).toBe(paid(tree, 'RV'));
          expect(books?.captured).toBe(original.type === 'DB' ? original.amount : paid(tree, 'CP'));
          expect(paid(tree, 'RF')).toBeLessThanOrEqual(books?.captured ?? -1n);
          expect(books?.chargedBack).toBeGreaterThanOrEqual(0n);
          for (const part of captures)
            expect(paid(new Set([part.id]), 'RF')).toBeLessThanOrEqual(part.amount);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
