/** What look-ups show: only the entity's own transactions, only those already visible, in the container of their version. */
import { bareBody, recordBody } from './bodies.js';
import type { IdSource } from './ids.js';
import { listedCodes } from './result-texts.js';
import type { Entity, GatewaySettings } from './settings.js';
import type { Store } from './store.js';
import type { Answer, AnswerBody, LookUpEndpoint, Transaction } from './types.js';

interface Desk {
  readonly store: Store;
  readonly ids: IdSource;
  readonly entity: Entity;
  readonly settings: GatewaySettings;
  readonly now: number;
  /** The currency of everything that is shown; absent: its own. */
  readonly shownIn?: string;
}

const FOUND = '000.000.100';
const DEFAULT_PAGE = 100;

export function lookUp(
  desk: Desk,
  endpoint: LookUpEndpoint,
  parameters: ReadonlyMap<string, string>,
): Answer {
  switch (endpoint.kind) {
    case 'v1_payment':
    case 'v1_query': {
      const transaction = visible(desk, desk.store.find(desk.entity.id, endpoint.id));
      if (transaction === null) return notFound(desk);
      return {
        httpStatus: 200,
        body: shown(desk, transaction),
      };
    }
    case 'v1_search':
      return container(desk, search(desk, parameters), 'payments');
    case 'v3_query':
      return container(desk, filtered(withLinked(desk, endpoint.id, parameters), parameters), 'records');
    case 'v3_search':
      return page(desk, filtered(search(desk, parameters), parameters), parameters);
    case 'result_codes':
      return {
        httpStatus: 200,
        body: {
          ...bareBody(desk.ids, desk.entity.id, desk.now, FOUND),
          resultCodes: listedCodes(),
        },
      };
  }
}

/** A list whose last transaction shows no result. */
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

/** "Cannot find transaction": also for another entity's transaction and for one that is not visible yet. */
export function notFound(desk: Pick<Desk, 'ids' | 'entity' | 'settings' | 'now'>): Answer {
  const body = bareBody(desk.ids, desk.entity.id, desk.now, '700.400.580');
  return { httpStatus: desk.settings.notFoundStatus, body };
}

function visible(desk: Desk, transaction: Transaction | null): Transaction | null {
  return transaction !== null && transaction.visibleAt <= desk.now ? transaction : null;
}

/** Whether lists show it, those of a search and those of what is linked. */
function listed(desk: Desk, transaction: Transaction): boolean {
  return transaction.isListed && visible(desk, transaction) !== null;
}

/** Null: the parameters do not make a search. */
function search(desk: Desk, parameters: ReadonlyMap<string, string>): Transaction[] | null {
  const reference = parameters.get('merchantTransactionId');
  if (reference !== undefined) {
    return desk.store
      .byReference(reference)
      .filter((found) => found.entityId === desk.entity.id && listed(desk, found));
  }
  const from = moment(parameters.get('date.from'));
  const to = moment(parameters.get('date.to'));
  if (from === null || to === null) return null;
  return [...desk.store.all()].filter(
    (found) =>
      found.entityId === desk.entity.id &&
      listed(desk, found) &&
      found.timestamp >= from &&
      found.timestamp <= to,
  );
}

/** `2026-09-01 10:22:16` (UTC) in milliseconds. */
function moment(text: string | undefined): number | null {
  const parts = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)$/.exec(text ?? '');
  const at = parts === null ? NaN : Date.parse(`${parts[1]}T${parts[2]}Z`);
  return Number.isNaN(at) ? null : at;
}

function withLinked(desk: Desk, id: string, parameters: ReadonlyMap<string, string>): Transaction[] {
  const transaction = visible(desk, desk.store.find(desk.entity.id, id));
  if (transaction === null) return [];
  if (parameters.get('includeLinkedTransactions') !== 'true') return [transaction];
  const isApart = transaction.type === 'PA' && desk.settings.captureLinks === 'apart';
  const linked = isApart ? desk.store.children(transaction) : desk.store.descendants(transaction);
  return [transaction, ...linked.filter((found) => listed(desk, found))];
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

function page(desk: Desk, found: Transaction[] | null, parameters: ReadonlyMap<string, string>): Answer {
  const size = positive(parameters.get('limit')) ?? DEFAULT_PAGE;
  const pages = Math.max(1, Math.ceil((found?.length ?? 0) / size));
  const start = ((positive(parameters.get('pageNo')) ?? 1) - 1) * size;
  const answer = container(desk, found === null ? null : found.slice(start, start + size), 'records');
  return answer.httpStatus === 200 ? { ...answer, body: { pages, ...answer.body } } : answer;
}

function positive(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : null;
}

function shown({ ids, entity, shownIn }: Desk, transaction: Transaction): AnswerBody {
  return recordBody(ids, entity, shownIn === undefined ? transaction : { ...transaction, currency: shownIn });
}

function container(desk: Desk, found: readonly Transaction[] | null, name: 'payments' | 'records'): Answer {
  if (found === null) {
    const message = 'merchantTransactionId, or date.from and date.to, must be given';
    const errors = [{ name: 'merchantTransactionId', value: null, message }];
    const body = bareBody(desk.ids, desk.entity.id, desk.now, '200.300.404', errors);
    return { httpStatus: 400, body };
  }
  if (found.length === 0) return notFound(desk);
  const entries: readonly AnswerBody[] = found.map((transaction) => shown(desk, transaction));
  const body = bareBody(desk.ids, desk.entity.id, desk.now, FOUND);
  return {
    httpStatus: 200,
    body: name === 'records' ? { records: entries, ...body } : { payments: entries, ...body },
  };
}
