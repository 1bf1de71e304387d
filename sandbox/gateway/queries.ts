/** Answers queries: with the entity's own transactions that are visible already, in the format of the API version. */
import { bareBody, recordBody } from './bodies.js';
import type { IdSource } from './ids.js';
import { listedCodes } from './result-texts.js';
import type { Entity, GatewaySettings } from './settings.js';
import type { Store } from './store.js';
import type { Answer, AnswerBody, QueryEndpoint, Transaction } from './types.js';

interface QueryContext {
  readonly store: Store;
  readonly ids: IdSource;
  readonly entity: Entity;
  readonly settings: GatewaySettings;
  readonly now: number;
  /** Shows every transaction in this currency. Absent: in its own. */
  readonly shownIn?: string;
}

const FOUND = '000.000.100';
const DEFAULT_PAGE = 100;

export function query(
  context: QueryContext,
  endpoint: QueryEndpoint,
  parameters: ReadonlyMap<string, string>,
): Answer {
  switch (endpoint.kind) {
    case 'v1_payment':
    case 'v1_query': {
      const transaction = visible(context, context.store.find(context.entity.id, endpoint.id));
      if (transaction === null) return notFound(context);
      return {
        httpStatus: 200,
        body: shown(context, transaction),
      };
    }
    case 'v1_search':
      return container(context, search(context, parameters), 'payments');
    case 'v3_query':
      return container(
        context,
        filtered(withLinked(context, endpoint.id, parameters), parameters),
        'records',
      );
    case 'v3_search':
      return page(context, filtered(search(context, parameters), parameters), parameters);
    case 'result_codes':
      return {
        httpStatus: 200,
        body: {
          ...bareBody(context.ids, context.entity.id, context.now, FOUND),
          resultCodes: listedCodes(),
        },
      };
  }
}

/** Returns the answer with the last transaction's result removed. */
export function withoutLastResult({ httpStatus, body }: Answer): Answer {
  const cut = (entries: readonly AnswerBody[]): readonly AnswerBody[] =>
    entries.map(({ result, ...entry }, index) =>
      index === entries.length - 1 || result === undefined ? entry : { ...entry, result },
    );
  return {
    httpStatus,
    body: {
      ...body,
      ...(body.records === undefined ? {} : { records: cut(body.records) }),
      ...(body.payments === undefined ? {} : { payments: cut(body.payments) }),
    },
  };
}

/** The answer "Cannot find transaction", also for another entity's transaction and for one that is not visible yet. */
export function notFound(context: Pick<QueryContext, 'ids' | 'entity' | 'settings' | 'now'>): Answer {
  const body = bareBody(context.ids, context.entity.id, context.now, '700.400.580');
  return { httpStatus: context.settings.notFoundStatus, body };
}

function visible(context: QueryContext, transaction: Transaction | null): Transaction | null {
  return transaction !== null && transaction.visibleAt <= context.now ? transaction : null;
}

/** True if searches and lists of linked transactions show it. */
function listed(context: QueryContext, transaction: Transaction): boolean {
  return transaction.isListed && visible(context, transaction) !== null;
}

/** Returns the transactions found, or null if the parameters are not those of a search. */
function search(context: QueryContext, parameters: ReadonlyMap<string, string>): Transaction[] | null {
  const reference = parameters.get('merchantTransactionId');
  if (reference !== undefined) {
    return context.store
      .byReference(reference)
      .filter((found) => found.entityId === context.entity.id && listed(context, found));
  }
  const from = moment(parameters.get('date.from'));
  const to = moment(parameters.get('date.to'));
  if (from === null || to === null) return null;
  return [...context.store.all()].filter(
    (found) =>
      found.entityId === context.entity.id &&
      listed(context, found) &&
      found.timestamp >= from &&
      found.timestamp <= to,
  );
}

/** Parses `2026-09-01 10:22:16` (UTC) to milliseconds; null if it has another form. */
function moment(text: string | undefined): number | null {
  const parts = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)$/.exec(text ?? '');
  const at = parts === null ? NaN : Date.parse(`${parts[1]}T${parts[2]}Z`);
  return Number.isNaN(at) ? null : at;
}

function withLinked(
  context: QueryContext,
  id: string,
  parameters: ReadonlyMap<string, string>,
): Transaction[] {
  const transaction = visible(context, context.store.find(context.entity.id, id));
  if (transaction === null) return [];
  if (parameters.get('includeLinkedTransactions') !== 'true') return [transaction];
  const isApart = transaction.type === 'PA' && context.settings.captureLinks === 'apart';
  const linked = isApart ? context.store.children(transaction) : context.store.descendants(transaction);
  return [transaction, ...linked.filter((found) => listed(context, found))];
}

function filtered(
  found: Transaction[] | null,
  parameters: ReadonlyMap<string, string>,
): Transaction[] | null {
  const types = parameters.get('paymentTypes')?.split(',');
  const methods = parameters.get('paymentMethods')?.split(',');
  if (found === null || (methods !== undefined && !methods.includes('CC'))) return found === null ? null : [];
  return types === undefined ? found : found.filter((transaction) => types.includes(transaction.type));
}

function page(
  context: QueryContext,
  found: Transaction[] | null,
  parameters: ReadonlyMap<string, string>,
): Answer {
  const size = positive(parameters.get('limit')) ?? DEFAULT_PAGE;
  const pages = Math.max(1, Math.ceil((found?.length ?? 0) / size));
  const start = ((positive(parameters.get('pageNo')) ?? 1) - 1) * size;
  const answer = container(context, found === null ? null : found.slice(start, start + size), 'records');
  return answer.httpStatus === 200 ? { ...answer, body: { pages, ...answer.body } } : answer;
}

function positive(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : null;
}

function shown({ ids, entity, shownIn }: QueryContext, transaction: Transaction): AnswerBody {
  return recordBody(ids, entity, shownIn === undefined ? transaction : { ...transaction, currency: shownIn });
}

function container(
  context: QueryContext,
  found: readonly Transaction[] | null,
  name: 'payments' | 'records',
): Answer {
  if (found === null) {
    const message = 'merchantTransactionId, or date.from and date.to, must be given';
    const errors = [{ name: 'merchantTransactionId', value: null, message }];
    const body = bareBody(context.ids, context.entity.id, context.now, '200.300.404', errors);
    return { httpStatus: 400, body };
  }
  if (found.length === 0) return notFound(context);
  const entries: readonly AnswerBody[] = found.map((transaction) => shown(context, transaction));
  const body = bareBody(context.ids, context.entity.id, context.now, FOUND);
  return {
    httpStatus: 200,
    body: name === 'records' ? { records: entries, ...body } : { payments: entries, ...body },
  };
}
