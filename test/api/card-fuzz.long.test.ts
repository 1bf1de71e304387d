/** Fuzzes `POST /v1/cards`: no request makes the API fail, and no answer and no log line has a digit of a card. */
import { afterAll, expect, it } from 'vitest';
import { cardRequest, showsCard } from '../fuzz/card-requests.js';
import { fuzz, holds } from '../fuzz/fuzz.js';
import { startApi } from './harness.js';

const harness = await startApi({ worker: false });
afterAll(() => harness.close());

it('a card request over HTTP is answered with 201 or a problem, without a digit of the card', async () => {
  const counts = new Map<number, number>();
  await fuzz(1_000, async (random) => {
    const { status, body } = await harness.call('POST', '/v1/cards', { body: cardRequest(random) ?? '' });
    counts.set(status, (counts.get(status) ?? 0) + 1);
    holds([201, 400, 413, 415, 422].includes(status), `The API answers with ${status}.`, body);
    // References, ids of requests and times are no card.
    const texts = JSON.stringify(body, (name, value: unknown) =>
      ['cardRef', 'last4', 'requestId', 'expiresAt', 'expires_at', 'instance'].includes(name)
        ? undefined
        : value,
    );
    holds(!showsCard(texts), 'An answer repeats the card.', body);
  });
  console.log(`Fuzzed card requests over HTTP: ${JSON.stringify(Object.fromEntries(counts))}`);
  expect(counts.get(201) ?? 0).toBeGreaterThan(20);
  const logged = harness.logged.filter((line) => /4929719847263519|5454545454545454|"cvv"/.test(line));
  expect(logged).toEqual([]);
});
