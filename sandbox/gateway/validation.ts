/** The second check: validates the parameters of a write request and turns them into an instruction without card numbers. */
import { AMOUNT_PATTERN, parseAmount } from './amounts.js';
import type { Entity, GatewaySettings } from './settings.js';
import {
  transactionType,
  type CardSummary,
  type Instruction,
  type ParameterError,
  type WriteEndpoint,
} from './types.js';

/** `errors` is empty unless `code` is `200.300.404`. */
export type Validation =
  | { readonly valid: true; readonly instruction: Instruction }
  | {
      readonly valid: false;
      readonly code: string;
      readonly errors: readonly ParameterError[];
    };

type Fields = ReadonlyMap<string, string>;

/** The types in the gateway's error message for `POST /v1/payments`, in its order. */
const CREATE_TYPES = ['PA', 'DB', 'CD', 'PA.CP'];
const REGISTRATION_TYPES = ['PA', 'DB', 'CD'];
const BACKOFFICE_TYPES = ['CP', 'RF', 'RV', 'RB', 'RC'];

const CARD_FORMATS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['paymentBrand', /^[a-zA-Z0-9_]{1,32}$/],
  ['card.number', /^[0-9]{8,32}$/],
  ['card.holder', /^[\s\S]{3,128}$/],
  ['card.expiryMonth', /^(0[1-9]|1[0-2])$/],
  ['card.expiryYear', /^(19|20)([0-9]{2})$/],
];

/** Optional fields, which must match their pattern when they are present. */
const OPTIONAL_FORMATS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['merchantTransactionId', /^[\s\S]{1,255}$/],
  ['descriptor', /^[\s\S]{1,127}$/],
  ['card.cvv', /^[0-9]{3,4}$/],
];

/** Number ranges of the brands that need a CVV where the entity demands one. */
const BRAND_RANGES: ReadonlyMap<string, RegExp> = new Map([
  ['VISA', /^4/],
  ['MASTER', /^(5[1-5]|2[2-7])/],
  ['AMEX', /^3[47]/],
]);

const RESULT_CODE = /^\d{3}\.\d{3}\.\d{3}$/;

export type ValidationRules = Pick<GatewaySettings, 'live' | 'demandsCvv' | 'answeredLast4'>;

export function validateWrite(
  endpoint: WriteEndpoint,
  entity: Pick<Entity, 'id' | 'demandsCvv'>,
  fields: Fields,
  settings: ValidationRules,
): Validation {
  const rules = { ...settings, demandsCvv: entity.demandsCvv ?? settings.demandsCvv };
  const typeText = typeOf(endpoint) ?? fields.get('paymentType');
  const allowed = allowedTypes(endpoint);
  const needsCard = endpoint.kind === 'create' || endpoint.kind === 'register';
  const needsAmount = typeOf(endpoint) === null && (typeText !== 'RV' || fields.has('amount'));

  const errors = [
    ...(allowed.includes(typeText ?? '') ? [] : [typeError(typeText, allowed)]),
    ...(needsAmount
      ? formatErrors(fields, [
          ['amount', AMOUNT_PATTERN],
          ['currency', /^[A-Z]{3}$/],
        ])
      : []),
    ...formatErrors(
      fields,
      OPTIONAL_FORMATS.filter(([name]) => fields.has(name)),
    ),
    ...(needsCard && hasCard(fields) ? formatErrors(fields, CARD_FORMATS) : []),
  ];
  if (errors.length > 0) return { valid: false, code: '200.300.404', errors };

  const code = ruleBroken(fields, needsCard, needsAmount, rules);
  if (code !== null) return { valid: false, code, errors: [] };

  const type = typeText === 'PA.CP' ? typeText : transactionType.parse(typeText);
  const testMode = fields.get('testMode') === 'EXTERNAL' ? 'EXTERNAL' : 'INTERNAL';
  return {
    valid: true,
    instruction: {
      entityId: entity.id,
      type,
      amount: needsAmount ? parseAmount(fields.get('amount') ?? '') : null,
      currency: needsAmount ? (fields.get('currency') ?? null) : null,
      referencedId: referencedId(endpoint),
      registrationId: 'registrationId' in endpoint ? endpoint.registrationId : null,
      merchantTransactionId: fields.get('merchantTransactionId') ?? null,
      paymentBrand: needsCard ? (fields.get('paymentBrand') ?? null) : null,
      card: needsCard ? summary(fields, rules) : null,
      createRegistration: fields.get('createRegistration') === 'true' && endpoint.kind !== 'register',
      testMode,
      forced: rules.live ? null : forcedResult(fields, testMode),
    },
  };
}

