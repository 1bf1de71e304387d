/** References of attempts, by which they are queried when an answer was lost. The only file of `domain/` that needs Node. */
import { hash } from 'node:crypto';
import type { Operation } from './operation.js';

/** Crockford's alphabet: no I, L, O or U, so that a reference can be read out over the telephone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * The reference of attempt `number` (from 1) of a refund: always the same 16 characters for the same three, so a process
 * that has lost everything finds its order again. 16 capitals and digits is what every acquirer takes: the gateway's documents ask
 * for 8 to 255, some acquirers for no more than 16 and for letters and digits only.
 * 80 bits of SHA-256: among a thousand million references the chance of two alike is below one in a million.
 */
export function referenceFor(refundId: string, operation: Operation, number: number): string {
  if (!Number.isSafeInteger(number) || number < 1)
    throw new RangeError(`No attempt has the number ${number}.`);
  const digest = hash('sha256', `oppwa-refunds reference 1\n${refundId}\n${operation}\n${number}`);
  return inAlphabet(digest.slice(0, 10)) + inAlphabet(digest.slice(10, 20));
}

/** The reference of a card's registration: 16 characters, always the same for the same seed. */
export function registrationReference(seed: string): string {
  const digest = hash('sha256', `oppwa-refunds registration 1\n${seed}`);
  return inAlphabet(digest.slice(0, 10)) + inAlphabet(digest.slice(10, 20));
}

/** Ten hexadecimal digits are 40 bits, and eight characters. */
function inAlphabet(digits: string): string {
  let text = '';
  for (let left = Number.parseInt(digits, 16), place = 0; place < 8; place += 1) {
    text = ALPHABET.charAt(left % 32) + text;
    left = Math.floor(left / 32);
  }
  return text;
}
