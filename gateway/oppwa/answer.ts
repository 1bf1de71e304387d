/** Reads a body into a transaction: the allow-list of fields, and what makes an answer unreadable. */
import { looksLikeCard } from '../../domain/card/card-number.js';
import type { OppwaTransaction } from './transaction.js';
import { isObject, parseObject } from '../http/json.js';

/** The transaction in a body, or the reason that the body cannot be read. */
type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: 'not_json' | 'no_result_code' };

const RESULT_CODE = /^\d{3}\.\d{3}\.\d{3}$/;

/** U+0000 and half of a surrogate pair, which PostgreSQL cannot store. An answer that cannot be stored is not used. */
const isKeepable = (text: string): boolean => text.isWellFormed() && !text.includes('\u0000');

/** Fields that identify the money: a wrong type makes the whole answer unreadable. `null` is the same as left out. */
const DECISIVE = [
  'id',
  'paymentType',
  'amount',
  'currency',
  'merchantTransactionId',
  'referencedId',
] as const;
const LONGEST = 255;

/** Fields for operators only: a wrong type is dropped, so that it does not hide a clear outcome. */
const REMARKS = ['registrationId', 'paymentBrand', 'timestamp'] as const;

/** Reads a transaction from a body. `no_result_code` without a well-formed `result.code`, `not_json` for any other wrong shape. */
export function readTransactionBody(body: string): Read<OppwaTransaction> {
  const parsed = parseObject(body);
  return parsed === undefined ? { ok: false, why: 'not_json' } : readTransaction(parsed);
}

/** The same for a value that is parsed already, such as an entry of a query. Only the fields named here are ever kept. */
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
  const errors = isObject(result) ? result['parameterErrors'] : undefined;
  if (Array.isArray(errors) && errors.every(isObject))
    read.parameterErrors = errors.map((error) =>
      withoutCardNumbers(`${remarkIn(error, 'name') ?? '?'}: ${remarkIn(error, 'message') ?? '?'}`),
    );
  return { ok: true, value: read };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** `result.code` where there is a well-formed one. */
export function resultCodeOf(value: unknown): string | undefined {
  const code = isObject(value) ? textIn(value['result'], 'code') : undefined;
  return code !== undefined && RESULT_CODE.test(code) ? code : undefined;
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
 * Free text goes into logs and stores, and an acquirer may quote what it was sent. 12 to 19 digits, grouped or not, are a card's; a text
 * that holds one in another form, or a security code, is left out whole.
 */
function withoutCardNumbers(text: string): string {
  const masked = text.replace(/(?<![0-9A-Za-z])\d(?:[ -]?\d){11,18}(?![0-9A-Za-z])/g, '[digits]');
  return looksLikeCard(masked) ? '[a text that may hold a card]' : masked;
}

/** Cutting at a length may leave half of a pair as well, so this comes after it. */
function keepable(text: string): string {
  return isKeepable(text) ? text : text.toWellFormed().replaceAll('\u0000', '\ufffd');
}
