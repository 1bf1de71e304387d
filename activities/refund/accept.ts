/** Accepts a refund or a credit: checks the request and the payment, then stores the refund and reserves its amount. */
import { elapsed, type Moment } from '../../domain/clock.js';
import { isCardDestination } from '../../domain/refund/destination.js';
import { looksLikeCard } from '../../domain/card/card-number.js';
import { IDEMPOTENCY_KEY_RULE, readIdempotencyKey } from '../../domain/refund/idempotency-key.js';
import { NAME_RULE, normalizeName, principalKey, readName } from '../../domain/names.js';
import {
  isCreditRequest,
  readCreditRequest,
  readRefundRequest,
  type CreditRequest,
  type InputProblem,
  type Reading,
  type RefundRequest,
} from '../../domain/refund/request.js';
import { CARD_IN_TEXT } from '../../domain/refund/request-shape.js';
import { LedgerError, type Accepted, type AcceptInput, type LedgerErrorCode } from '../../ledger/ledger.js';
import type { PaymentRecord } from '../../ledger/core/refund-record.js';
import { QueryBudgetSpent } from '../../gateway/errors.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import {
  queryStoredPayment,
  queryOriginal,
  queryWithoutLinks,
  type OriginalReading,
  type OriginalQuery,
} from './originals.js';

export interface RefundOrder {
  /** The client that owns the idempotency key. */
  readonly clientId: string;
  /** A key in double quotes is the same key without them. */
  readonly idempotencyKey: string;
  /** The operator or system that requests the refund, and therefore cannot approve it. */
  readonly requestedBy: string;
  /** The request as the client wrote it; see `RefundRequestInput` and `CreditRequestInput`. */
  readonly request: unknown;
}

