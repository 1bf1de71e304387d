/** Requests of clients, valid and mutated, and the rules for them, written from the docs and not from the code. */
import { isCurrencyCode } from '../../domain/money/currency.js';
import type { Random } from '../simulation/harness/random.js';
import { changed, odd } from './mutations.js';
import { CARD as CARD_IN_TEXT, isKeepable } from './second-opinion.js';

export const CARD = '4111111111111111';
export const PAYMENTS = ['a1', 'b2', 'c3', 'd4'].map((id) => id.repeat(16));
const [FIRST = ''] = PAYMENTS;
export const ENTITY = 'e'.repeat(32);
export const GOOD = {
  paymentId: FIRST,
  amount: '12.30',
  currency: 'EUR',
  reason: 'goods_returned',
  orderId: '4711',
  destination: { registrationId: 'c'.repeat(32) },
  entityId: ENTITY,
  metadata: { shop: '7', 'für wen': 'Zoë 👩‍👩‍👧‍👦' },
};

/** Values that are valid in another place, or that a program can pass and JSON cannot. */
export const TEXTS: readonly [unknown, ...unknown[]] = [
  ENTITY,
  ...PAYMENTS,
  '0.01',
  '100.00',
  '1.230',
  '1.234',
  '7',
  '9999999999.99',
  '10000000000.00',
  'USD',
  'JPY',
  'KWD',
  'XXX',
  'XAU',
  CARD,
  undefined,
  12.3,
  1230n,
  Symbol('EUR'),
  () => '12.30',
  new Date(0),
  new Map([['amount', '12.30']]),
  Object.create(null),
];

/** Decimals of the currencies that the fixtures use. */
export const DECIMALS: Readonly<Record<string, number>> = { EUR: 2, USD: 2, JPY: 0, KWD: 3 };

/** Ten-thousandths of the major unit in one minor unit of the currency. */
export const tenThousandths = (currency: string): bigint => 10n ** BigInt(4 - (DECIMALS[currency] ?? 4));

/** True if mutation made another real currency. These rules do not know its decimals, so they do not judge its amounts. */
export function isOfAnotherCurrency(input: unknown): boolean {
  const currency = currencyIn(input);
  return typeof currency === 'string' && isCurrencyCode(currency) && !Object.hasOwn(DECIMALS, currency);
}

function currencyIn(input: unknown): unknown {
  return typeof input === 'object' && input !== null && 'currency' in input ? input.currency : undefined;
}

/** Returns the minor units of a request, or undefined if the docs say it is refused. */
export function minorOf(input: unknown, askedFor: 'refund' | 'credit' = 'refund'): bigint | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined;
  const known = [
    'paymentId',
    'amount',
    'currency',
    'reason',
    'orderId',
    'destination',
    'entityId',
    'metadata',
  ];
  const fields = new Map<string, unknown>(Object.entries(input));
  const has = (name: string) => fields.get(name) !== undefined;
  if ([...fields.keys()].some((name) => !known.includes(name))) return undefined;
  // A credit names its destination and need not be about a payment.
  const needed = askedFor === 'credit' ? 'destination' : 'paymentId';
  if (!has(needed) || ['paymentId', 'entityId'].some((name) => has(name) && !isHex(fields.get(name))))
    return undefined;
  if (!isLine(fields.get('reason'), 200) || (has('orderId') && !isLine(fields.get('orderId'), 255)))
    return undefined;
  const destination = fields.get('destination');
  if (destination !== undefined) {
    if (typeof destination !== 'object' || destination === null || Array.isArray(destination))
      return undefined;
    const entries = Object.entries(destination);
    if (entries.length !== 1 || entries[0]?.[0] !== 'registrationId' || !isHex(entries[0][1]))
      return undefined;
  }
  const metadata = fields.get('metadata');
  if (metadata !== undefined) {
    if (typeof metadata !== 'object' || metadata === null || !isRecord(metadata)) return undefined;
    const entries: (readonly [string, unknown])[] = Object.entries(metadata);
    if (entries.length > 50 || Object.hasOwn(metadata, '__proto__')) return undefined;
    for (const [name, value] of entries)
      if (
        !isLine(name, 40) ||
        typeof value !== 'string' ||
        value.length > 500 ||
        !isKeepable(value) ||
        CARD_IN_TEXT.test(value)
      )
        return undefined;
  }
  return minorOfAmount(fields.get('amount'), fields.get('currency'));
}

const isHex = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);

/** True for an object as JSON makes it, or one without a class: the entries of a Map would be lost. */
function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** True if a text has enough digits for a card, whatever separates them. The tables in test/domain test which numbers are cards. */
export function perhapsCard(input: unknown): boolean {
  if (typeof input === 'string') return /\d(?:[^\p{L}\p{N}]*\d){12}/u.test(input);
  return typeof input === 'object' && input !== null && Object.entries(input).flat().some(perhapsCard);
}

export function isLine(value: unknown, longest: number): boolean {
  if (typeof value !== 'string' || value.length > longest || value.trim() === '' || !isKeepable(value))
    return false;
  if (CARD_IN_TEXT.test(value)) return false;
  return value.split('').every((unit) => unit >= ' ' && unit !== '\u007f');
}

/** Returns the minor units if the text has all of the currency's decimals or none, is above zero, and fits the gateway's two decimals. */
export function minorOfAmount(amount: unknown, currency: unknown): bigint | undefined {
  if (typeof amount !== 'string' || typeof currency !== 'string') return undefined;
  const decimals = Object.hasOwn(DECIMALS, currency) ? DECIMALS[currency] : undefined;
  if (decimals === undefined || !/^\d+(\.\d+)?$/.test(amount)) return undefined;
  const [whole = '', fraction] = amount.split('.');
  if (whole.length > 10 || (whole.length > 1 && whole.startsWith('0'))) return undefined;
  if (fraction !== undefined && fraction.length !== decimals) return undefined;
  const minor = BigInt(whole + (fraction ?? '0'.repeat(decimals)));
  return minor > 0n && (decimals < 3 || minor % 10n === 0n) ? minor : undefined;
}

export function garbled(random: Random, value: unknown): unknown {
  let now = value;
  for (let times = random.pick([0, 0, 1, 1, 1, 2, 3]); times > 0; times -= 1)
    now = changed(random, now, TEXTS);
  return random.chance(0.01) ? odd(random) : now;
}

/** Draws a request. Requests differ even if they are valid. */
export function request(random: Random): unknown {
  const { paymentId, amount, currency, reason, ...more } = GOOD;
  const usual = {
    paymentId: random.chance(0.5) ? paymentId : PAYMENTS[random.between(0, PAYMENTS.length - 1)],
    amount: random.chance(0.5) ? amount : `${random.between(0, 40)}.${random.between(10, 99)}`,
    currency,
    reason,
  };
  return random.chance(0.5) ? usual : { ...usual, ...more };
}

/** Draws a request for a credit, which needs a destination. One of five is linked to no payment. */
export function creditRequest(random: Random): unknown {
  const { paymentId, amount, currency, reason, destination } = GOOD;
  return {
    ...(random.chance(0.2) ? {} : { paymentId }),
    ...{ amount, currency, reason, destination },
  };
}
