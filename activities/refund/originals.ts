/** Reading an original from the gateway, from a payment's id or one of its captures'. */
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

export type OriginalAnswer =
  | { readonly kind: 'read'; readonly facts: OriginalFacts; readonly tree: TransactionTree }
  | { readonly kind: 'not_found' }
  /** Asking again does not change it. */
  | {
      readonly kind: 'unreadable';
      readonly why: string;
      /** False where it is readable and nothing that could be refunded. */
      readonly isOriginal: boolean;
    }
  /** The account has no v3 reporting: what is linked to a payment is not shown. */
  | { readonly kind: 'links_not_shown' }
  /** The gateway told nothing; asking again later may. */
  | { readonly kind: 'unavailable'; readonly why: string };

/** What is asked of the gateway, and how it will count. */
export interface OriginalQuery {
  readonly entityId: string;
  /** Of a payment, or of one of its captures. */
  readonly id: string;
  /** The ledger's clock before the query began. */
  readonly observedAt: Date;
  /**
   * Some accounts list under an authorization only what refers to it directly. True queries each capture as well: before a credit, a
   * conclusion or a proof of absence, never on the way of a refund that goes well.
   */
  readonly eachCapture: boolean;
}

export async function queryOriginal(
  deps: Dependencies,
  query: OriginalQuery,
  mayBeCapture = true,
): Promise<OriginalAnswer> {
  const { entityId, id, observedAt, eachCapture } = query;
  const answer = await deps.gateway.findWithLinked(entityId, id);
  if (answer.kind === 'not_found') return answer;
  if (answer.kind === 'unavailable') return unlinked(answer);
  const whole = eachCapture ? await withCaptures(deps, entityId, answer.value) : answer;
  if (whole.kind !== 'found') return unlinked(whole);
  const reading = readOriginal(whole.value, deps.hostOf(entityId), {
    observedAt,
    coversCaptures: eachCapture,
  });
  if (reading.kind === 'read') return { kind: 'read', facts: reading.facts, tree: whole.value };
  const { reason } = reading;
  switch (reason.why) {
    case 'capture':
      // Only the authorisation shows all captures, and what was given back on each.
      return mayBeCapture
        ? queryOriginal(deps, { ...query, id: reason.parentId }, false)
        : { kind: 'unreadable', why: 'a capture refers to another capture', isOriginal: true };
    case 'not_an_original':
      return {
        kind: 'unreadable',
        why: `a ${reason.type} is neither a debit, an authorisation nor a capture`,
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

/** A payment that the ledger has. Shown in another currency it cannot be read against what is kept of it. */
export async function queryKnown(
  deps: Dependencies,
  {
    paymentId,
    currency,
    ...query
  }: Omit<OriginalQuery, 'id'> & { readonly paymentId: string; readonly currency: string },
): Promise<OriginalAnswer> {
  const original = await queryOriginal(deps, { ...query, id: paymentId });
  if (original.kind !== 'read') return original;
  const { facts, tree } = original;
  const unreadable = (why: string): OriginalAnswer => ({ kind: 'unreadable', why, isOriginal: true });
  if (facts.currency !== currency)
    return unreadable(`the gateway shows it in ${facts.currency}, not in ${currency}`);
  if (facts.id === paymentId) return original;
  // A capture that is a payment of its own here, found by its authorization.
  const own = ofCapture(facts, paymentId);
  return own === undefined
    ? unreadable('its authorization does not list it')
    : { kind: 'read', facts: own, tree };
}

/** One transaction, by v1 where the account has no v3 reporting. For what needs no links. */
export async function queryAlone(
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

/** Under our reference, else under the id that the gateway gave it: some transactions are shown by that alone. */
export async function shownAlone(
  deps: Dependencies,
  entityId: string,
  { reference, gatewayId }: Pick<AttemptRecord, 'reference' | 'gatewayId'>,
): Promise<QueryResult<readonly GatewayTransaction[]>> {
  const byReference = await deps.gateway.findByReference(entityId, reference);
  // An id of another form was kept as it came, and cannot be queried.
  if (byReference.kind !== 'not_found' || gatewayId === null || !isGatewayId(gatewayId)) return byReference;
  const byId = await queryAlone(deps, entityId, gatewayId);
  return byId.kind === 'found'
    ? { kind: 'found', value: [{ merchantTransactionId: reference, ...byId.value }] }
    : byId;
}

/**
 * A payment whose links the account does not show. A debit and a capture tell what was taken; what was given back elsewhere stays
 * unknown, and the gateway's own limit holds each refund of them. An authorisation without its captures tells neither.
 */
export async function queryWithoutLinks(
  deps: Dependencies,
  { entityId, id, observedAt }: OriginalQuery,
): Promise<OriginalAnswer> {
  const answer = await deps.gateway.findById(entityId, id);
  if (answer.kind === 'not_found') return answer;
  if (answer.kind === 'unavailable') return unavailableOf(answer);
  const tree = rootPaymentOf(answer.value);
  if (tree.original.paymentType === 'PA' && tree.linked.length === 0)
    return {
      kind: 'unreadable',
      isOriginal: false,
      why: 'the account has no v3 reporting, so the captures of an authorisation are not shown: name the capture',
    };
  const reading = readOriginal(tree, deps.hostOf(entityId), { observedAt, coversCaptures: false });
  if (reading.kind !== 'read')
    return { kind: 'unreadable', why: 'v1 shows neither a debit nor a capture in full', isOriginal: false };
  const { facts } = reading;
  // The ledger may know other captures of the same authorisation.
  const known = facts.type === 'PA' ? await deps.ledger.findPayment(facts.id) : null;
  const capturedMinor = (known?.capturedMinor ?? 0n) + facts.capturedMinor;
  const authorizedMinor =
    facts.type === 'PA' && capturedMinor > facts.authorizedMinor ? capturedMinor : facts.authorizedMinor;
  return {
    kind: 'read',
    tree,
    facts: { ...facts, capturedMinor, authorizedMinor, hidesLinks: true, coversCaptures: false },
  };
}

/** A capture as the only one that is known of its authorisation; anything else alone. */
function rootPaymentOf(transaction: GatewayTransaction): TransactionTree {
  const { paymentType, referencedId } = transaction;
  return paymentType === 'CP' && referencedId !== undefined
    ? { original: { ...transaction, id: referencedId, paymentType: 'PA' }, linked: [transaction] }
    : { original: transaction, linked: [] };
}

const unavailableOf = (answer: Extract<QueryResult<never>, { kind: 'unavailable' }>): OriginalAnswer =>
  isLasting(answer.why)
    ? { kind: 'unreadable', why: answerOf(answer), isOriginal: true }
    : { kind: 'unavailable', why: answerOf(answer) };

const unlinked = (answer: Extract<QueryResult<never>, { kind: 'unavailable' }>): OriginalAnswer =>
  answer.why === 'not_offered' ? { kind: 'links_not_shown' } : unavailableOf(answer);

/**
 * An authorization with what hangs on each of its captures. All of them or none: an answer that is not there must not look like one that
 * lists nothing.
 */
async function withCaptures(
  deps: Dependencies,
  entityId: string,
  { original, linked }: TransactionTree,
): Promise<LinkedQuery> {
  const captures = original.paymentType === 'PA' ? capturesIn(linked) : [];
  const onCaptures: GatewayTransaction[] = [];
  for (const id of captures) {
    const answer = await linkedTo(deps, entityId, id);
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

type LinkedQuery = Exclude<QueryResult<TransactionTree>, { kind: 'not_found' }>;

/** What refers to a capture, each with the capture named where the gateway leaves that out. */
export async function linkedTo(
  deps: Dependencies,
  entityId: string,
  captureId: string,
): Promise<Exclude<QueryResult<readonly GatewayTransaction[]>, { kind: 'not_found' }>> {
  const answer = await deps.gateway.findWithLinked(entityId, captureId);
  // It is listed under its authorization, so the gateway has it: this answer is not to be believed.
  if (answer.kind === 'not_found') return { kind: 'unavailable', why: 'error' };
  if (answer.kind === 'unavailable') return answer;
  const { original, linked } = answer.value;
  const own = linked.filter(
    ({ id, paymentType }) => id !== original.referencedId && paymentType !== 'CP' && paymentType !== 'PA',
  );
  return { kind: 'found', value: own.map((entry) => ({ referencedId: captureId, ...entry })) };
}

const capturesIn = (linked: readonly GatewayTransaction[]): readonly string[] => [
  ...new Set(
    linked.flatMap(({ id, paymentType }) =>
      paymentType === 'CP' && id !== undefined && isGatewayId(id) ? [id] : [],
    ),
  ),
];
