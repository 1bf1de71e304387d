/** Queries of the gateway: by our reference, by the gateway's id (with or without linked transactions), and the published result codes. */
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
  /** Which entities have no v3 reporting. Without it, each query tries v3 first. */
  readonly reporting?: ReportingRecord | undefined;
  /** True for a query by an operator: it tries v3 even if the record says that the entity has none. It may have been enabled since. */
  readonly isOrdered?: boolean;
}

/** Highest plausible number of pages for one reference or payment. An answer with more is not trusted. */
const MOST_PAGES = 20;

/**
 * Returns all transactions under one reference. Uses v3, which allows 30 searches a minute, and v1 (2 a minute) if v3 is not offered.
 * Does not check that the transactions are ours: the function that knows the attempt does.
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
 * Returns one transaction and those linked to it. Uses v3 only: v1 by id never shows links, so its answer does not prove that there are
 * none.
 */
export async function findWithLinked(reader: Reader, id: string): Promise<QueryResult<TransactionTree>> {
  const { entityId, host } = reader;
  const query = new Form('findWithLinked').inPath('paymentId', id).need('entityId', entityId).encode();
  const reported = await byV3(reader, `/v3/query/${id}?${query}&includeLinkedTransactions=true`);
  if (reported.kind === 'not_offered') return reported.instead;
  if (reported.kind !== 'found') return reported;
  const { transactions, showsLinks } = reported.value;
  const [original, ...twins] = transactions.filter((transaction) => transaction.id === id);
  // The answer must contain the requested transaction exactly once. Otherwise these are the links of another one.
  if (original === undefined || twins.length > 0 || !showsLinks) return { kind: 'unavailable', why: 'error' };
  return {
    kind: 'found',
    value: {
      original: transactionOf(original, host),
      linked: transactions.flatMap((entry) => (entry === original ? [] : [transactionOf(entry, host)])),
    },
  };
}

/** Returns one transaction, by v1, which is available to every account. */
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

/** Queries v3, unless it is recorded as not enabled for the account. Records whether the answer shows that it is enabled. */
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

/** Returns the published list of result codes. Malformed entries are dropped. */
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

/** Reads all pages. If one page is missing, the whole answer is unavailable: a shorter list could hide a refund. */
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
