/** Settlements of a refund, by table: every means alone, together and undone; and the rules that hold for all amounts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  claimsAfter,
  coverageOf,
  NO_COVERAGE,
  SETTLED_BY,
  settledAmountOf,
  settlementOf,
  takeFrom,
  totalOf,
  unpaidOf,
  type Coverage,
  type OutsideMoney,
  type SettlementFacts,
} from '../../domain/refund/settlement.js';
import { ATTEMPT_STATES, type AttemptState } from '../../domain/refund/attempt-states.js';
import type { Operation } from '../../domain/refund/operation.js';
import { runs } from '../support/chance.js';

const tried = (operation: Operation, amountMinor: bigint, state: AttemptState = 'succeeded') => ({
  operation,
  state,
  amountMinor,
});
const of100 = (change: Partial<SettlementFacts>): SettlementFacts => ({
  amountMinor: 10_000n,
  attempts: [],
  ...NO_COVERAGE,
  ...change,
});

describe('a refund of 100.00', () => {
  it.each<[string, Partial<SettlementFacts>, string | null, string]>([
    ['without an attempt', {}, null, '0.00'],
    ['of which nothing is final', { attempts: [tried('refund', 10_000n, 'pending')] }, null, '0.00'],
    ['whose outcome is unknown', { attempts: [tried('refund', 10_000n, 'unknown')] }, null, '0.00'],
    ['that was declined', { attempts: [tried('refund', 10_000n, 'rejected')] }, null, '0.00'],
    ['that was returned', { attempts: [tried('refund', 10_000n, 'returned')] }, null, '0.00'],
    ['that was refunded', { attempts: [tried('refund', 10_000n)] }, 'refund', '100.00'],
    ['that was reversed', { attempts: [tried('reversal', 10_000n)] }, 'reversal', '100.00'],
    [
      'that was credited after a decline',
      { attempts: [tried('refund', 10_000n, 'rejected'), tried('credit', 10_000n)] },
      'credit',
      '100.00',
    ],
    ['that was charged back', { chargedBackMinor: 10_000n }, 'chargeback', '100.00'],
    ['of which a part was charged back', { chargedBackMinor: 2_000n }, 'chargeback', '20.00'],
    ['that was refunded elsewhere', { elsewhereMinor: 10_000n }, 'refund_elsewhere', '100.00'],
    ['of which a part was refunded elsewhere', { elsewhereMinor: 1n }, 'refund_elsewhere', '0.01'],
    [
      'refunded in parts',
      { attempts: [tried('refund', 6_000n), tried('refund', 3_000n)] },
      'refund',
      '90.00',
    ],
    [
      'mostly refunded, the rest charged back',
      { attempts: [tried('refund', 6_000n)], chargedBackMinor: 4_000n },
      'refund',
      '100.00',
    ],
    [
      'mostly charged back, the rest refunded',
      { attempts: [tried('refund', 4_000n)], chargedBackMinor: 6_000n },
      'chargeback',
      '100.00',
    ],
    [
      'half by each of two: the program has paid',
      { attempts: [tried('credit', 5_000n)], elsewhereMinor: 5_000n },
      'credit',
      '100.00',
    ],
    [
      'half elsewhere and half charged back',
      { elsewhereMinor: 5_000n, chargedBackMinor: 5_000n },
      'refund_elsewhere',
      '100.00',
    ],
    [
      'that turned out paid after a chargeback had settled it: only the payment counts',
      { attempts: [tried('refund', 10_000n)], chargedBackMinor: 10_000n },
      'refund',
      '100.00',
    ],
    [
      'paid twice: the amount that the customer has is shown',
      { attempts: [tried('refund', 10_000n), tried('refund', 10_000n)] },
      'refund',
      '200.00',
    ],
  ])('%s', (_name, change, settledBy, settledAmount) => {
    expect(settledAmountOf(of100(change), 'EUR')).toMatchObject({
      amount: '100.00',
      settledBy,
      settledAmount,
    });
  });

  it('names each means with its amount', () => {
    const facts = of100({
      attempts: [tried('reversal', 4_000n), tried('refund', 3_000n)],
      elsewhereMinor: 2_000n,
      chargedBackMinor: 1_000n,
    });
    expect(settledAmountOf(facts, 'EUR')).toEqual({
      amount: '100.00',
      currency: 'EUR',
      settledBy: 'reversal',
      settledAmount: '100.00',
      settlements: [
        { by: 'refund', amount: '30.00' },
        { by: 'reversal', amount: '40.00' },
        { by: 'refund_elsewhere', amount: '20.00' },
        { by: 'chargeback', amount: '10.00' },
      ],
    });
    expect(settledAmountOf({ ...facts, amountMinor: 10_000n }, 'JPY').settledAmount).toBe('10000');
  });
});

describe('external refunds and chargebacks of a payment', () => {
  const money = (change: Partial<OutsideMoney>): OutsideMoney => ({
    limitMinor: 10_000n,
    paidBackMinor: 0n,
    elsewhereMinor: 0n,
    chargedBackMinor: 0n,
    claimed: NO_COVERAGE,
    ...change,
  });

  it.each<[string, bigint, Partial<OutsideMoney>, bigint, bigint]>([
    ['nothing external covers nothing', 10_000n, {}, 0n, 0n],
    ['20 of 100 charged back leave room for 50', 5_000n, { chargedBackMinor: 2_000n }, 0n, 0n],
    ['20 of 100 charged back leave 80 of a refund of 100', 10_000n, { chargedBackMinor: 2_000n }, 0n, 2_000n],
    ['all of it charged back covers what is owed', 5_000n, { chargedBackMinor: 10_000n }, 0n, 5_000n],
    [
      'refunds elsewhere count before chargebacks',
      10_000n,
      { paidBackMinor: 4_000n, elsewhereMinor: 4_000n, chargedBackMinor: 6_000n },
      4_000n,
      6_000n,
    ],
    [
      'an amount that counts for another refund does not count again',
      5_000n,
      { chargedBackMinor: 10_000n, claimed: { elsewhereMinor: 0n, chargedBackMinor: 7_000n } },
      0n,
      3_000n,
    ],
    ['our own refund covers nothing of another refund', 5_000n, { paidBackMinor: 10_000n }, 0n, 0n],
    ['more than the payment is no more than is owed', 5_000n, { chargedBackMinor: 25_000n }, 0n, 5_000n],
  ])('%s', (_name, unpaid, change, elsewhereMinor, chargedBackMinor) => {
    expect(coverageOf(unpaid, money(change))).toEqual({ elsewhereMinor, chargedBackMinor });
  });

  it('never covers more than is owed, than exists, or than the payment lacks', () => {
    const minor = fc.bigInt(0n, 20_000n);
    fc.assert(
      fc.property(minor, minor, minor, minor, minor, minor, (unpaid, limit, fixture, back, one, other) => {
        const all = money({
          limitMinor: limit,
          paidBackMinor: fixture + back,
          elsewhereMinor: back,
          chargedBackMinor: one,
          claimed: { elsewhereMinor: 0n, chargedBackMinor: other },
        });
        const covered = coverageOf(unpaid, all);
        const capacity = limit - fixture - back - one;
        expect(covered.elsewhereMinor).toBeGreaterThanOrEqual(0n);
        expect(covered.chargedBackMinor).toBeGreaterThanOrEqual(0n);
        expect(covered.elsewhereMinor <= back).toBe(true);
        expect(covered.chargedBackMinor <= one).toBe(true);
        expect(totalOf(covered) <= unpaid).toBe(true);
        // Any uncovered part still fits into the payment, or no external money explains it.
        const rest = unpaid - totalOf(covered);
        expect(rest >= 0n && (rest >= capacity || capacity >= unpaid)).toBe(true);
        if (capacity >= unpaid) expect(totalOf(covered)).toBe(0n);
      }),
      runs(2_000),
    );
  });
});

describe('external money that refunds count as their own', () => {
  const claim = (elsewhereMinor: bigint, chargedBackMinor: bigint, missingMinor = 0n) => ({
    elsewhereMinor,
    chargedBackMinor,
    missingMinor,
  });
  const after = (claims: ReturnType<typeof claim>[], available: Coverage) =>
    claimsAfter(claims, available).map(({ claim: of, now }) => [claims.indexOf(of), now] as const);

  it('stays counted while it exists', () => {
    expect(after([claim(1n, 2n), claim(0n, 3n)], { elsewhereMinor: 1n, chargedBackMinor: 5n })).toEqual([]);
  });

  it('is lost by the newest refund first if a chargeback is won back in part', () => {
    expect(after([claim(0n, 60n), claim(0n, 40n)], { elsewhereMinor: 0n, chargedBackMinor: 70n })).toEqual([
      [1, { elsewhereMinor: 0n, chargedBackMinor: 10n }],
    ]);
  });

  it('is lost by all if everything was won back', () => {
    expect(after([claim(0n, 60n), claim(0n, 40n)], NO_COVERAGE)).toEqual([
      [0, NO_COVERAGE],
      [1, NO_COVERAGE],
    ]);
  });

  it('is counted again for a refund that was final by it when the money is taken once more', () => {
    expect(after([claim(0n, 0n, 60n)], { elsewhereMinor: 0n, chargedBackMinor: 100n })).toEqual([
      [0, { elsewhereMinor: 0n, chargedBackMinor: 60n }],
    ]);
  });

  it('is together never more than exists', () => {
    const minor = fc.bigInt(0n, 100n);
    const claims = fc.array(fc.tuple(minor, minor, minor), { maxLength: 4 });
    fc.assert(
      fc.property(claims, minor, minor, (drawn, elsewhereMinor, chargedBackMinor) => {
        const before = drawn.map(([a, b, c]) => claim(a, b, c));
        const changed = new Map(
          claimsAfter(before, { elsewhereMinor, chargedBackMinor }).map(({ claim: of, now }) => [of, now]),
        );
        let [elsewhere, chargedBack] = [0n, 0n];
        for (const one of before) {
          const now = changed.get(one) ?? one;
          elsewhere += now.elsewhereMinor;
          chargedBack += now.chargedBackMinor;
        }
        expect(elsewhere <= elsewhereMinor && chargedBack <= chargedBackMinor).toBe(true);
      }),
      runs(2_000),
    );
  });
});

it('parts add up, are named once each, and paid and unpaid parts equal the promise', () => {
  const minor = fc.bigInt(0n, 20_000n);
  const attempt = fc.record({
    operation: fc.constantFrom<Operation>('refund', 'reversal', 'credit'),
    state: fc.constantFrom<AttemptState>(...ATTEMPT_STATES),
    amountMinor: fc.bigInt(1n, 10_000n),
  });
  fc.assert(
    fc.property(minor, fc.array(attempt, { maxLength: 3 }), minor, minor, (amountMinor, attempts, a, b) => {
      const facts = { amountMinor, attempts, elsewhereMinor: a, chargedBackMinor: b };
      const { by, minor: all, parts } = settlementOf(facts);
      expect(parts.reduce((sum, part) => sum + part.minor, 0n)).toBe(all);
      expect(new Set(parts.map((part) => part.by)).size).toBe(parts.length);
      expect(by === null).toBe(all === 0n);
      expect(unpaidOf(facts) + all).toBe(amountMinor);
      const outside = parts.filter((part) => SETTLED_BY.indexOf(part.by) >= 3);
      if (outside.length > 0) expect(all <= amountMinor).toBe(true);
    }),
    runs(2_000),
  );
});

it('external money is counted at most once', () => {
  const all = {
    elsewhereMinor: 30n,
    chargedBackMinor: 50n,
    claimed: { elsewhereMinor: 40n, chargedBackMinor: 45n },
  };
  expect(takeFrom(100n, all)).toEqual({ elsewhereMinor: 0n, chargedBackMinor: 5n });
});
