/** Idempotency keys: one spelling for each key, and malformed keys are refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IDEMPOTENCY_KEY, readIdempotencyKey } from '../../domain/refund/idempotency-key.js';

describe('an idempotency key', () => {
  it.each([
    ['k', 'k'],
    ['"k"', 'k'],
    [' k ', 'k'],
    ['\t"k" ', 'k'],
    ['order-4711/return:1', 'order-4711/return:1'],
    ['"order-4711/return:1"', 'order-4711/return:1'],
    ['a"b', 'a"b'],
    [String.raw`"a\"b"`, 'a"b'],
    [String.raw`a\b`, String.raw`a\b`],
    [String.raw`"a\\b"`, String.raw`a\b`],
    [String.raw`"\\"`, '\\'],
    ['x'.repeat(255), 'x'.repeat(255)],
    [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
  ])('%j is %j', (fixture, key) => {
    expect(readIdempotencyKey(fixture)).toBe(key);
  });

  it.each([
    '',
    ' ',
    '"',
    '""',
    '"k',
    'k"',
    '"k"x',
    '"k";a=1',
    '"k", "k"',
    'k, k',
    '"a b"',
    '" k "',
    String.raw`"k\"`,
    String.raw`"a\b"`,
    '"a"b"',
    String.raw`"\"k\""`,
    'kü',
    '“k”',
    'k\u0000',
    'x'.repeat(256),
    `"${'x'.repeat(256)}"`,
    undefined,
    null,
    1,
    ['k'],
  ])('%j is not a key', (fixture) => {
    expect(readIdempotencyKey(fixture)).toBeUndefined();
  });

  it('is the same with and without quotes, and never equals another key', () => {
    const characters = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit: characters, minLength: 1, maxLength: 255 }), (key) => {
        const quoted = `"${key.replace(/["\\]/g, String.raw`\$&`)}"`;
        const bare = readIdempotencyKey(key);
        if (!key.startsWith('"') && !key.endsWith('"'))
          expect([bare, readIdempotencyKey(quoted)]).toEqual([key, key]);
        // A parsed key parses as itself: no key is unquoted twice.
        if (bare !== undefined) expect(readIdempotencyKey(bare)).toBe(bare);
        expect(IDEMPOTENCY_KEY.test(key)).toBe(bare !== undefined);
      }),
    );
  });
});
