/** Verifies the signature and the age of an event (Standard Webhooks), with Node's own modules only. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface RefundEvent {
  /** The same for each delivery of one event: skip an event whose id was handled before. */
  readonly id: string;
  readonly type: string;
  readonly createdAt: string;
  readonly data: {
    readonly state: string;
    readonly why: string | null;
    /** Increases with each event of a refund: the event with the larger number is the later one. */
    readonly sequence: string;
    readonly refund: { readonly id: string; readonly status: string; readonly amount: string };
  };
}

/** An event that is older or newer than this is rejected: it may be a replay by an attacker. */
const TOLERANCE_SECONDS = 5 * 60;

/**
 * Returns the event. `body` is the request's unchanged text: JSON that was parsed and written again has another signature.
 * `secret` is the value of `REFUNDS_EVENTS_SECRET`.
 * @throws if the event is not valid. Then answer 400 and do nothing.
 */
export function verify(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
  secret: string,
  now: number = Date.now(),
): RefundEvent {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string')
    throw new Error('the event has no signature headers');
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1_000 - Number(timestamp)) > TOLERANCE_SECONDS)
    throw new Error('the event is too old, or the clocks differ');
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  // There are several signatures while a secret is being replaced; one valid signature is enough.
  const isValid = signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
    return (
      signature.startsWith('v1,') && given.length === expected.length && timingSafeEqual(given, expected)
    );
  });
  if (!isValid) throw new Error('the signature is wrong');
  return JSON.parse(body) as RefundEvent;
}