/** Thrown when the request is wrong; `problems` names every error. Nothing was stored. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[]) {
    super(problems.map((problem) => `${problem.field}: ${problem.message}`).join('; '));
    this.problems = problems;
  }
}

/** Thrown when the original could not be read now. Nothing was stored; the client may send the same request again later. */
export class GatewayUnavailable extends Error {
  override readonly name = 'GatewayUnavailable';
  /** Milliseconds until another request makes sense, if known. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** Thrown when the gateway shows the original in a form that cannot be read; another query does not change that. Nothing was stored. */
export class PaymentUnreadable extends Error {
  override readonly name = 'PaymentUnreadable';
}

/** Most milliseconds from the request to the commit. A query with all its pages ends within 30 s; a capture takes two queries. */
export const STALE_AFTER = 90_000;

/** Accepts a refund. Throws `RequestRefused`, `GatewayUnavailable`, `PaymentUnreadable` or `LedgerError`; then nothing was stored. */
export function acceptRefund(
  deps: Dependencies,
  order: RefundOrder,
  askedAt: Moment = deps.now(),
): Promise<Accepted> {
  return accept(deps, order, readRefundRequest(order.request), askedAt);
}

/** Accepts a standalone credit that the client requests directly. Throws the same errors as `acceptRefund`; then nothing was stored. */
export function acceptCredit(deps: Dependencies, order: RefundOrder): Promise<Accepted> {
  return accept(deps, order, readCreditRequest(order.request), deps.now());
}

async function accept(
  deps: Dependencies,
  order: RefundOrder,
  reading: Reading<RefundRequest | CreditRequest>,
  askedAt: Moment,
): Promise<Accepted> {
  const problems: InputProblem[] = reading.ok ? [] : [...reading.problems];
  const requester = readRequester(order, problems);
  if (reading.ok && reading.request.entityId !== undefined && !deps.hasEntity(reading.request.entityId))
    problems.push({
      field: 'entityId',
      code: 'unknown',
      message: 'is not an entity that is configured here',
    });
  if (reading.ok && !deps.hasCardKeys && isCardDestination(reading.request.destination))
    problems.push({
      field: 'destination.cardRef',
      code: 'cards_not_configured',
      message: 'cannot be used: no keys of cards are configured here. Name a registration instead',
    });
  if (!reading.ok || requester === undefined || problems.length > 0) throw new RequestRefused(problems);

  // The answers of a process that was frozen meanwhile are out of date, and its client has received another answer.
  const checkStillWanted = (): void => {
    if (elapsed(askedAt, deps.now()) > STALE_AFTER)
      throw new GatewayUnavailable(
        'accepting took too long; nothing was stored, send the same request again',
      );
  };
  const { request } = reading;
  const accepted = { ...requester, request };
  const entityId = request.entityId ?? deps.defaultEntityId;
  // A declared payment is not queried: the gateway itself caps a refund. A credit needs the gateway's record of the payment.
  const isDeclared = !isCreditRequest(request) && request.payment !== undefined;
  if (request.paymentId === undefined || isDeclared)
    return deps.ledger.accept(accepted, { entityId, facts: null }, checkStillWanted);
  const known = await deps.ledger.paymentBeforeQuery(request.paymentId);
  if (known.payment !== null) return acceptKnown(deps, accepted, known.payment, checkStillWanted);

  const original = await readOriginal(queryingFor('acceptance', deps), {
    ...{ entityId, id: request.paymentId, observedAt: known.at },
    eachCapture: false,
  });
  switch (original.kind) {
    case 'read':
      return deps.ledger.accept(accepted, { entityId, facts: original.facts }, checkStillWanted);
    case 'not_found':
      throw refusal('not_found', 'the gateway has no such payment under this entity');
    case 'unreadable':
      throw original.isOriginal
        ? new PaymentUnreadable(
            `the payment cannot be read at the gateway: ${original.why}; nothing was stored`,
          )
        : refusal('not_refundable', original.why);
    case 'links_not_shown':
      throw new GatewayUnavailable('the account shows the payment neither by v3 nor by v1');
    case 'unavailable':
      throw new GatewayUnavailable(
        `the payment could not be queried at the gateway (${original.why}); nothing was stored, send the same request again later`,
      );
    default:
      return original satisfies never;
  }
}

/** Queries the original; by v1 if the account has no v3 reporting, which is enough for a regular refund. */
async function readOriginal(deps: Dependencies, query: OriginalQuery): Promise<OriginalReading> {
  try {
    const original = await queryOriginal(deps, query);
    return original.kind === 'links_not_shown' ? await queryWithoutLinks(deps, query) : original;
  } catch (error) {
    if (!(error instanceof QueryBudgetSpent)) throw error;
    throw new GatewayUnavailable(
      'the payment could not be queried: the queries that the gateway allows for this entity are spent for now; nothing was stored, send the same request again later',
      error.retryAfter,
    );
  }
}

/** Returns the client and the key that an order is stored under; undefined if they are not valid. */
export function storedKeyOf({
  clientId,
  idempotencyKey,
}: Pick<RefundOrder, 'clientId' | 'idempotencyKey'>):
  Pick<AcceptInput, 'clientId' | 'idempotencyKey'> | undefined {
  const key = readIdempotencyKey(idempotencyKey);
  const name = normalizeName(clientId);
  // Two API keys of one owner are one client.
  return key === undefined || name === undefined
    ? undefined
    : { clientId: principalKey(name), idempotencyKey: key };
}

/** Returns client, requester and key of an order. Adds every error to `problems`. */
function readRequester(
  order: RefundOrder,
  problems: InputProblem[],
): Omit<AcceptInput, 'request'> | undefined {
  const stored = storedKeyOf(order);
  if (readIdempotencyKey(order.idempotencyKey) === undefined)
    problems.push({ field: 'idempotencyKey', code: 'invalid', message: IDEMPOTENCY_KEY_RULE });
  if (normalizeName(order.clientId) === undefined)
    problems.push({ field: 'clientId', code: 'invalid', message: NAME_RULE });
  const requestedBy = readName(order.requestedBy);
  if (requestedBy === undefined) problems.push({ field: 'requestedBy', code: 'invalid', message: NAME_RULE });
  for (const field of ['idempotencyKey', 'clientId', 'requestedBy'] as const) {
    const text: unknown = order[field];
    if (typeof text === 'string' && looksLikeCard(text)) problems.push({ field, ...CARD_IN_TEXT });
  }
  return stored === undefined || requestedBy === undefined ? undefined : { ...stored, requestedBy };
}

/** Errors that a wrong declaration may cause. While no query has shown the payment, the gateway is queried before the refund is refused. */
const DECLARED_WRONGLY: readonly LedgerErrorCode[] = ['currency_mismatch', 'payment_not_refundable'];

/**
 * Accepts a refund of a payment that the ledger has. If the balance is too low the payment is queried: since the last query, a chargeback that
 * was won or a later capture may have left more to refund.
 */
async function acceptKnown(
  deps: Dependencies,
  order: AcceptInput,
  payment: PaymentRecord,
  checkStillWanted: () => void,
): Promise<Accepted> {
  const { id, isDeclared } = payment;
  const { request } = order;
  try {
    return await deps.ledger.accept(order, null, checkStillWanted);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const isDoubtful = isDeclared && DECLARED_WRONGLY.includes(error.code);
    if (error.code !== 'exceeds_refundable' && !isDoubtful) throw error;
    const { at } = await deps.ledger.paymentBeforeQuery(id);
    const entityId = isDeclared ? (request.entityId ?? payment.entityId) : payment.entityId;
    const currency = isDeclared ? request.money.currency : payment.currency;
    const original = await queryIfBudget(queryingFor('acceptance', deps), {
      ...{ entityId, paymentId: id, currency, observedAt: at },
      eachCapture: false,
    });
    if (original?.kind !== 'read') throw error;
    return deps.ledger.accept(order, { entityId, facts: original.facts }, checkStillWanted);
  }
}

/** Queries the payment. Undefined if the query budget is spent: then the ledger's record decides. */
async function queryIfBudget(
  deps: Dependencies,
  payment: Parameters<typeof queryStoredPayment>[1],
): Promise<OriginalReading | undefined> {
  try {
    return await queryStoredPayment(deps, payment);
  } catch (error) {
    if (error instanceof QueryBudgetSpent) return undefined;
    throw error;
  }
}

const refusal = (code: string, message: string) =>
  new RequestRefused([{ field: 'paymentId', code, message }]);
