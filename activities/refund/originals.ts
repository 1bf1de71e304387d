/** Queries an original at the gateway, by the id of a payment or of one of its captures, with everything linked to it. */
import { ofCapture } from '../../domain/payment/one-capture.js';
import { readOriginal, type OriginalFacts } from '../../domain/payment/original.js';
import { isGatewayId } from '../../domain/ids.js';
import {
  answerOf,
  isLasting,
  type GatewayTransaction,
  type QueryResult,
  type TransactionTree,
} from '../../domain/transaction.js';
import type { AttemptRecord } from '../../ledger/core/refund-record.js';
import type { Dependencies } from '../dependencies.js';

export type OriginalReading =
  | { readonly kind: 'read'; readonly facts: OriginalFacts; readonly tree: TransactionTree }
  | { readonly kind: 'not_found' }
  /** The gateway shows it in a form that another query does not change. */
  | {
      readonly kind: 'unreadable';
      readonly why: string;
      /** False if it can be read but is no payment that could be refunded. */
      readonly isOriginal: boolean;
    }
  /** The account has no v3 reporting: the gateway does not show transactions linked to a payment. */
  | { readonly kind: 'links_not_shown' }
  /** No usable answer; a later query may have one. */
  | { readonly kind: 'unavailable'; readonly why: string };

export interface OriginalQuery {
  readonly entityId: string;
  /** The id of a payment or of one of its captures. */
  readonly id: string;
  /** The ledger's clock before the query began. */
  readonly observedAt: Date;
  /**
   * True: queries each capture too, because some accounts list under an authorization only what refers to it directly. Needed before a
   * credit, a reconciliation or a proof of absence; never on the happy path.
   */
  readonly eachCapture: boolean;
}

/** Queries the original that `query.id` belongs to. An id of a capture leads to its authorization, which lists all captures. */
export async function queryOriginal(
  deps: Dependencies,
  query: OriginalQuery,
  mayBeCapture = true,
): Promise<OriginalReading> {
  const { entityId, id, observedAt, eachCapture } = query;
  const answer = await deps.gateway.findWithLinked(entityId, id);
  if (answer.kind === 'not_found') return answer;
  if (answer.kind === 'unavailable') return unavailableLinks(answer);
  const whole = eachCapture ? await withCaptures(deps, entityId, answer.value) : answer;
  if (whole.kind !== 'found') return unavailableLinks(whole);
  const reading = readOriginal(whole.value, {
    observedAt,
    coversCaptures: eachCapture,
  });
  if (reading.kind === 'read') return { kind: 'read', facts: reading.facts, tree: whole.value };
  const { reason } = reading;
  switch (reason.why) {
    case 'capture':
      // Only the authorization shows all captures, and the amount returned on each.
      return mayBeCapture
        ? queryOriginal(deps, { ...query, id: reason.parentId }, false)
        : { kind: 'unreadable', why: 'a capture refers to another capture', isOriginal: true };
    case 'not_an_original':
      return {
        kind: 'unreadable',
        why: `a ${reason.type} is neither a debit, an authorization nor a capture`,
        isOriginal: false,
      };
    case 'missing_field':
      return { kind: 'unreadable', why: `the gateway does not show its ${reason.field}`, isOriginal: true };
    case 'amount':
      return {
        kind: 'unreadable',
        why: 'the gateway shows an amount that its currency cannot have',
        isOriginal: true,
      };
    default:
      return reason satisfies never;
  }
}

/** Queries a payment that is in the ledger. Unreadable if the gateway shows it in another currency than the ledger has. */
export async function queryStoredPayment(
  deps: Dependencies,
  {
    paymentId,
    currency,
    ...query
  }: Omit<OriginalQuery, 'id'> & { readonly paymentId: string; readonly currency: string },
): Promise<OriginalReading> {
  const original = await queryOriginal(deps, { ...query, id: paymentId });
  if (original.kind !== 'read') return original;
  const { facts, tree } = original;
  const unreadable = (why: string): OriginalReading => ({ kind: 'unreadable', why, isOriginal: true });
  if (facts.currency !== currency)
    return unreadable(`the gateway shows it in ${facts.currency}, not in ${currency}`);
  if (facts.id === paymentId) return original;
  // The ledger has a capture as a payment of its own: found by its authorization.
  const own = ofCapture(facts, paymentId);
  return own === undefined
    ? unreadable('its authorization does not list it')
    : { kind: 'read', facts: own, tree };
}

/** Queries one transaction without its links; by v1 if the account has no v3 reporting. */
export async function queryTransaction(
  deps: Dependencies,
  entityId: string,
  id: string,
): Promise<QueryResult<GatewayTransaction>> {
  const answer = await deps.gateway.findWithLinked(entityId, id);
  if (answer.kind === 'found') return { kind: 'found', value: answer.value.original };
  return answer.kind === 'unavailable' && answer.why === 'not_offered'
    ? deps.gateway.findById(entityId, id)
    : answer;
}

