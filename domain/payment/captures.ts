/** Which captures of a payment were drawn on elsewhere: refunds, reversals and chargebacks that are not ours, each where it belongs. */
import type { Capture } from './original.js';

/** Money that left a payment without us. `referencedId`: what the gateway says that it refers to; null where it says nothing. */
export interface Drawn {
  readonly referencedId: string | null;
  readonly amountMinor: bigint;
  /** By a chargeback. What is left of its capture the gateway may decline to refund. */
  readonly isDispute?: true;
}

export interface DrawnCapture {
  readonly id: string;
  /** Certainly taken from this capture. */
  readonly certainMinor: bigint;
  /** Taken from one of several captures that this one is among. */
  readonly doubtfulMinor: bigint;
}

/**
 * Places what was drawn elsewhere. One that names the payment or nothing was taken from the only capture that had so much left; where
 * several had, each of them may be the one. `ownMinor`: what our own refunds took from a capture.
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

/** A capture with what a refund can still take from it. */
export interface OpenCapture {
  readonly id: string;
  /** Less what our own refunds took or may take. */
  readonly ownLeftMinor: bigint;
  /** Less what was certainly taken elsewhere as well. */
  readonly leftMinor: bigint;
  readonly doubtfulMinor: bigint;
}

/**
 * The capture that a refund of `owedMinor` goes to, and how much of it: the one that was asked for, else the one that certainly has most
 * left, else the one that may have. Undefined where nothing is left on any.
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

/** Only one that certainly has something left. */
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
