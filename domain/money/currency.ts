/** Currencies that a customer can be paid in, and their decimals. */
import { data } from 'currency-codes';

declare const brand: unique symbol;

/** An ISO 4217 code of three capitals that `isCurrencyCode` has accepted. */
export type CurrencyCode = string & { readonly [brand]: 'CurrencyCode' };

/** Took effect in 2025, after the list in `currency-codes` 2.2 (June 2024). ISO 4217 gives both two decimals. */
const NEWER: readonly (readonly [string, number])[] = [
  ['XCG', 2],
  ['XAD', 2],
];

/** Codes of monetary unions, which begin with X. Every other X-code is a metal, a test code or a basket. */
const UNION_MONEY: ReadonlySet<string> = new Set(['XAF', 'XCD', 'XOF', 'XPF']);

/** In ISO 4217, but not used for payments: units of account, index units, next-day funds. */
const UNITS_OF_ACCOUNT: ReadonlySet<string> = new Set([
  'BOV',
  'CHE',
  'CHW',
  'CLF',
  'COU',
  'MXV',
  'USN',
  'UYI',
  'UYW',
]);

/**
 * ISO's own decimals. Those of `Intl` follow everyday use and are 0 for the forint and the rupiah, so an amount would be wrong by a
 * factor of 100.
 */
const DECIMALS: ReadonlyMap<string, number> = new Map([
  ...data
    .filter(({ code }) => (!code.startsWith('X') || UNION_MONEY.has(code)) && !UNITS_OF_ACCOUNT.has(code))
    .map(({ code, digits }) => [code, digits] as const),
  ...NEWER,
]);

/** True for the code of a currency that customers are paid in, in capitals. */
export const isCurrencyCode = (text: string): text is CurrencyCode => DECIMALS.has(text);

/** Decimals of a currency: 2 for EUR, 0 for JPY, 3 for KWD. */
export function decimalsOf(currency: CurrencyCode): number {
  const decimals = DECIMALS.get(currency);
  if (decimals === undefined) throw new RangeError(`No currency that can be paid: ${currency}`);
  return decimals;
}
