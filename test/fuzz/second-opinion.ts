/** Judges a second time, independently of the program, what a body proves. Written from the gateway's rules. */
import type { Expectation } from '../support/as-oppwa.js';
import type { JsonValue } from './strict-json.js';

const DONE = ['000.000.000', '000.300.000', '000.600.000'];
const DONE_ON_TEST_HOSTS = ['000.100.110', '000.100.111', '000.100.112'];
const DONE_AND_FLAGGED = /^000\.400\.(?:0(?:00|10|20|40|60|70|80|81|82|90|91)|100)$/;
const PENDING = /^(?:000\.200\.(?:000|001|103|200|201)|100\.400\.500|800\.400\.50[0-2])$/;
/** Timeouts, lost connections, errors of the gateway: the outcome is unknown after these. */
const NO_MATCHING_REFUND = /^(?:900\.(?!100\.(?:202|310|600)$)|999\.|600\.1)/;
const TYPES = { refund: 'RF', reversal: 'RV', credit: 'CD' } as const;
/** Fields that identify the money. If one of them is not text, the whole answer counts for nothing. */
export const DECISIVE = [
  'id',
  'paymentType',
  'amount',
  'currency',
  'merchantTransactionId',
  'referencedId',
] as const;

/** Marks a field that makes the answer invalid. No text of the gateway equals it: texts with a NUL are never stored. */
const INVALID = '\u0000invalid';

type Members = ReadonlyMap<string, JsonValue>;

export const isMembers = (reported: JsonValue | undefined): reported is Members => reported instanceof Map;

/** Returns a text field. Null counts as left out. Any other value makes the whole answer invalid. */
function textOf(entry: Members, name: string): string | undefined {
  const reported = entry.get(name);
  if (reported === undefined || reported === null) return undefined;
  return typeof reported === 'string' && reported.length <= 255 && isKeepable(reported) ? reported : INVALID;
}

/** True for a text that PostgreSQL stores: without NUL and without half a surrogate pair. */
export const isKeepable = (text: string): boolean =>
  !text.includes('\u0000') && Buffer.from(text, 'utf8').toString('utf8') === text;

/** The card number that the fuzzers put into texts. Inside a longer word or number it does not count. */
export const CARD = /(?<![\p{L}\p{N}])4111[ -]?1111[ -]?1111[ -]?1111(?![\p{L}\p{N}])/u;

export function codeOf(entry: JsonValue | undefined): string | undefined {
  const result = isMembers(entry) ? entry.get('result') : undefined;
  const code = isMembers(result) ? result.get('code') : undefined;
  return typeof code === 'string' && /^[0-9]{3}\.[0-9]{3}\.[0-9]{3}$/.test(code) ? code : undefined;
}

/** True if nothing in the entry contradicts the order and, with `needed`, id and type are there. */
function agrees(entry: Members, expected: Expectation, needed: boolean): boolean {
  if (DECISIVE.some((name) => textOf(entry, name) === INVALID)) return false;
  const id = textOf(entry, 'id');
  const type = textOf(entry, 'paymentType');
  if (needed && (id === undefined || type === undefined)) return false;
  if (id !== undefined && (!/^[0-9a-f]{32}$/.test(id) || id === expected.originalId)) return false;
  if (type !== undefined && type !== TYPES[expected.operation]) return false;
  if ((textOf(entry, 'merchantTransactionId') ?? expected.reference) !== expected.reference) return false;
  const original = textOf(entry, 'referencedId');
  if (expected.operation !== 'credit' && original !== undefined && original !== expected.originalId)
    return false;
  if ((textOf(entry, 'currency') ?? expected.currency) !== expected.currency) return false;
  const amount = textOf(entry, 'amount');
  if (amount === undefined || isWorth(amount, expected.amountMinor, expected.currency)) return true;
  // A reversal may show the released amount, which is less if a part was captured.
  const shown = worth(amount);
  const most = expected.amountMinor * (TEN_THOUSANDTHS[expected.currency] ?? -1n);
  return (
    expected.operation === 'reversal' &&
    shown !== undefined &&
    shown > 0n &&
    shown < most &&
    isWhole(amount, expected.currency)
  );
}

/** True if the amount has no fraction of the currency's smallest unit. */
const isWhole = (amount: string, currency: string): boolean =>
  (worth(amount) ?? 1n) % (TEN_THOUSANDTHS[currency] ?? 1n) === 0n;

/** Returns the value in ten-thousandths of the major unit. */
export function worth(amount: string): bigint | undefined {
  const [, whole, fraction = ''] = /^([0-9]{1,12})(?:\.([0-9]{1,4}))?$/.exec(amount) ?? [];
  return whole === undefined ? undefined : BigInt(whole) * 10_000n + BigInt(fraction.padEnd(4, '0'));
}

/** Returns the amount in ten-thousandths of the major unit, or undefined if there is none or it is not a number. */
export function amountOf(entry: Members | undefined): bigint | undefined {
  const amount = entry?.get('amount');
  return typeof amount === 'string' ? worth(amount) : undefined;
}

const TEN_THOUSANDTHS: Readonly<Record<string, bigint>> = { EUR: 100n, JPY: 10_000n, KWD: 10n };

export function isWorth(amount: string, minor: bigint, currency: string): boolean {
  return worth(amount) === minor * (TEN_THOUSANDTHS[currency] ?? -1n);
}

export function isDone(code: string, host: 'test' | 'live'): boolean {
  return (
    DONE.includes(code) ||
    DONE_AND_FLAGGED.test(code) ||
    (host === 'test' && DONE_ON_TEST_HOSTS.includes(code))
  );
}

export const isPending = (code: string): boolean => PENDING.test(code);

export const isFlagged = (code: string): boolean => DONE_AND_FLAGGED.test(code);

/** True if this entry alone proves that the order was carried out. */
export function provesDone(entry: JsonValue | undefined, expected: Expectation): boolean {
  const code = codeOf(entry);
  return (
    code !== undefined && isMembers(entry) && isDone(code, expected.host) && agrees(entry, expected, true)
  );
}

export function provesPending(entry: JsonValue | undefined, expected: Expectation): boolean {
  const code = codeOf(entry);
  return code !== undefined && isMembers(entry) && isPending(code) && agrees(entry, expected, true);
}

/** True if it may be read as a decline. A decline releases money for another attempt, so it must be beyond doubt. */
export function mayRefuse(entry: JsonValue | undefined, expected: Expectation): boolean {
  const code = codeOf(entry);
  if (code === undefined || !isMembers(entry)) return false;
  if (isDone(code, 'test') || PENDING.test(code) || NO_MATCHING_REFUND.test(code)) return false;
  return agrees(entry, expected, false);
}

/** Returns every transaction in the body of a query, also nested ones. */
export function entriesOf(body: JsonValue | undefined): readonly Members[] {
  if (!isMembers(body)) return [];
  const lists = ['records', 'payments', 'transactions'].map((name) => body.get(name));
  const roots = lists.some((list) => list !== undefined) ? lists.flatMap(listOf) : [body];
  return roots.flatMap(withNested);
}

const isList = (reported: JsonValue | undefined): reported is readonly JsonValue[] => Array.isArray(reported);
const listOf = (reported: JsonValue | undefined): readonly JsonValue[] => (isList(reported) ? reported : []);

function withNested(reported: JsonValue): readonly Members[] {
  if (!isMembers(reported)) return [];
  return [reported, ...listOf(reported.get('linkedTransactions')).flatMap(withNested)];
}
