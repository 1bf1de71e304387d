/** AES-256-GCM with a random nonce: nonce, ciphertext and tag in one buffer. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts `text` with `key`. `bound` is not part of the result, and decryption fails with any other. */
export function encrypt(key: Uint8Array, text: Uint8Array, bound: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** Returns undefined if the key is another one, or the ciphertext or `bound` were changed. */
export function decrypt(key: Uint8Array, sealed: Uint8Array, bound: Uint8Array): Buffer | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const end = sealed.length - TAG_BYTES;
  const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(bound);
  cipher.setAuthTag(sealed.subarray(end));
  // GCM is a stream cipher: `update` returns all of the text, and `final` only checks the tag.
  const text = cipher.update(sealed.subarray(NONCE_BYTES, end));
  try {
    cipher.final();
    return text;
  } catch {
    text.fill(0);
    return undefined;
  }
}
