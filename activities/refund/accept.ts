/** Accepting a refund or a credit: check everything that can be checked, then store and reserve. Used by callers' workflows and by the client. */
import { elapsed, type Moment } from '../../domain/clock.js';
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
  queryKnown,
  queryOriginal,
  queryWithoutLinks,
  type OriginalAnswer,
  type OriginalQuery,
} from './originals.js';

export interface RefundOrder {
  /** Owns the idempotency key. */
  readonly clientId: string;
  /** A key in double quotes is the same key without them. */
  readonly idempotencyKey: string;
  /** The person or system who asks; whoever asks cannot approve. */
  readonly requestedBy: string;
  /** As the caller wrote it; see `RefundRequestInput` and `CreditRequestInput`. */
  readonly request: unknown;
}

/** The request is wrong, in each of the ways named. Nothing was stored. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[]) {
    super(problems.map((problem) => `${problem.field}: ${problem.message}`).join('; '));
    this.problems = problems;
  }
}

/** The original could not be read now. Nothing was stored; the same request may be sent again later. */
export class GatewayUnavailable extends Error {
  override readonly name = 'GatewayUnavailable';
  /** Milliseconds, where that is known. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** The gateway shows the original in a form that cannot be read; asking again does not change that. Nothing was stored. */
export class PaymentUnreadable extends Error {
  override readonly name = 'PaymentUnreadable';
}

/** Milliseconds from the request to the commit. A look-up with all its pages ends within 30 s; a capture takes two. */
export const STALE_AFTER = 90_000;

/** Throws `RequestRefused`, `GatewayUnavailable` or the ledger's `LedgerError`; in each case nothing was stored. */
export function acceptRefund(
  deps: Dependencies,
  order: RefundOrder,
  askedAt: Moment = deps.now(),
): Promise<Accepted> {
  return accept(deps, order, readRefundRequest(order.request), askedAt);
}

/** A standalone credit asked for directly. Throws what `acceptRefund` throws; in each case nothing was stored. */
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
  const asker = readAsker(order, problems);
  if (reading.ok && reading.request.entityId !== undefined && !deps.hasEntity(reading.request.entityId))
    problems.push({
      field: 'entityId',
      code: 'unknown',
      message: 'is not an entity that is configured here',
    });
  if (!reading.ok || asker === undefined || problems.length > 0) throw new RequestRefused(problems);

  // A process that was stopped meanwhile knows nothing about now, and its caller has long had another answer.
  const checkStillWanted = (): void => {
    if (elapsed(askedAt, deps.now()) > STALE_AFTER)
      throw new GatewayUnavailable(
        'accepting took too long; nothing was stored, send the same request again',
      );
  };
  const { request } = reading;
  const accepted = {
    ...asker,
    request,
  };
  const entityId = request.entityId ?? deps.defaultEntityId;
  // What a client declares is not queried: the gateway itself caps the refund, and a credit needs what it shows.
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
      throw refused('not_found', 'the gateway has no such payment under this entity');
    case 'unreadable':
      throw original.isOriginal
        ? new PaymentUnreadable(
            `the payment cannot be read at the gateway: ${original.why}; nothing was stored`,
          )
        : refused('not_refundable', original.why);
    case 'links_not_shown':
      throw new GatewayUnavailable('the account shows the payment neither by v3 nor by v1');
    case 'unavailable':
      throw new GatewayUnavailable(
        `the payment could not be looked up at the gateway (${original.why}); nothing was stored, send the same request again later`,
      );
    default:
      return original satisfies never;
  }
}

/** By v1 where the account has no v3 reporting: for a regular refund that is enough. */
async function readOriginal(deps: Dependencies, query: OriginalQuery): Promise<OriginalAnswer> {
  try {
    const original = await queryOriginal(deps, query);
    return original.kind === 'links_not_shown' ? await queryWithoutLinks(deps, query) : original;
  } catch (error) {
    if (!(error instanceof QueryBudgetSpent)) throw error;
    throw new GatewayUnavailable(
      'the payment could not be looked up: the queries that the gateway allows for this entity are spent for now; nothing was stored, send the same request again later',
      error.retryAfter,
    );
  }
}

/** Under which names and key an order is stored; undefined for what could not have been stored. */
export function storedKeyOf({
  clientId,
  idempotencyKey,
}: Pick<RefundOrder, 'clientId' | 'idempotencyKey'>):
  Pick<AcceptInput, 'clientId' | 'idempotencyKey'> | undefined {
  const key = readIdempotencyKey(idempotencyKey);
  const name = normalizeName(clientId);
  // Two keys of one owner are one client.
  return key === undefined || name === undefined
    ? undefined
    : { clientId: principalKey(name), idempotencyKey: key };
}

/** Who asks, and under which key. Names what is wrong in `problems`. */
function readAsker(order: RefundOrder, problems: InputProblem[]): Omit<AcceptInput, 'request'> | undefined {
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

/** What a declaration may have been wrong about: as long as no query has shown the payment, the gateway is asked before a refund is refused. */
const DECLARED_WRONGLY: readonly LedgerErrorCode[] = ['currency_mismatch', 'payment_not_refundable'];

/** The ledger has a payment as it was last seen: a chargeback that was won or a later capture since then leaves more to refund. */
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
    const original = await seenNow(queryingFor('acceptance', deps), {
      ...{ entityId, paymentId: id, currency, observedAt: at },
      eachCapture: false,
    });
    if (original?.kind !== 'read') throw error;
    return deps.ledger.accept(order, { entityId, facts: original.facts }, checkStillWanted);
  }
}

/** Undefined where the budget of queries is spent: then what is on record decides. */
async function seenNow(
  deps: Dependencies,
  payment: Parameters<typeof queryKnown>[1],
): Promise<OriginalAnswer | undefined> {
  try {
    return await queryKnown(deps, payment);
  } catch (error) {
    if (error instanceof QueryBudgetSpent) return undefined;
    throw error;
  }
}

const refused = (code: string, message: string) =>
  new RequestRefused([{ field: 'paymentId', code, message }]);
