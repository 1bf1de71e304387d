/** Signatures as the Standard Webhooks specification has them (standardwebhooks.com): the receiver knows who spoke, and when. */
import { createHmac } from 'node:crypto';
import type { Secret } from '../../domain/secret.js';

/**
 * The three headers for `body`. One signature for each secret: while a secret is replaced, either is accepted.
 * `at`: seconds since 1970 of this try; receivers refuse what is older than a few minutes.
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
