/** The reads: by our reference, by the gateway's id with its links, and the published result codes. */
import { z } from 'zod';
import type { ReportingRecord } from '../../domain/reporting.js';
import type { GatewayTransaction, QueryResult, TransactionTree } from '../../domain/transaction.js';
import { Form } from './form.js';
import type { ResultCodeText } from '../gateway.js';
import { parseObject } from '../http/json.js';
import type { Exchange } from '../http/one-request.js';
import type { HostKind } from '../settings.js';
import { transactionOf } from './transaction.js';
import { readPage, unavailable, type Page, type PageAnswer } from './search-answer.js';

/** Sends one GET. `path` begins with a slash. */
export type Get = (path: string, finishBy: number) => Promise<Exchange>;

/** Context of one entity's queries. */
export interface Reader {
  readonly entityId: string;
  readonly host: HostKind;
  readonly get: Get;
  readonly finishBy: number;
  /** Without it each query finds out anew whether v3 is offered; so does that of an operator, who may have had it enabled. */
  readonly reporting?: ReportingRecord | undefined;
  readonly isOrdered?: boolean;
}

/** More pages than any reference or payment has; an answer with more is not trusted. */
const MOST_PAGES = 20;

/**
 * Everything under one reference. v3, which allows 30 searches a minute where v1 allows 2; v1 where v3 is not offered. Entries
 * are handed on as they are: whether they are ours is decided where the attempt is known.
 */
export async function findByReference(
  reader: Reader,
  merchantTransactionId: string,
): Promise<QueryResult<readonly GatewayTransaction[]>> {
  const { entityId, host, get, finishBy } = reader;
  const query = new Form('findByReference')
    .need('entityId', entityId)
    .need('merchantTransactionId', merchantTransactionId)
    .encode();
  const newer = await byV3(reader, `/v3/query?${query}`);
  const reported = newer.kind === 'not_offered' ? await allPages(get, `/v1/query?${query}`, finishBy) : newer;
  if (reported.kind === 'not_offered') return reported.instead;
  return reported.kind === 'found'
    ? { kind: 'found', value: reported.value.transactions.map((found) => transactionOf(found, host)) }
    : reported;
}

/**
 * One transaction and what is linked to it, by v3 alone: v1 by id says nothing of links, and no links said is not the same as
 * no links.
 */
export async function findWithLinked(reader: Reader, id: string): Promise<QueryResult<TransactionTree>> {
  const { entityId, host } = reader;
  const query = new Form('findWithLinked').inPath('paymentId', id).need('entityId', entityId).encode();
  const reported = await byV3(reader, `/v3/query/${id}?${query}&includeLinkedTransactions=true`);
  if (reported.kind === 'not_offered') return reported.instead;
  if (reported.kind !== 'found') return reported;
  const { transactions, showsLinks } = reported.value;
  const [original, ...twins] = transactions.filter((transaction) => transaction.id === id);
  // Without the original among them, or with two of it, these are not the links that were asked for.
  if (original === undefined || twins.length > 0 || !showsLinks) return { kind: 'unavailable', why: 'error' };
  return {
    kind: 'found',
    value: {
      original: transactionOf(original, host),
      linked: transactions.flatMap((entry) => (entry === original ? [] : [transactionOf(entry, host)])),
    },
  };
}

/** One transaction by v1, which every account has. */
export async function findById(reader: Reader, id: string): Promise<QueryResult<GatewayTransaction>> {
  const { entityId, host, get, finishBy } = reader;
  const query = new Form('findById').inPath('paymentId', id).need('entityId', entityId).encode();
  const reported = readPage(await get(`/v1/payments/${id}?${query}`, finishBy));
  if (reported.kind === 'not_offered') return reported.instead;
  if (reported.kind !== 'found') return reported;
  const [transaction, ...others] = reported.value.transactions.filter((found) => found.id === id);
  if (transaction === undefined || others.length > 0) return { kind: 'unavailable', why: 'error' };
  return { kind: 'found', value: transactionOf(transaction, host) };
}

/** v3, unless the account is known to have none. What its answer shows of the account is recorded. */
async function byV3(
  { entityId, get, finishBy, reporting, isOrdered = false }: Reader,
  path: string,
): Promise<PageAnswer> {
  if ((await reporting?.hasV3(entityId)) === false && !isOrdered)
    return { kind: 'not_offered', instead: { kind: 'unavailable', why: 'not_offered' } };
  const reported = await allPages(get, path, finishBy);
  if (reported.kind === 'found') await reporting?.note(entityId, { hasV3: true });
  if (reported.kind === 'not_offered' && reported.accountCode !== undefined)
    await reporting?.note(entityId, { hasV3: false, code: reported.accountCode });
  return reported;
}

/** The published list; entries that are no pair of texts are dropped. */
export async function resultCodes(
  get: Get,
  finishBy: number,
): Promise<QueryResult<readonly ResultCodeText[]>> {
  const exchange = await get('/v1/resultcodes', finishBy);
  if (exchange.kind === 'not_sent') return { kind: 'unavailable', why: exchange.why };
  if (exchange.kind === 'no_answer') return unavailable(exchange);
  const { httpStatus } = exchange;
  const list = codesShape.safeParse(parseObject(exchange.body));
  if (list.success) {
    const texts = list.data.resultCodes.filter((entry) => entry !== undefined);
    return texts.length > 0 ? { kind: 'found', value: texts } : { kind: 'not_found' };
  }
  if (httpStatus === 429) return { kind: 'unavailable', why: 'throttled', httpStatus };
  if (httpStatus === 401 || httpStatus === 403) return { kind: 'unavailable', why: 'forbidden', httpStatus };
  return { kind: 'unavailable', why: 'not_json', httpStatus };
}

const codesShape = z.object({
  resultCodes: z.array(
    z
      .object({ code: z.string().regex(/^\d{3}\.\d{3}\.\d{3}$/), description: z.string() })
      .optional()
      .catch(undefined),
  ),
});

/** Reads on while the answer says that there are more pages. A page that is missing makes the whole unavailable, not shorter. */
async function allPages(get: Get, path: string, finishBy: number): Promise<PageAnswer> {
  const first = readPage(await get(path, finishBy));
  if (first.kind !== 'found' || first.value.pages <= 1) return first;
  if (first.value.pages > MOST_PAGES) return { kind: 'unavailable', why: 'too_many_pages' };
  const transactions = [...first.value.transactions];
  for (let page = 2; page <= first.value.pages; page += 1) {
    const next: PageAnswer = readPage(await get(`${path}&pageNo=${page}`, finishBy));
    if (next.kind === 'not_found') return { kind: 'unavailable', why: 'error' };
    if (next.kind === 'not_offered') return next.instead;
    if (next.kind === 'unavailable') return next;
    transactions.push(...next.value.transactions);
  }
  const value: Page = { ...first.value, transactions };
  return { kind: 'found', value };
}
