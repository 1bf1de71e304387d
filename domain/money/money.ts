/** Money in minor units. Text is parsed on input and formatted on output; everything between uses whole numbers. */
import { decimalsOf, isCurrencyCode, type CurrencyCode } from './currency.js';

/** `minor` counts the currency's smallest unit: 1230n with 2 decimals is 12.30. */
export interface Money {
  readonly minor: bigint;
  readonly currency: CurrencyCode;
  readonly decimals: number;
}

export type AmountErrorCode =
  | 'unknown_currency'
  | 'not_a_string'
  | 'empty'
  | 'space'
  | 'sign'
  | 'exponent'
  | 'separator'
  | 'malformed'
  | 'too_large'
  | 'too_many_decimals'
  | 'ambiguous_decimals'
  | 'zero';

/** `message` is a whole sentence for the client. It repeats at most ten digits of the input, because the input may be a card number. */
export interface AmountError {
  readonly code: AmountErrorCode;
  readonly message: string;
}

export type AmountReading =
  { readonly ok: true; readonly money: Money } | { readonly ok: false; readonly error: AmountError };

export type GatewayAmount =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: 'not_expressible' | 'out_of_range' };

/** The vendor's manual gives `[0-9]{1,10}\.[0-9]{2}` for amounts, for every currency. */
const MAX_WHOLE_DIGITS = 10;
const GATEWAY_DECIMALS = 2;

/** Returns the money for a stored amount of minor units. Throws if the currency can never have been stored. */
export function storedMoney(minor: bigint, currency: string): Money {
  if (!isCurrencyCode(currency))
    throw new RangeError(`No money is stored in ${currency}: not an ISO 4217 code of money.`);
  return { minor, currency, decimals: decimalsOf(currency) };
}

/**
 * Reads an amount that a client requests: digits, either without a point or with exactly the currency's own decimals.
 * `12.3` is refused in euros, because it may be a typing error for 12.03 or for 12.30. Returns the first error that applies.
 */
export function parseAmount(text: unknown, currency: string): AmountReading {
  if (!isCurrencyCode(currency))
    return wrong('unknown_currency', 'The currency is not an ISO 4217 code of money, such as EUR.');
  const decimals = decimalsOf(currency);
  const example = formatMinor(12n * 10n ** BigInt(decimals), decimals);
  const write = `Write it like "${example}".`;

  if (typeof text !== 'string') return wrong('not_a_string', `The amount is not a string. ${write}`);
  if (text.trim() === '') return wrong('empty', `The amount is empty. ${write}`);
  if (/\s/.test(text)) return wrong('space', `The amount has a space in it. ${write}`);
  if (/^[+\-\u2212]/.test(text))
    return wrong('sign', `The amount has a sign; it is always positive. ${write}`);
  if (/^[\d.]+e[+-]?\d+$/i.test(text)) return wrong('exponent', `The amount has an exponent. ${write}`);
  if (/^[\d.,'’_]+$/.test(text) && /[,'’_]|\..*\./.test(text))
    return wrong('separator', `The amount has a separator; only one decimal point is allowed. ${write}`);

  const match = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/.exec(text);
  const whole = match?.[1];
  if (whole === undefined) return wrong('malformed', `The amount is not a decimal number. ${write}`);
  const fraction = match?.[2] ?? '';
  if (whole.length > MAX_WHOLE_DIGITS)
    return wrong('too_large', `The amount has more than ${MAX_WHOLE_DIGITS} digits before the point.`);
  if (fraction.length > decimals)
    return wrong('too_many_decimals', `${currency} has ${decimals} decimals, the amount has more. ${write}`);
  if (fraction !== '' && fraction.length < decimals)
    return wrong(
      'ambiguous_decimals',
      `${currency} has ${decimals} decimals, the amount has fewer. Write "${whole}.${fraction.padEnd(decimals, '0')}" if that is meant.`,
    );
  const minor = BigInt(whole + fraction.padEnd(decimals, '0'));
  if (minor === 0n) return wrong('zero', `The amount is zero. ${write}`);
  return { ok: true, money: { minor, currency, decimals } };
}

/** Formats the amount with its currency's own decimals: `12.30`, `100`, `1.234`. */
export function formatAmount({ minor, decimals }: Money): string {
  return formatMinor(minor, decimals);
}

/**
 * Formats the amount for the gateway: exactly two decimals for every currency, so 100 yen are `100.00`. The gateway declines three
 * decimals: 1.230 dinars are `1.23`; 1.234 are `not_expressible` and never rounded.
 * `out_of_range`: not positive, or more than ten digits before the point.
 */
export function gatewayAmount({ minor, decimals }: Money): GatewayAmount {
  let cents = minor * 10n ** BigInt(Math.max(GATEWAY_DECIMALS - decimals, 0));
  const surplus = 10n ** BigInt(Math.max(decimals - GATEWAY_DECIMALS, 0));
  if (cents % surplus !== 0n) return { ok: false, error: 'not_expressible' };
  cents /= surplus;
  if (cents <= 0n || cents >= 10n ** BigInt(MAX_WHOLE_DIGITS + GATEWAY_DECIMALS))
    return { ok: false, error: 'out_of_range' };
  return { ok: true, text: formatMinor(cents, GATEWAY_DECIMALS) };
}

/**
 * Reads an amount in an answer of the gateway. Accepts more forms than the program sends, because only the value counts: `92`, `92.00` and
 * `92.0` are the same euros. An amount that is not a whole number of minor units (`100.50` yen) is an error.
 */
export function parseGatewayAmount(text: string, currency: string): AmountReading {
  if (!isCurrencyCode(currency))
    return wrong('unknown_currency', 'The gateway named a currency that is not an ISO 4217 code of money.');
  const decimals = decimalsOf(currency);
  const match = /^([0-9]{1,12})(?:\.([0-9]{1,4}))?$/.exec(text);
  const whole = match?.[1];
  if (whole === undefined)
    return wrong('malformed', 'The gateway gave an amount that is not a decimal number.');
  const fraction = (match?.[2] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals)
    return wrong('too_many_decimals', `The gateway gave an amount with more decimals than ${currency} has.`);
  return { ok: true, money: { minor: BigInt(whole + fraction.padEnd(decimals, '0')), currency, decimals } };
}

function formatMinor(minor: bigint, decimals: number): string {
  const sign = minor < 0n ? '-' : '';
  const digits = (minor < 0n ? -minor : minor).toString().padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  return sign + (decimals === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`);
}

function wrong(code: AmountErrorCode, message: string): AmountReading {
  return { ok: false, error: { code, message } };
}
