/** A capture that is a payment of its own here: it was declared by its id, before its authorization was known. */
import type { OriginalFacts } from './original.js';

/**
 * What the gateway shows of an authorization, as far as it is about one capture; undefined where that is not listed. What names another
 * capture, or could be of any of several, is not this one's: the gateway caps each refund of a capture, and a credit is never sent on it.
 */
export function ofCapture(facts: OriginalFacts, captureId: string): OriginalFacts | undefined {
  const capture = facts.captures.find(({ id }) => id === captureId);
  if (capture === undefined) return undefined;
  const isOnly = facts.captures.length === 1;
  const isOfIt = ({ referencedId = null }: { readonly referencedId?: string | null }): boolean =>
    referencedId === captureId || (isOnly && !isCapture(facts, referencedId));
  return {
    ...facts,
    id: captureId,
    type: 'capture',
    authorizedMinor: 0n,
    captures: [capture],
    capturedMinor: capture.amountMinor,
    returns: facts.returns.filter((entry) => isOfIt(entry) && entry.type === 'refund'),
    disputes: facts.disputes.filter(isOfIt),
    doubts: [
      ...facts.doubts,
      ...facts.disputes
        .filter((dispute) => !isOnly && !isCapture(facts, dispute.referencedId ?? null))
        .map(({ id }) => ({ gatewayId: id, why: 'chargeback_unplaced' }) as const),
    ],
  };
}

/** An authorization without those captures that are payments of their own: the same money is never counted on two. */
export function withoutCaptures(facts: OriginalFacts, elsewhere: ReadonlySet<string>): OriginalFacts {
  if (elsewhere.size === 0) return facts;
  const isElsewhere = ({ referencedId = null }: { readonly referencedId?: string | null }): boolean =>
    referencedId !== null && elsewhere.has(referencedId);
  const captures = facts.captures.filter(({ id }) => !elsewhere.has(id));
  const captured = captures.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  const left = facts.authorizedMinor - (facts.capturedMinor - captured);
  return {
    ...facts,
    captures,
    capturedMinor: captured,
    authorizedMinor: left > 0n ? left : 0n,
    returns: facts.returns.filter((entry) => !isElsewhere(entry)),
    disputes: facts.disputes.filter((dispute) => !isElsewhere(dispute)),
  };
}

const isCapture = ({ captures }: OriginalFacts, id: string | null): boolean =>
  captures.some((capture) => capture.id === id);
