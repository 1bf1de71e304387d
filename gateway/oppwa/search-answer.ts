/** Reads the body of a query: its list of transactions, the number of pages, and the meaning of its codes. */
import type { QueryResult } from '../../domain/transaction.js';
import { queryMeaningOf } from './read-code.js';
import type { QueryMeaning } from './result-codes.js';
import type { OppwaTransaction } from './transaction.js';
import { readTransaction, resultCodeOf } from './answer.js';
import { isObject, parseObject } from '../http/json.js';
import type { Exchange } from '../http/one-request.js';

/** One page of transactions, flattened. */
export interface Page {
  readonly transactions: readonly OppwaTransaction[];
  /** Number of pages; 1 if the answer does not state it. */
  readonly pages: number;
  /** True if the answer is a list or has `linkedTransactions`. Only then does the absence of a link mean that there is none. */
  readonly showsLinks: boolean;
}

export type PageAnswer =
  | QueryResult<Page>
  | {
      readonly kind: 'not_offered';
      readonly instead: QueryResult<never>;
      /** Set if the code is about the account (`800.121.*`) and not about this request only. */
      readonly accountCode?: string;
    };

/** Names of the list of transactions. `records` (with `pages`) is v3's, as seen in published clients of it; `payments` is v1's. */
const LISTS = ['records', 'payments', 'transactions'] as const;

interface PageShape {
  readonly lists: readonly (readonly unknown[])[];
  readonly pages: number;
  readonly hasId: boolean;
}

/** Returns the lists and counts of a page; undefined if one of its own fields is malformed. */
function shapeOf(body: Readonly<Record<string, unknown>>): PageShape | undefined {
  const lists: (readonly unknown[])[] = [];
  for (const name of LISTS) {
    const list = body[name];
    if (list === undefined) continue;
    if (!Array.isArray(list)) return undefined;
    lists.push(list);
  }
  const { id, pages } = body;
  if (id != null && typeof id !== 'string') return undefined;
  const isCount =
    pages == null ||
    (typeof pages === 'number' && Number.isSafeInteger(pages) && pages >= 0) ||
    (typeof pages === 'string' && /^\d{1,6}$/.test(pages));
  return isCount ? { lists, pages: Number(pages ?? 1), hasId: id != null } : undefined;
}

/** Returns the result of one request of a query. Anything in doubt is `unavailable`, never an empty list and never `not_found`. */
export function readPage(exchange: Exchange): PageAnswer {
  if (exchange.kind !== 'answered') return unavailable(exchange);
  const { httpStatus } = exchange;
  const body = parseObject(exchange.body);
  const code = resultCodeOf(body);
  const because = { httpStatus, ...(code !== undefined && { code }) };

  const meaning = meaningIn(body);
  if (httpStatus === 429 || meaning === 'throttled')
    return { kind: 'unavailable', why: 'throttled', ...because };
  // Both mean that reporting, or this version of it, is not enabled for the account.
  if (meaning === 'forbidden' || meaning === 'not_offered')
    return {
      kind: 'not_offered',
      ...(meaning === 'not_offered' && code !== undefined && { accountCode: code }),
      instead: { kind: 'unavailable', why: meaning, ...because },
    };
  if (httpStatus === 401 || httpStatus === 403) return { kind: 'unavailable', why: 'forbidden', ...because };
  if (body === undefined) return withoutResult(httpStatus, 'not_json');
  // "Not found" with a 5xx status proves nothing: the server failed.
  if (meaning === 'not_found' && httpStatus < 500) return { kind: 'not_found' };

  const shape = shapeOf(body);
  if (shape === undefined) return { kind: 'unavailable', why: 'not_json', ...because };
  const { lists, pages, hasId } = shape;
  if (lists.length === 0 && !hasId) {
    return code === undefined
      ? withoutResult(httpStatus, 'no_result_code')
      : { kind: 'unavailable', why: 'error', ...because };
  }
  const listed = lists.flat();
  // Beside a list, the code is that of the request (000.000.100), not of a payment. An empty list counts only with a success code.
  const requestSucceeded = code?.startsWith('000.') === true;
  if (lists.length > 0 && !requestSucceeded && (code !== undefined || listed.length === 0)) {
    return { kind: 'unavailable', why: code === undefined ? 'no_result_code' : 'error', ...because };
  }
  if (lists.length > 0 && listed.length === 0) return { kind: 'not_found' };

  const flat = flatten(lists.length > 0 ? listed : [body]);
  if (flat === undefined) return { kind: 'unavailable', why: 'unreadable_entry', ...because };
  return {
    kind: 'found',
    value: {
      transactions: flat.transactions,
      pages,
      showsLinks: lists.length > 0 || flat.nested,
    },
  };
}

function meaningIn(body: ReturnType<typeof parseObject>): QueryMeaning | undefined {
  const code = resultCodeOf(body);
  return code === undefined ? undefined : queryMeaningOf(code);
}

/** True if the gateway answered that there were too many queries. */
export function isThrottled(exchange: Exchange): boolean {
  if (exchange.kind !== 'answered') return false;
  return exchange.httpStatus === 429 || meaningIn(parseObject(exchange.body)) === 'throttled';
}

/** Returns the query result for an exchange without an answer. */
export function unavailable(exchange: Exclude<Exchange, { kind: 'answered' }>): QueryResult<never> {
  return exchange.kind === 'not_sent'
    ? { kind: 'unavailable', why: exchange.why }
    : {
        kind: 'unavailable',
        why: exchange.why,
        ...(exchange.httpStatus !== undefined && { httpStatus: exchange.httpStatus }),
      };
}

/** Returns the result for a body without a result code: a proxy's page, or an endpoint that does not exist. A 5xx other than 501 may be temporary, so it does not mean `not_offered`. */
function withoutResult(httpStatus: number, why: 'not_json' | 'no_result_code'): PageAnswer {
  const instead = { kind: 'unavailable', why, httpStatus } as const;
  return httpStatus < 500 || httpStatus === 501 ? { kind: 'not_offered', instead } : instead;
}

interface Flat {
  readonly transactions: readonly OppwaTransaction[];
  readonly nested: boolean;
}

/** Returns every transaction, nested ones too; undefined if one entry cannot be read, because it might be a refund. */
function flatten(entries: readonly unknown[]): Flat | undefined {
  const transactions: OppwaTransaction[] = [];
  const left = [...entries].reverse();
  let nested = false;
  while (left.length > 0) {
    const entry = left.pop();
    const read = readTransaction(entry);
    if (!read.ok) return undefined;
    const linked = isObject(entry) ? entry['linkedTransactions'] : undefined;
    if (linked != null && !Array.isArray(linked)) return undefined;
    transactions.push(read.value);
    if (linked == null) continue;
    nested = true;
    for (const item of linked.toReversed()) left.push(item);
  }
  return { transactions, nested };
}
