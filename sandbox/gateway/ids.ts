/** Where the simulator's identifiers come from: a seed for worlds that can be run again, or the system's randomness. */
import { randomBytes } from 'node:crypto';

export interface IdSource {
  /** A number in [0, 1). */
  next(): number;
}

/** The same seed gives the same ids in the same order (mulberry32: small, and good enough for names). */
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

/** Different in every process; what a simulator that outlives restarts needs. */
export function randomIds(): IdSource {
  return { next: () => randomBytes(4).readUInt32BE() / 4294967296 };
}

/** The character of half a byte. */
const digit = (half: number): number => (half < 10 ? 0x30 : 0x57) + half;

export function hex(ids: IdSource, length: number): string {
  let text = '';
  while (text.length < length) {
    const word = Math.floor(ids.next() * 4294967296);
    text += String.fromCharCode(
      digit(word >>> 28),
      digit((word >>> 24) & 15),
      digit((word >>> 20) & 15),
      digit((word >>> 16) & 15),
      digit((word >>> 12) & 15),
      digit((word >>> 8) & 15),
      digit((word >>> 4) & 15),
      digit(word & 15),
    );
  }
  return text.slice(0, length);
}

/** 32 lowercase hex with the prefix seen on the vendor's test system. */
export function transactionId(ids: IdSource): string {
  return `8ac7a4a${hex(ids, 25)}`;
}

/** `NNNN.NNNN.NNNN`: the short id that also opens the descriptor. */
export function shortId(ids: IdSource): string {
  const group = (): string =>
    Math.floor(ids.next() * 10000)
      .toString()
      .padStart(4, '0');
  return `${group()}.${group()}.${group()}`;
}