/** Queries an attempt by its reference, then by its gateway id: the gateway shows some transactions by their id only. */
export async function queryAttempt(
  deps: Dependencies,
  entityId: string,
  { reference, gatewayId }: Pick<AttemptRecord, 'reference' | 'gatewayId'>,
): Promise<QueryResult<readonly GatewayTransaction[]>> {
  const byReference = await deps.gateway.findByReference(entityId, reference);
  // An id of another form is stored as it was received and cannot be queried.
  if (byReference.kind !== 'not_found' || gatewayId === null || !isGatewayId(gatewayId)) return byReference;
  const byId = await queryTransaction(deps, entityId, gatewayId);
  return byId.kind === 'found' ? { kind: 'found', value: [{ reference, ...byId.value }] } : byId;
}

/**
 * Queries a payment whose links the account does not show. A debit or a capture shows the captured amount. Refunds made elsewhere stay
 * unknown; the gateway's own limit caps each refund. An authorization without its captures shows neither.
 */
export async function queryWithoutLinks(
  deps: Dependencies,
  { entityId, id, observedAt }: OriginalQuery,
): Promise<OriginalReading> {
  const answer = await deps.gateway.findById(entityId, id);
  if (answer.kind === 'not_found') return answer;
  if (answer.kind === 'unavailable') return unavailable(answer);
  const tree = rootPaymentOf(answer.value);
  if (tree.original.type === 'preauthorization' && tree.linked.length === 0)
    return {
      kind: 'unreadable',
      isOriginal: false,
      why: 'the account has no v3 reporting, so the captures of an authorization are not shown: name the capture',
    };
  const reading = readOriginal(tree, { observedAt, coversCaptures: false });
  if (reading.kind !== 'read')
    return { kind: 'unreadable', why: 'v1 shows neither a debit nor a capture in full', isOriginal: false };
  const { facts } = reading;
  // The ledger may have other captures of the same authorization.
  const known = facts.type === 'preauthorization' ? await deps.ledger.findPayment(facts.id) : null;
  const capturedMinor = (known?.capturedMinor ?? 0n) + facts.capturedMinor;
  const authorizedMinor =
    facts.type === 'preauthorization' && capturedMinor > facts.authorizedMinor
      ? capturedMinor
      : facts.authorizedMinor;
  return {
    kind: 'read',
    tree,
    facts: { ...facts, capturedMinor, authorizedMinor, hidesLinks: true, coversCaptures: false },
  };
}

/** Returns a capture as the only known capture of its authorization, and any other transaction without links. */
function rootPaymentOf(transaction: GatewayTransaction): TransactionTree {
  const { type, referencedId } = transaction;
  return type === 'capture' && referencedId !== undefined
    ? { original: { ...transaction, id: referencedId, type: 'preauthorization' }, linked: [transaction] }
    : { original: transaction, linked: [] };
}

const unavailable = (answer: Extract<QueryResult<never>, { kind: 'unavailable' }>): OriginalReading =>
  isLasting(answer.why)
    ? { kind: 'unreadable', why: answerOf(answer), isOriginal: true }
    : { kind: 'unavailable', why: answerOf(answer) };

const unavailableLinks = (answer: Extract<QueryResult<never>, { kind: 'unavailable' }>): OriginalReading =>
  answer.why === 'not_offered' ? { kind: 'links_not_shown' } : unavailable(answer);

/**
 * Adds the transactions linked to each capture of an authorization. Unavailable if one capture cannot be queried: a missing answer must not
 * look like an empty list.
 */
async function withCaptures(
  deps: Dependencies,
  entityId: string,
  { original, linked }: TransactionTree,
): Promise<TreeResult> {
  const captures = original.type === 'preauthorization' ? capturesIn(linked) : [];
  const onCaptures: GatewayTransaction[] = [];
  for (const id of captures) {
    const answer = await queryLinkedToCapture(deps, entityId, id);
    if (answer.kind !== 'found') return answer;
    onCaptures.push(...answer.value);
  }
  const seen = new Set(onCaptures.map(({ id }) => id));
  return {
    kind: 'found',
    value: {
      original,
      linked: [...linked.filter(({ id }) => id === undefined || !seen.has(id)), ...onCaptures],
    },
  };
}

type TreeResult = Exclude<QueryResult<TransactionTree>, { kind: 'not_found' }>;

/** Returns the transactions that refer to a capture. Adds the capture's id as `referencedId` where the gateway leaves it out. */
export async function queryLinkedToCapture(
  deps: Dependencies,
  entityId: string,
  captureId: string,
): Promise<Exclude<QueryResult<readonly GatewayTransaction[]>, { kind: 'not_found' }>> {
  const answer = await deps.gateway.findWithLinked(entityId, captureId);
  // The capture is listed under its authorization, so the gateway has it: this answer is wrong.
  if (answer.kind === 'not_found') return { kind: 'unavailable', why: 'error' };
  if (answer.kind === 'unavailable') return answer;
  const { original, linked } = answer.value;
  const own = linked.filter(
    ({ id, type }) => id !== original.referencedId && type !== 'capture' && type !== 'preauthorization',
  );
  return { kind: 'found', value: own.map((entry) => ({ referencedId: captureId, ...entry })) };
}

const capturesIn = (linked: readonly GatewayTransaction[]): readonly string[] => [
  ...new Set(
    linked.flatMap(({ id, type }) => (type === 'capture' && id !== undefined && isGatewayId(id) ? [id] : [])),
  ),
];
