/** Reads files of keys: one key of 32 bytes in base64 for each line, behind its id and a colon. */
import { KEY_BYTES } from '../ledger/cards/aes.js';

const KEY_ID = /^[\w.-]{1,64}$/u;

/** A line that holds no key. Neither the id nor the key is part of it. */
export interface WrongLine {
  /** From 1. */
  readonly line: number;
  readonly why: 'malformed' | 'id_twice';
}

export interface KeyLines {
  /** In the order of the file. */
  readonly keys: readonly { readonly id: string; readonly key: Buffer }[];
  readonly wrong: readonly WrongLine[];
}

/** Reads the text of a key file. Empty lines and lines that begin with `#` are left out. */
export function readKeyLines(text: string): KeyLines {
  const keys: { readonly id: string; readonly key: Buffer }[] = [];
  const wrong: WrongLine[] = [];
  for (const [index, whole] of text.split('\n').entries()) {
    const entry = whole.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    const colon = entry.indexOf(':');
    const [id, key] = [entry.slice(0, Math.max(colon, 0)), keyIn(entry.slice(colon + 1))];
    if (!KEY_ID.test(id) || key === undefined) wrong.push({ line: index + 1, why: 'malformed' });
    else if (keys.some((other) => other.id === id)) wrong.push({ line: index + 1, why: 'id_twice' });
    else keys.push({ id, key });
  }
  return { keys, wrong };
}

/** Returns the key of 32 bytes that the text is in base64; undefined if it is none. */
export function keyIn(text: string): Buffer | undefined {
  const key = Buffer.from(text, 'base64');
  // Node decodes any text. Only text that encodes back to itself was base64.
  return key.length === KEY_BYTES && key.toString('base64') === text ? key : undefined;
}