/** Returns the type of an endpoint that has only one and takes no `paymentType`, else null. */
function typeOf({ kind }: WriteEndpoint): 'RG' | 'DR' | null {
  if (kind === 'register') return 'RG';
  return kind === 'deregister' ? 'DR' : null;
}

function referencedId(endpoint: WriteEndpoint): string | null {
  if (endpoint.kind === 'backoffice') return endpoint.id;
  return endpoint.kind === 'deregister' ? endpoint.registrationId : null;
}

function allowedTypes(endpoint: WriteEndpoint): readonly string[] {
  switch (endpoint.kind) {
    case 'create':
      return CREATE_TYPES;
    case 'pay_registration':
      return REGISTRATION_TYPES;
    case 'backoffice':
      return BACKOFFICE_TYPES;
    case 'register':
      return ['RG'];
    case 'deregister':
      return ['DR'];
  }
}

function typeError(value: string | undefined, allowed: readonly string[]): ParameterError {
  return {
    name: 'paymentType',
    value: value ?? null,
    message: `must be one of [${allowed.join(', ')}]`,
  };
}

function formatErrors(
  fields: Fields,
  formats: readonly (readonly [name: string, pattern: RegExp])[],
): ParameterError[] {
  return formats
    .filter(([name, pattern]) => !pattern.test(fields.get(name) ?? ''))
    .map(([name, pattern]) => ({
      name,
      value: fields.get(name) ?? null,
      message: `must match "${pattern.source}"`,
    }));
}

function ruleBroken(
  fields: Fields,
  needsCard: boolean,
  needsAmount: boolean,
  rules: ValidationRules,
): string | null {
  const testMode = fields.get('testMode');
  if (testMode !== undefined) {
    if (rules.live) return '600.200.701';
    if (testMode !== 'INTERNAL' && testMode !== 'EXTERNAL') return '100.300.101';
  }
  if (needsAmount && parseAmount(fields.get('amount') ?? '') === 0n) return '100.550.300';
  if (needsCard) {
    if (!hasCard(fields)) return '100.100.100';
    const number = fields.get('card.number') ?? '';
    if (!passesLuhn(number)) return '100.100.101';
    const range = BRAND_RANGES.get(fields.get('paymentBrand') ?? '');
    if (range?.test(number) === false) return '100.100.700';
    if (rules.demandsCvv && range !== undefined && !fields.has('card.cvv')) return '100.100.600';
  }
  return null;
}

function hasCard(fields: Fields): boolean {
  return [...fields.keys()].some((name) => name.startsWith('card.'));
}

/** True if the check digit of ISO/IEC 7812 is right. The vendor's "bad" test cards fail this check. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 1; place <= digits.length; place += 1) {
    const value = Number(digits.at(-place)) * (place % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

function summary(fields: Fields, rules: ValidationRules): CardSummary {
  const number = fields.get('card.number') ?? '';
  const last4Digits = number.slice(-4);
  return {
    bin: number.slice(0, 6),
    last4Digits: rules.answeredLast4 === 'sample' && last4Digits === '0000' ? '0042' : last4Digits,
    holder: fields.get('card.holder') ?? '',
    expiryMonth: fields.get('card.expiryMonth') ?? '',
    expiryYear: fields.get('card.expiryYear') ?? '',
  };
}

/**
 * The result that a request to the test system asks for: by `customParameters[forceResultCode]` in internal test mode, or
 * by a card holder that is a result code, in any test mode but not for `000.*`.
 */
function forcedResult(fields: Fields, testMode: 'INTERNAL' | 'EXTERNAL'): Instruction['forced'] {
  const code = fields.get('customParameters[forceResultCode]');
  if (code !== undefined && RESULT_CODE.test(code) && testMode === 'INTERNAL') {
    return { code, recorded: false };
  }
  const holder = fields.get('card.holder');
  if (holder !== undefined && RESULT_CODE.test(holder) && !holder.startsWith('000.')) {
    return { code: holder, recorded: true };
  }
  return null;
}
