/** Is this event from whom it says, and from now? With Node alone, as any receiver can do it. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface RefundEvent {
  /** The same however often it is sent: what was done for it once is not done again. */
  readonly id: string;
  readonly type: string;
  readonly createdAt: string;
  readonly data: {
    readonly state: string;
    readonly why: string | null;
    /** Of two events of one refund the larger number is the later fact. */
    readonly sequence: string;
    readonly refund: { readonly id: string; readonly status: string; readonly amount: string };
  };
}

/** Older or newer than this, it may be somebody's recording. */
const TOLERANCE_SECONDS = 5 * 60;

/**
 * `body` is the text as it came: parsed and written again it is another one. `secret` is `REFUNDS_EVENTS_SECRET`.
 * Throws where any part does not fit; then answer 400 and do nothing.
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
    throw new Error('not a signed event');
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1_000 - Number(timestamp)) > TOLERANCE_SECONDS)
    throw new Error('too old, or the clocks differ');
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  // Several while a secret is being replaced: one that fits is enough.
  const fits = signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
    return (
      signature.startsWith('v1,') && given.length === expected.length && timingSafeEqual(given, expected)
    );
  });
  if (!fits) throw new Error('the signature does not fit');
  return JSON.parse(body) as RefundEvent;
}
