/** Tests that signatures match the example of the specification, and that the receiver of the examples rejects wrong ones. */
import { describe, expect, it } from 'vitest';
import { Secret } from '../../domain/secret.js';
import { verify } from '../../examples/event-receiver/verify.js';
import { signatureHeaders } from '../../worker/events/signature.js';

/** From the documentation of the reference implementations of Standard Webhooks. */
const VECTOR = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  at: 1_614_265_330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const keyOf = (text: string) => new Secret(Buffer.from(text.replace('whsec_', ''), 'base64'));
const OTHER = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const AT = VECTOR.at * 1_000;
const headers = signatureHeaders(VECTOR.id, VECTOR.at, VECTOR.body, [keyOf(VECTOR.secret)]);

describe('a signature', () => {
  it('matches the example of the specification', () => {
    expect(headers).toEqual({
      'webhook-id': VECTOR.id,
      'webhook-timestamp': String(VECTOR.at),
      'webhook-signature': VECTOR.signature,
    });
  });

  it('is made with both secrets while one is replaced, and the receiver accepts either', () => {
    const both = signatureHeaders(VECTOR.id, VECTOR.at, VECTOR.body, [keyOf(OTHER), keyOf(VECTOR.secret)]);
    expect(both['webhook-signature'].split(' ')).toHaveLength(2);
    for (const secret of [OTHER, VECTOR.secret])
      expect(verify(both, VECTOR.body, secret, AT)).toEqual({ test: 2432232314 });
  });
});

describe('the receiver of the examples rejects', () => {
  it.each([
    ['another body', headers, `${VECTOR.body} `, VECTOR.secret, AT],
    ['another id', { ...headers, 'webhook-id': 'msg_other' }, VECTOR.body, VECTOR.secret, AT],
    ['another time', { ...headers, 'webhook-timestamp': '1614265331' }, VECTOR.body, VECTOR.secret, AT],
    ['another secret', headers, VECTOR.body, OTHER, AT],
    ['an old event', headers, VECTOR.body, VECTOR.secret, AT + 301_000],
    ['one from the future', headers, VECTOR.body, VECTOR.secret, AT - 301_000],
    ['no signature', { ...headers, 'webhook-signature': undefined }, VECTOR.body, VECTOR.secret, AT],
    [
      'a signature of another kind',
      { ...headers, 'webhook-signature': VECTOR.signature.replace('v1,', 'v1a,') },
      VECTOR.body,
      VECTOR.secret,
      AT,
    ],
  ])('%s', (_what, fixture, body, secret, now) => {
    expect(verify(headers, VECTOR.body, VECTOR.secret, AT)).toBeDefined();
    expect(() => verify(fixture, body, secret, now)).toThrow();
  });
});
