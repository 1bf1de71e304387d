/** Reads the card data of a request. Reports every wrong field with the gateway's code where there is one, and repeats no value. */
import { z } from 'zod';
import type { InputProblem } from '../refund/request.js';
import { looksLikeCard } from './card-number.js';
import { FIELD_RULES, type CardFieldName, type FieldRule } from './card-fields.js';
import { brandOf, canBe, CARD_BRANDS, cvvLengthsOf, hasCheckDigit } from './schemes.js';
import type { CardData } from './sealed-card.js';

export interface CardProblem extends InputProblem {
  /** Result code that the gateway would give. */
  readonly gatewayCode?: string;
}

export type CardReading<Read> =
  | { readonly ok: true; readonly value: Read }
  | { readonly ok: false; readonly problems: readonly CardProblem[] };

export interface CardRules {
  readonly now: Date;
  /** True if an entity is on a live host. On test hosts a holder that is a result code makes the gateway answer with this code. */
  readonly isLive: boolean;
}

type Found = Partial<Record<CardFieldName, string>>;
type Report = (field: string, code: string, message: string, gatewayCode?: string) => void;

const GROUPS = { billing: 'billing.', customer: 'customer.' } as const;

/** Reads a card of any shape. */
export function readCardRequest(input: unknown, rules: CardRules): CardReading<CardData> {
  const problems: CardProblem[] = [];
  const report: Report = (field, code, message, gatewayCode) => {
    problems.push({ field, code, message, ...(gatewayCode === undefined ? {} : { gatewayCode }) });
  };
  const fields = entriesOf(input);
  if (fields === undefined) {
    report('(request)', 'invalid', 'must be an object with the fields of a card');
    return { ok: false, problems };
  }
  const found = readFields(fields, report);
  checkNumber(found, fields.has('number'), report);
  const brand = checkBrand(found, fields.has('brand'), report);
  checkExpiry(found, fields, rules.now, report);
  checkHolder(found, fields.has('holder'), rules, report);
  checkCvv(found, brand, report);
  const { number, holder, expiryMonth, expiryYear, cvv } = found;
  const isWhole =
    number !== undefined && holder !== undefined && expiryMonth !== undefined && expiryYear !== undefined;
  if (problems.length > 0 || !isWhole || brand === undefined) return { ok: false, problems };
  const billing = groupOf(found, GROUPS.billing);
  const customer = groupOf(found, GROUPS.customer);
  return {
    ok: true,
    value: {
      brand,
      number,
      holder,
      expiryMonth,
      expiryYear,
      ...(cvv === undefined ? {} : { cvv }),
      ...(billing === undefined ? {} : { billing }),
      ...(customer === undefined ? {} : { customer }),
    },
  };
}

/** Reads `{ cvv }` for a card of this brand. */
export function readCvvRequest(input: unknown, brand: string): CardReading<string> {
  const problems: CardProblem[] = [];
  const report: Report = (field, code, message, gatewayCode) => {
    problems.push({ field, code, message, ...(gatewayCode === undefined ? {} : { gatewayCode }) });
  };
  const fields = entriesOf(input);
  const cvv = fields?.get('cvv');
  for (const name of fields?.keys() ?? []) if (name !== 'cvv') unknownField('', name, report);
  if (cvv === undefined) report('cvv', 'missing', 'is missing', '100.100.600');
  else if (typeof cvv !== 'string') report('cvv', 'invalid', 'must be text', '100.100.601');
  else checkCvv({ cvv }, brand, report);
  return typeof cvv === 'string' && problems.length === 0
    ? { ok: true, value: cvv }
    : { ok: false, problems };
}

function entriesOf(input: unknown): ReadonlyMap<string, unknown> | undefined {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
    ? new Map(Object.entries(input).filter(([, value]) => value !== undefined))
    : undefined;
}

const isField = (name: string): name is CardFieldName => Object.hasOwn(FIELD_RULES, name);

/** Returns the fields that are text of the right form, and reports all others. */
function readFields(fields: ReadonlyMap<string, unknown>, report: Report): Found {
  const found: Found = {};
  const readOne = (name: string, value: unknown): void => {
    if (!isField(name)) return;
    const { holds, allowed, gatewayCode }: FieldRule = FIELD_RULES[name];
    if (typeof value !== 'string') report(name, 'invalid', 'must be text', gatewayCode);
    else if (!holds(value)) report(name, 'invalid', `must be ${allowed}`, gatewayCode);
    else found[name] = value;
  };
  for (const [name, value] of fields) {
    const prefix = name === 'billing' || name === 'customer' ? GROUPS[name] : undefined;
    if (prefix === undefined) {
      if (isField(name) && !name.includes('.')) readOne(name, value);
      else unknownField('', name, report);
      continue;
    }
    const group = entriesOf(value);
    if (group === undefined) report(name, 'invalid', 'must be an object');
    for (const [inner, text] of group ?? [])
      if (isField(`${prefix}${inner}`)) readOne(`${prefix}${inner}`, text);
      else unknownField(prefix, inner, report);
  }
  return found;
}

