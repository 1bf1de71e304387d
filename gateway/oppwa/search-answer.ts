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
  /** How many pages there are; 1 where the answer does not say. */
  readonly pages: number;
  /** Whether the answer spoke of links at all: a list, or an object with `linkedTransactions`. */
  readonly showsLinks: boolean;
}

export type PageAnswer =
  | QueryResult<Page>
  | {
      readonly kind: 'not_offered';
      readonly instead: QueryResult<never>;
      /** The code that says so of the account (`800.121.*`), not of this request. */
      readonly accountCode?: string;
    };

/** `records` with `pages` is what v3 was seen to answer in clients of it; `payments` is v1's. */
const LISTS = ['records', 'payments', 'transactions'] as const;

interface PageShape {
  readonly lists: readonly (readonly unknown[])[];
  readonly pages: number;
  readonly hasId: boolean;
}

/** Undefined where a field of the page itself has another form than it may have. */
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
  // Both say that reporting, or this version of it, is not open to the account.
  if (meaning === 'forbidden' || meaning === 'not_offered')
    return {
      kind: 'not_offered',
      ...(meaning === 'not_offered' && code !== undefined && { accountCode: code }),
      instead: { kind: 'unavailable', why: meaning, ...because },
    };
  if (httpStatus === 401 || httpStatus === 403) return { kind: 'unavailable', why: 'forbidden', ...because };
  if (body === undefined) return withoutResult(httpStatus, 'not_json');
  // A failing server may answer anything: its "not found" is no evidence.
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
  // Next to a list, the code is the request's own (000.000.100), not a payment's; an empty list counts only with it.
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

/** Whether the gateway answered that there were too many queries. */
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

/** No result of the gateway: a page of some server in between, or an endpoint that is not there. A 5xx may be over in a minute. */
function withoutResult(httpStatus: number, why: 'not_json' | 'no_result_code'): PageAnswer {
  const instead = { kind: 'unavailable', why, httpStatus } as const;
  return httpStatus < 500 || httpStatus === 501 ? { kind: 'not_offered', instead } : instead;
}

interface Flat {
  readonly transactions: readonly OppwaTransaction[];
  readonly nested: boolean;
}

/** Every transaction, also those nested in others. Undefined: one entry cannot be read, and it might be a refund. */
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
