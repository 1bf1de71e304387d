/** Generates the gateway simulator's ids: from a seed for repeatable runs, or from the system's random numbers. */
import { randomBytes } from 'node:crypto';

export interface IdSource {
  /** Returns a number in [0, 1). */
  next(): number;
}

/** Returns a source that gives the same ids in the same order for the same seed (mulberry32, which is random enough for ids). */
export function seededIds(seed: number): IdSource {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    },
  };
}

/** Returns a source that differs in every process, for a simulator whose books survive restarts. */
export function randomIds(): IdSource {
  return { next: () => randomBytes(4).readUInt32BE() / 4294967296 };
}

/** Returns the character code of a hex digit. */
const digit = (half: number): number => (half < 10 ? 0x30 : 0x57) + half;

/** Returns `length` lowercase hex digits. */
export function hex(ids: IdSource, length: number): string {
  let text = '';
  while (text.length < length) {
    const note = Math.floor(ids.next() * 4294967296);
    text += String.fromCharCode(
      digit(note >>> 28),
      digit((note >>> 24) & 15),
      digit((note >>> 20) & 15),
      digit((note >>> 16) & 15),
      digit((note >>> 12) & 15),
      digit((note >>> 8) & 15),
      digit((note >>> 4) & 15),
      digit(note & 15),
    );
  }
  return text.slice(0, length);
}

/** Returns 32 lowercase hex digits with the prefix that ids have on the vendor's test system. */
export function transactionId(ids: IdSource): string {
  return `8ac7a4a${hex(ids, 25)}`;
}

/** Returns a short id, `NNNN.NNNN.NNNN`, which is also the first part of the descriptor. */
export function shortId(ids: IdSource): string {
  const group = (): string =>
    Math.floor(ids.next() * 10000)
      .toString()
      .padStart(4, '0');
  return `${group()}.${group()}.${group()}`;
}
