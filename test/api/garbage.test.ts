/** Random requests get a 4xx with a reason, never a 5xx. */
import { afterAll, expect, it } from 'vitest';
import { fuzz, holds } from '../fuzz/fuzz.js';
import { ASKED, OTHER_TEXTS } from '../fuzz/fixture-bodies.js';
import { changed, edited, noise, written } from '../fuzz/mutations.js';
import { CARD } from '../fuzz/second-opinion.js';
import { startApi } from './harness.js';

const harness = await startApi({ worker: false });
afterAll(() => harness.close());

it('never answers a random request with an internal error', async () => {
  const { paymentId } = harness.stack.newPayment();
  // An id that does not exist, so that no valid command waits for a workflow.
  const id = '00000000-0000-7000-8000-000000000000';
  const key = await harness.newKey('fuzz', 'submit', 'read', 'operate', 'approve');
  const seen: Record<number, number> = {};
  await fuzz(600, async (random) => {
    const [verb, right] = random.pick([
      ['refunds', { ...ASKED.refunds, paymentId }],
      ['refunds', { ...ASKED.refunds, paymentId }],
      ['approve', ASKED.approve],
      ['reject', ASKED.reject],
      ['link', ASKED.link],
      ['correct', ASKED.correct],
      ['change-destination', ASKED['change-destination']],
    ] as const);
    let body: unknown = right;
    for (let times = random.between(0, 2); times > 0; times -= 1) body = changed(random, body, OTHER_TEXTS);
    const text = random.chance(0.1) ? noise(random) : written(random, body);
    const target = random.chance(0.1) ? edited(random, id).replace(/[^\w%-]/g, '') : id;
    const url = verb === 'refunds' ? '/v1/refunds' : `/v1/refunds/${target || 'x'}/${verb}`;
    const { statusCode, payload } = await harness.app.inject({
      method: 'POST',
      url,
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': random.chance(0.95)
          ? 'application/json'
          : random.pick(['text/plain', 'application/xml']),
        'idempotency-key': random.chance(0.9)
          ? `key-${random.between(1, 200)}`
          : random.pick(['', ' ', 'ü', 'x'.repeat(256)]),
      },
      payload: text,
    });
    seen[statusCode] = (seen[statusCode] ?? 0) + 1;
    holds(statusCode < 500, `Answered ${String(statusCode)}: ${payload}`, { url, text });
    holds(!CARD.test(payload), 'What may be a card is repeated.', { payload, text });
  });
  for (const status of [400, 415, 422]) expect([status, (seen[status] ?? 0) > 0]).toEqual([status, true]);
}, 600_000);
