/** Reading an original from the gateway, from a payment's id or one of its captures'. */
import { ofCapture } from '../domain/one-capture.js';
import { readOriginal, type OriginalFacts } from '../domain/original.js';
import {
  answerOf,
  isLasting,
  type GatewayTransaction,
  type LookUp,
  type TransactionTree,
} from '../domain/transaction.js';
import type { Dependencies } from './dependencies.js';

export type OriginalLookUp =
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

export async function lookUpOriginal(
  deps: Dependencies,
  entityId: string,
  id: string,
  mayBeCapture = true,
): Promise<OriginalLookUp> {
  const answer = await deps.gateway.findWithLinked(entityId, id);
  if (answer.kind === 'not_found') return answer;
  if (answer.kind === 'unavailable')
    return answer.why === 'not_offered' ? { kind: 'links_not_shown' } : unavailableOf(answer);
  const reading = readOriginal(answer.value, deps.hostOf(entityId));
  if (reading.kind === 'read') return { kind: 'read', facts: reading.facts, tree: answer.value };
  const { reason } = reading;
  switch (reason.why) {
    case 'capture':
      // Only the authorisation shows all captures, and what was given back on each.
      return mayBeCapture
        ? lookUpOriginal(deps, entityId, reason.parentId, false)
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
export async function lookUpKnown(
  deps: Dependencies,
  {
    entityId,
    paymentId,
    currency,
  }: { readonly entityId: string; readonly paymentId: string; readonly currency: string },
): Promise<OriginalLookUp> {
  const original = await lookUpOriginal(deps, entityId, paymentId);
  if (original.kind !== 'read') return original;
  const { facts, tree } = original;
  const unreadable = (why: string): OriginalLookUp => ({ kind: 'unreadable', why, isOriginal: true });
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
export async function lookUpAlone(
  deps: Dependencies,
  entityId: string,
  id: string,
): Promise<LookUp<GatewayTransaction>> {
  const answer = await deps.gateway.findWithLinked(entityId, id);
  if (answer.kind === 'found') return { kind: 'found', value: answer.value.original };
  return answer.kind === 'unavailable' && answer.why === 'not_offered'
    ? deps.gateway.findById(entityId, id)
    : answer;
}

/**
 * A payment whose links the account does not show. A debit and a capture tell what was taken; what was given back elsewhere stays
 * unknown, and the gateway's own limit holds each refund of them. An authorisation without its captures tells neither.
 */
export async function lookUpWithoutLinks(
  deps: Dependencies,
  entityId: string,
  id: string,
): Promise<OriginalLookUp> {
  const answer = await deps.gateway.findById(entityId, id);
  if (answer.kind === 'not_found') return answer;
  if (answer.kind === 'unavailable') return unavailableOf(answer);
  const tree = rootOf(answer.value);
  if (tree.original.paymentType === 'PA' && tree.linked.length === 0)
    return {
      kind: 'unreadable',
      isOriginal: false,
      why: 'the account has no v3 reporting, so the captures of an authorisation are not shown: name the capture',
    };
  const reading = readOriginal(tree, deps.hostOf(entityId));
  if (reading.kind !== 'read')
    return { kind: 'unreadable', why: 'v1 shows neither a debit nor a capture in full', isOriginal: false };
  const { facts } = reading;
  // The ledger may know other captures of the same authorisation.
  const known = facts.type === 'PA' ? await deps.ledger.findPayment(facts.id) : null;
  const capturedMinor = (known?.capturedMinor ?? 0n) + facts.capturedMinor;
  const authorizedMinor =
    facts.type === 'PA' && capturedMinor > facts.authorizedMinor ? capturedMinor : facts.authorizedMinor;
  return { kind: 'read', tree, facts: { ...facts, capturedMinor, authorizedMinor, hidesLinks: true } };
}

/** A capture as the only one that is known of its authorisation; anything else alone. */
function rootOf(transaction: GatewayTransaction): TransactionTree {
  const { paymentType, referencedId } = transaction;
  return paymentType === 'CP' && referencedId !== undefined
    ? { original: { ...transaction, id: referencedId, paymentType: 'PA' }, linked: [transaction] }
    : { original: transaction, linked: [] };
}

const unavailableOf = (answer: Extract<LookUp<never>, { kind: 'unavailable' }>): OriginalLookUp =>
  isLasting(answer.why)
    ? { kind: 'unreadable', why: answerOf(answer), isOriginal: true }
    : { kind: 'unavailable', why: answerOf(answer) };
