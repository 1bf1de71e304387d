/** Checks that a transaction may be linked to an attempt: a field that differs, or is required and missing, prevents it. */
import { describe, expect, it } from 'vitest';
import { LINK_MISMATCHES, type LinkMismatch } from '../../domain/refund/link.js';
import type { OppwaTransaction } from '../../gateway/oppwa/transaction.js';
import { readLink, type Expectation } from '../support/as-oppwa.js';

const ORIGINAL = 'a'.repeat(32);
const expected: Expectation = {
  operation: 'refund',
  originalId: ORIGINAL,
  amountMinor: 4_000n,
  currency: 'EUR',
  reference: 'ABCDEFGH01234567',
  host: 'test',
};
const done: OppwaTransaction = {
  id: 'b'.repeat(32),
  paymentType: 'RF',
  amount: '40.00',
  currency: 'EUR',
  referencedId: ORIGINAL,
  result: { code: '000.100.110', description: 'done' },
};

function without(...names: readonly (keyof OppwaTransaction)[]): OppwaTransaction {
  return {
    ...done,
    ...Object.fromEntries(names.map((name) => [name, undefined])),
  };
}
const saying = (code: string): OppwaTransaction => ({ ...done, result: { code, description: '' } });

describe('a transaction without a reference', () => {
  it.each([
    ['000.100.110', 'succeeded'],
    ['800.400.502', 'pending'],
    ['800.100.152', 'rejected'],
  ])('that matches and has code %s is linked as %s', (code, kind) => {
    expect(readLink(saying(code), expected, false)).toMatchObject({
      kind: 'fits',
      outcome: { kind, gatewayId: done.id },
      hasNoReference: true,
    });
  });

  it('that names no original is linked only if the payment lists it', () => {
    const bare = without('referencedId');
    expect(readLink(bare, expected, true).kind).toBe('fits');
    expect(readLink(bare, expected, false)).toEqual({ kind: 'mismatch', why: 'original_differs' });
  });

  it('of a whole reversal may omit its amount, as the order does', () => {
    const reversal = { ...without('amount', 'currency'), paymentType: 'RV' };
    expect(readLink(reversal, { ...expected, operation: 'reversal' }, true).kind).toBe('fits');
  });

  it('of a credit refers to no other transaction', () => {
    const { originalId: _, ...credit } = expected;
    const found = { ...without('referencedId'), paymentType: 'CD' };
    expect(readLink(found, { ...credit, operation: 'credit' }, false).kind).toBe('fits');
  });
});

describe('a transaction that does not match the attempt', () => {
  it.each<[LinkMismatch, OppwaTransaction]>([
    ['type_differs', { ...done, paymentType: 'DB' }],
    ['type_differs', { ...done, paymentType: 'CD' }],
    ['type_differs', without('paymentType')],
    ['reference_differs', { ...done, merchantTransactionId: 'ANOTHER' }],
    ['original_differs', { ...done, referencedId: 'c'.repeat(32) }],
    ['amount_differs', { ...done, amount: '40.01' }],
    ['amount_differs', without('amount')],
    ['amount_differs', without('currency')],
    ['currency_differs', { ...done, currency: 'USD' }],
    ['result_inconclusive', saying('900.100.300')],
    ['result_inconclusive', saying('999.999.999')],
  ])('is not linked: %s', (why, transaction) => {
    expect(readLink(transaction, expected, true)).toEqual({ kind: 'mismatch', why });
  });
});

it('a transaction under our own reference needs no operator to link it', () => {
  const own = { ...done, merchantTransactionId: expected.reference };
  expect(readLink(own, expected, false)).toMatchObject({ kind: 'fits', hasNoReference: false });
});

it('every mismatch has a text of its own', () => {
  const texts = Object.values(LINK_MISMATCHES);
  for (const sentence of texts) expect(sentence).toMatch(/^(it|its) [a-z]+ [a-z ]+/);
  expect(new Set(texts).size).toBe(6);
});
