/** References and ids: reproducible, distinct, and never mistaken for one another. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAttemptId, isEntityId, isGatewayId, isPaymentId, isRefundId } from '../../domain/ids.js';
import { referenceFor } from '../../domain/refund/reference.js';
import type { Operation } from '../../domain/refund/operation.js';

const REFUND = '0190d5a0-7c3e-7b52-9b1c-2f6a1e4d8c33';
const operations = fc.constantFrom<Operation>('refund', 'reversal', 'credit');

describe('the reference of an attempt', () => {
  it.each([
    ['refund', 1, 'J8QFBXYFWRQSPYJC'],
    ['refund', 2, 'YF8FYEYVHA715PNA'],
    ['reversal', 1, 'PDMREZ5MST7BH683'],
    ['credit', 1, 'Z0YRRH8SYYHEPCX6'],
  ] as const)('of %s %i stays what it was when the order was sent', (operation, number, reference) => {
    expect(referenceFor(REFUND, operation, number)).toBe(reference);
  });

  it('is 16 characters that can be read out over the telephone', () => {
    fc.assert(
      fc.property(fc.uuid(), operations, fc.integer({ min: 1, max: 99 }), (refund, operation, number) => {
        expect(referenceFor(refund, operation, number)).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/);
      }),
    );
  });

  it('holds the first 80 bits of the digest, none lost and none twice', () => {
    fc.assert(
      fc.property(fc.uuid(), operations, fc.integer({ min: 1, max: 99 }), (refund, operation, number) => {
        const text = `oppwa-refunds reference 1\n${refund}\n${operation}\n${number}`;
        const digest = createHash('sha256').update(text).digest();
        const bits = [...digest.subarray(0, 10)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
        const read = Array.from(referenceFor(refund, operation, number))
          .map((letter) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(letter).toString(2).padStart(5, '0'))
          .join('');
        expect(read).toBe(bits);
      }),
    );
  });

  it('differs for each refund, operation and number', () => {
    const refunds = Array.from(
      { length: 200 },
      (_, n) => `${REFUND.slice(0, -3)}${String(n).padStart(3, '0')}`,
    );
    const all = refunds.flatMap((refund) =>
      (['refund', 'reversal', 'credit'] as const).flatMap((operation) =>
        [1, 2, 3, 12].map((number) => referenceFor(refund, operation, number)),
      ),
    );
    expect(new Set(all).size).toBe(200 * 3 * 4);
  });

  it.each([0, -1, 1.5, NaN, Infinity])('does not exist for attempt %d', (number) => {
    expect(() => referenceFor(REFUND, 'refund', number)).toThrow(`No attempt has the number ${number}.`);
  });
});

describe('an id', () => {
  const hex = '8ac7a4a192b3b5060192b471c0d82dfb';

  it.each([isGatewayId, isPaymentId, isEntityId])('of the gateway is 32 lowercase hex: %o', (is) => {
    expect(is(hex)).toBe(true);
    // An empty id would turn a refund into the request that creates a payment.
    const others = [
      '',
      ' ',
      hex.slice(1),
      `${hex}0`,
      hex.toUpperCase(),
      `${hex}\n`,
      `../${hex.slice(3)}`,
      REFUND,
    ];
    expect(others.filter(is)).toEqual([]);
  });

  it.each([isRefundId, isAttemptId])('of ours is a UUID in lower case: %o', (is) => {
    expect(is(REFUND)).toBe(true);
    const others = ['', hex, REFUND.toUpperCase(), `${REFUND}\n`, `0${REFUND}`, `${REFUND}0`];
    expect([...others, REFUND.replaceAll('-', '')].filter(is)).toEqual([]);
  });
});
