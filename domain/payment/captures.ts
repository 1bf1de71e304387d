/** Assigns outside refunds, reversals and chargebacks to the captures of a payment, and chooses the capture that a refund goes to. */
import type { Capture } from './original.js';

/**
 * Money that was refunded, reversed or charged back outside of this program. `referencedId`: the transaction that it refers to; null if the
 * gateway shows none.
 */
export interface Drawn {
  readonly referencedId: string | null;
  readonly amountMinor: bigint;
  /** True for a chargeback. The gateway may decline to refund the rest of its capture. */
  readonly isDispute?: true;
}

export interface DrawnCapture {
  readonly id: string;
  /** Certainly taken from this capture. */
  readonly certainMinor: bigint;
  /** Taken from one of several captures, of which this is one. */
  readonly doubtfulMinor: bigint;
}

/**
 * Assigns outside refunds, reversals and chargebacks to captures. An entry that refers to the payment, or to nothing, is assigned to the only
 * capture with enough left. If several have enough, it counts as doubtful for each of them. `ownMinor`: taken from a capture by our own
 * refunds.
 */
export function placeDrawn(
  captures: readonly Capture[],
  drawn: readonly Drawn[],
  ownMinor: (captureId: string) => bigint,
): readonly DrawnCapture[] {
  const left = new Map(captures.map(({ id, amountMinor }) => [id, amountMinor - ownMinor(id)]));
  const certain = new Map<string, bigint>();
  const doubtful = new Map<string, bigint>();
  const take = (id: string, amountMinor: bigint): void => {
    certain.set(id, (certain.get(id) ?? 0n) + amountMinor);
    left.set(id, (left.get(id) ?? 0n) - amountMinor);
  };
  const disputed = new Set<string>();
  const unplaced = drawn.filter(({ referencedId, amountMinor, isDispute }) => {
    if (referencedId === null || !left.has(referencedId)) return true;
    take(referencedId, amountMinor);
    if (isDispute === true) disputed.add(referencedId);
    return false;
  });
  const largestFirst = [...unplaced].sort((a, b) => (a.amountMinor > b.amountMinor ? -1 : 1));
  for (const { amountMinor } of largestFirst) {
    const able = captures.filter(({ id }) => (left.get(id) ?? 0n) >= amountMinor);
    const [only, other] = able.length > 0 ? able : captures;
    if (only !== undefined && other === undefined) take(only.id, amountMinor);
    else
      for (const { id } of able.length > 0 ? able : captures)
        doubtful.set(id, (doubtful.get(id) ?? 0n) + amountMinor);
  }
  return captures.map(({ id, amountMinor }) => ({
    id,
    certainMinor: certain.get(id) ?? 0n,
    doubtfulMinor: disputed.has(id) ? amountMinor : (doubtful.get(id) ?? 0n),
  }));
}

/** A capture with the amount that a refund can still take from it. */
export interface OpenCapture {
  readonly id: string;
  /** Left after our own refunds, open ones included. */
  readonly ownLeftMinor: bigint;
  /** Left after our own refunds and everything that was certainly taken elsewhere. */
  readonly leftMinor: bigint;
  readonly doubtfulMinor: bigint;
}

/**
 * Returns the capture that a refund of `owedMinor` goes to, and the amount: the requested capture, else the one that certainly has most
 * left, else the one that may have most left. Undefined if no capture has anything left.
 */
export function chooseCapture(
  captures: readonly OpenCapture[],
  askedFor: string | null,
  owedMinor: bigint,
): ChosenCapture | undefined {
  return (
    chooseCertain(captures, askedFor, owedMinor) ??
    best(captures, ({ leftMinor }) => leftMinor, askedFor, owedMinor)
  );
}

export interface ChosenCapture {
  readonly id: string;
  readonly amountMinor: bigint;
}

/** The same, but only among captures that certainly have something left. */
export const chooseCertain = (
  captures: readonly OpenCapture[],
  askedFor: string | null,
  owedMinor: bigint,
): ChosenCapture | undefined =>
  best(captures, ({ leftMinor, doubtfulMinor }) => leftMinor - doubtfulMinor, askedFor, owedMinor);

function best(
  captures: readonly OpenCapture[],
  remainingOf: (capture: OpenCapture) => bigint,
  askedFor: string | null,
  owedMinor: bigint,
): ChosenCapture | undefined {
  const [first] = captures
    .map((capture) => ({ id: capture.id, remaining: remainingOf(capture) }))
    .filter(({ remaining }) => remaining > 0n)
    .sort((a, b) => {
      if ((a.id === askedFor) !== (b.id === askedFor)) return a.id === askedFor ? -1 : 1;
      if (a.remaining !== b.remaining) return a.remaining > b.remaining ? -1 : 1;
      return a.id < b.id ? -1 : 1;
    });
  return first === undefined
    ? undefined
    : { id: first.id, amountMinor: first.remaining < owedMinor ? first.remaining : owedMinor };
}
