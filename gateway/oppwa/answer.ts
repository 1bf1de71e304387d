/** Reads a transaction from the body of an answer. Only listed fields are read; some of them make the answer unreadable if they are malformed. */
import { looksLikeCard } from '../../domain/card/card-number.js';
import type { SettlementDetails } from '../../domain/transaction.js';
import type { OppwaTransaction } from './transaction.js';
import { isObject, parseObject } from '../http/json.js';

/** The transaction in a body, or the reason that the body cannot be read. */
type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: 'not_json' | 'no_result_code' };

const RESULT_CODE = /^\d{3}\.\d{3}\.\d{3}$/;

/** False for text that PostgreSQL cannot store: with U+0000 or half of a surrogate pair. An answer that cannot be stored is not used. */
const isKeepable = (text: string): boolean => text.isWellFormed() && !text.includes('\u0000');

/** Fields that identify the money: a wrong type makes the whole answer unreadable. `null` counts as absent. */
const DECISIVE = [
  'id',
  'paymentType',
  'amount',
  'currency',
  'merchantTransactionId',
  'referencedId',
] as const;
const LONGEST = 255;

/** Fields for operators only: a value of a wrong type is dropped, and the answer stays readable. */
const REMARKS = ['registrationId', 'paymentBrand', 'timestamp'] as const;

/** Reads a transaction from a body. Fails with `no_result_code` if it has no well-formed `result.code`, with `not_json` if its shape is wrong otherwise. */
export function readTransactionBody(body: string): Read<OppwaTransaction> {
  const parsed = parseObject(body);
  return parsed === undefined ? { ok: false, why: 'not_json' } : readTransaction(parsed);
}

/** Reads a transaction from parsed JSON, such as one entry of a query. Fields that are not listed above are dropped. */
export function readTransaction(value: unknown): Read<OppwaTransaction> {
  const code = resultCodeOf(value);
  if (code === undefined || !isObject(value)) return { ok: false, why: 'no_result_code' };
  const { result, resultDetails } = value;
  const read: Writable<OppwaTransaction> = {
    result: { code, description: withoutCardNumbers(remarkIn(result, 'description') ?? '') },
  };
  for (const name of DECISIVE) {
    const reported = value[name];
    if (reported == null) continue;
    if (typeof reported !== 'string' || reported.length > LONGEST || !isKeepable(reported))
      return { ok: false, why: 'not_json' };
    read[name] = reported;
  }
  for (const name of REMARKS) {
    const reported = remarkIn(value, name);
    if (reported !== undefined) read[name] = reported;
  }
  const extended = remarkIn(resultDetails, 'ExtendedDescription');
  if (extended !== undefined) read.extendedDescription = withoutCardNumbers(extended);
  const settlement = settlementIn(value);
  if (settlement !== undefined) read.settlement = settlement;
  const last4 = textIn(value['card'], 'last4Digits');
  if (last4 !== undefined && /^\d{4}$/.test(last4)) read.cardLast4 = last4;
  const errors = isObject(result) ? result['parameterErrors'] : undefined;
  if (Array.isArray(errors) && errors.every(isObject))
    read.parameterErrors = errors.map((error) =>
      withoutCardNumbers(`${remarkIn(error, 'name') ?? '?'}: ${remarkIn(error, 'message') ?? '?'}`),
    );
  return { ok: true, value: read };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Returns `result.code`, or undefined if it is absent or malformed. */
export function resultCodeOf(value: unknown): string | undefined {
  const code = isObject(value) ? textIn(value['result'], 'code') : undefined;
  return code !== undefined && RESULT_CODE.test(code) ? code : undefined;
}

/** Highest number of an acquirer's id that is read: `ConnectorTxID1` to `ConnectorTxID9`. */
const MOST_CONNECTOR_IDS = 9;

/** Reads the details for settlement. A field of a wrong type, or one that may hold a card number, is dropped. */
function settlementIn(value: Readonly<Record<string, unknown>>): SettlementDetails | undefined {
  const { resultDetails } = value;
  const connectorTxIds: Record<string, string> = {};
  for (let number = 1; number <= MOST_CONNECTOR_IDS; number += 1) {
    const name = `ConnectorTxID${number}`;
    const id = detailIn(resultDetails, name);
    if (id !== undefined) connectorTxIds[name] = id;
  }
  const details = {
    reconciliationId: detailIn(resultDetails, 'reconciliationId'),
    connectorTxIds: Object.keys(connectorTxIds).length > 0 ? connectorTxIds : undefined,
    acquirerResponse: detailIn(resultDetails, 'AcquirerResponse'),
    clearingInstituteName: detailIn(resultDetails, 'clearingInstituteName'),
    shortId: detailIn(value, 'shortId'),
    descriptor: detailIn(value, 'descriptor'),
  };
  const found = Object.entries(details).filter(([, detail]) => detail !== undefined);
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

function detailIn(value: unknown, name: string): string | undefined {
  const found = remarkIn(value, name)?.slice(0, LONGEST).toWellFormed();
  return found === undefined || found === '' || looksLikeCard(found) ? undefined : found;
}

function textIn(value: unknown, name: string): string | undefined {
  const found = isObject(value) ? value[name] : undefined;
  return typeof found === 'string' ? found : undefined;
}

function remarkIn(value: unknown, name: string): string | undefined {
  const found = textIn(value, name);
  return found === undefined ? undefined : keepable(found.slice(0, 1000));
}

/**
 * Removes card numbers: free text is logged and stored, and an acquirer may quote the request in it. 12 to 19 digits, grouped or not, are
 * masked. A text with a card number in another form, or with a security code, is replaced as a whole.
 */
function withoutCardNumbers(text: string): string {
  const masked = text.replace(/(?<![0-9A-Za-z])\d(?:[ -]?\d){11,18}(?![0-9A-Za-z])/g, '[digits]');
  return looksLikeCard(masked) ? '[a text that may hold a card]' : masked;
}

/** Replaces characters that PostgreSQL cannot store. Call it after truncating, which can cut a surrogate pair in half. */
function keepable(text: string): string {
  return isKeepable(text) ? text : text.toWellFormed().replaceAll('\u0000', '\ufffd');
}
