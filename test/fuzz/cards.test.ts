/** Fuzzes card requests: each is read or refused with a reason, and no message repeats a digit of the card. */
import { expect, it } from 'vitest';
import { readCardRequest } from '../../domain/card/card-request.js';
import { cardRequest, showsCard } from './card-requests.js';
import { fuzz, holds, inTier } from './fuzz.js';

it('a card request is read, or refused without a digit of the card', async () => {
  const rules = { now: new Date('2026-11-30T00:00:00Z'), isLive: false };
  let read = 0;
  let refused = 0;
  await fuzz(inTier(200_000), (random) => {
    const body = cardRequest(random);
    const reading = readCardRequest(body, random.chance(0.5) ? rules : { ...rules, isLive: true });
    if (!reading.ok) {
      refused += 1;
      holds(reading.problems.length > 0, 'Refused without a reason.', body);
      holds(!showsCard(JSON.stringify(reading.problems)), 'A message repeats the card.', reading.problems);
      return;
    }
    read += 1;
    const { number, expiryMonth, expiryYear, cvv = '000' } = reading.value;
    holds(/^\d{12,19}$/.test(number), 'The number is no number.', body);
    holds(`${expiryYear}-${expiryMonth}` >= '2026-11', 'An expired card was read.', body);
    holds(/^\d{3,4}$/.test(cvv), 'The code is no code.', body);
  });
  console.log(`Fuzzed card requests: ${read + refused}, of which ${read} were read and ${refused} refused.`);
  expect(Math.min(read, refused)).toBeGreaterThan((read + refused) / 20);
}, 600_000);
