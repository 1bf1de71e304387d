/** Signs events as Standard Webhooks specifies (standardwebhooks.com), so the receiver can check sender and time. */
import { createHmac } from 'node:crypto';
import type { Secret } from '../../domain/secret.js';

/**
 * Returns the three headers for `body`, with one signature for each secret: while a secret is replaced, receivers accept either.
 * `at`: time of this delivery in seconds since 1970; receivers reject events older than a few minutes.
 */
export function signatureHeaders(
  id: string,
  at: number,
  body: string,
  secrets: readonly Secret<Buffer>[],
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const sign = (secret: Secret<Buffer>): string =>
    `v1,${createHmac('sha256', secret.reveal()).update(`${id}.${at}.${body}`).digest('base64')}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': secrets.map(sign).join(' '),
  };
}