/** Names an unknown field only if its name cannot hold card data. */
const unknownField = (prefix: string, name: string, report: Report): void => {
  const shown = /^[A-Za-z][A-Za-z_-]{0,39}[0-9]?$/.test(name) ? `${prefix}${name}` : `${prefix}(name hidden)`;
  report(shown, 'unknown_field', 'is not a field of a card');
};

function checkNumber({ number }: Found, isGiven: boolean, report: Report): void {
  if (!isGiven) report('number', 'missing', 'is missing', '100.100.100');
  else if (number !== undefined && !hasCheckDigit(number))
    report('number', 'invalid', 'is not a card number: the check digit is wrong', '100.100.101');
}

/** Returns the brand: as given, or of the number if its range decides it. */
function checkBrand({ number, brand }: Found, isGiven: boolean, report: Report): string | undefined {
  const derived = number === undefined ? null : brandOf(number);
  if (!isGiven) {
    if (derived !== null) return derived;
    if (number !== undefined)
      report(
        'brand',
        'missing',
        'is missing, and the range of the number does not decide it: give the brand as the gateway names it, such as VISA, MASTER or MADA',
        '100.100.500',
      );
    return undefined;
  }
  if (brand === undefined) return undefined;
  if (!CARD_BRANDS.has(brand)) {
    report('brand', 'invalid', 'must be a brand of the gateway, such as VISA or MASTER', '100.100.501');
    return undefined;
  }
  const differs = number !== undefined && !canBe(number, brand);
  if (differs || (derived !== null && derived !== brand))
    report('brand', 'brand_differs', 'does not fit the number: another prefix or length', '100.100.700');
  return brand;
}

/** A card can be used until the last moment of its month, wherever on Earth that is. */
const LATEST_ZONE_MS = 12 * 3_600_000;

function checkExpiry(
  { expiryMonth, expiryYear }: Found,
  given: ReadonlyMap<string, unknown>,
  now: Date,
  report: Report,
): void {
  if (!given.has('expiryMonth')) report('expiryMonth', 'missing', 'is missing', '100.100.200');
  if (!given.has('expiryYear')) report('expiryYear', 'missing', 'is missing', '100.100.300');
  if (expiryMonth === undefined || expiryYear === undefined) return;
  const end = Date.UTC(Number(expiryYear), Number(expiryMonth)) + LATEST_ZONE_MS;
  if (now.getTime() >= end) report('expiryYear', 'expired', 'the card has expired', '100.100.303');
}

const RESULT_CODE = /^\d{3}\.\d{3}\.\d{3}$/;

function checkHolder(found: Found, isGiven: boolean, { isLive }: CardRules, report: Report): void {
  if (!isGiven) report('holder', 'missing', 'is missing', '100.100.400');
  const { holder = '' } = found;
  if (looksLikeCard(holder))
    report('holder', 'card_number', 'must not hold a card number or security code', '100.100.402');
  if (isLive && RESULT_CODE.test(holder.trim()))
    report('holder', 'invalid', 'must be a name: a result code is for test hosts only', '100.100.402');
}

function checkCvv({ cvv }: Pick<Found, 'cvv'>, brand: string | undefined, report: Report): void {
  const lengths = brand === undefined ? [3, 4] : cvvLengthsOf(brand);
  if (cvv !== undefined && (!/^\d+$/.test(cvv) || !lengths.includes(cvv.length)))
    report('cvv', 'invalid', `must be ${lengths.join(' or ')} digits`, '100.100.601');
}

function groupOf(found: Found, prefix: string): Readonly<Record<string, string>> | undefined {
  const own = Object.entries(found).flatMap(([name, value]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
  );
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

const text = (description: string) => z.string().describe(description).optional();

/** Schema of the body for the OpenAPI document. `readCardRequest` checks it. */
export const cardRequestShape = z
  .looseObject({
    number: text('12 to 19 digits'),
    holder: text('Name on the card'),
    expiryMonth: text('01 to 12'),
    expiryYear: text('Four digits'),
    brand: text('Brand as the gateway names it. May be absent only if the range of the number decides it'),
    cvv: text('3 digits, 4 for AMEX. Kept for 24 hours or until it is used'),
  })
  .describe('Card data');
