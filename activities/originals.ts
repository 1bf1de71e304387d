/** Reading an original from the gateway, from a payment's id or one of its captures'. */
import { readOriginal, type OriginalFacts } from '../domain/original.js';
import { answerOf, isLasting, type TransactionTree } from '../domain/transaction.js';
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
    return isLasting(answer.why)
      ? { kind: 'unreadable', why: answerOf(answer), isOriginal: true }
      : { kind: 'unavailable', why: answerOf(answer) };
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
  return original.kind === 'read' && original.facts.currency !== currency
    ? {
        kind: 'unreadable',
        why: `the gateway shows it in ${original.facts.currency}, not in ${currency}`,
        isOriginal: true,
      }
    : original;
}
