/** Facts of a capture that is a payment of its own: a client declared it by its id before its authorization was known. */
import type { OriginalFacts } from './original.js';

/**
 * Returns the facts of an authorization that belong to one capture; undefined if the capture is not listed. A transaction that refers to
 * another capture, or may belong to any of several, is left out: the gateway caps each refund of a capture, and a credit is never submitted
 * for one.
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

/** Returns the facts without the captures that are payments of their own, so that no money is counted on two payments. */
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
