/** Reads idempotency keys, so that one key has one spelling. */

/** One character of a quoted key, and one that is no quote: RFC 8941, section 3.3.3, without the blank. */
const QUOTED = String.raw`(?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])`;
const QUOTED_EDGE = String.raw`(?:[\x21\x23-\x5b\x5d-\x7e]|\\\\)`;
const EDGE = String.raw`[\x21\x23-\x7e]`;

/**
 * 1 to 255 visible ASCII characters without blanks, bare or as a quoted string of RFC 8941. A key neither begins nor ends with a quote of
 * its own: half a quoted string is malformed, and a string inside of a string is not unpacked twice.
 */
export const IDEMPOTENCY_KEY = new RegExp(
  `^(?:${EDGE}(?:[\\x21-\\x7e]{0,253}${EDGE})?|"${QUOTED_EDGE}(?:${QUOTED}{0,253}${QUOTED_EDGE})?")$`,
);

export const IDEMPOTENCY_KEY_RULE =
  'must be 1 to 255 visible ASCII characters without spaces, bare or in double quotes (RFC 8941)';

/** Returns the key without its quotes and surrounding blanks; undefined where it is no key. */
export function readIdempotencyKey(given: unknown): string | undefined {
  if (typeof given !== 'string') return undefined;
  const key = given.trim();
  if (!IDEMPOTENCY_KEY.test(key)) return undefined;
  return key.startsWith('"') ? key.slice(1, -1).replace(/\\(["\\])/g, '$1') : key;
}
