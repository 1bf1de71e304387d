/** Tests when an event is sent again, and when it is given up. */
import { describe, expect, it } from 'vitest';
import type { Posted } from '../../worker/events/post.js';
import { deliveryTimingsAt, settlementOf } from '../../worker/events/retries.js';

const TIMINGS = deliveryTimingsAt(1);
const HOUR = 3_600_000;
const answered = (status: number, retryAfter: number | null = null): Posted => ({
  kind: 'answered',
  status,
  retryAfter,
});
const after = (posted: Posted, tries: number, chance = 0.5, age = 0): number | string => {
  const settlement = settlementOf(posted, { tries, age }, TIMINGS, chance);
  return settlement.kind === 'again' ? settlement.after : settlement.kind;
};

describe('an event', () => {
  it.each([200, 202, 204, 299])('that is answered with %i is delivered', (status) => {
    expect(settlementOf(answered(status), { tries: 1, age: 0 }, TIMINGS, 0)).toEqual({
      kind: 'delivered',
      status,
    });
  });

  it.each([301, 307, 400, 404, 429, 500, 503])('that is answered with %i is sent again', (status) => {
    expect(settlementOf(answered(status), { tries: 1, age: 0 }, TIMINGS, 0.5)).toEqual({
      kind: 'again',
      after: 5_000,
      status,
      error: `http_${status}`,
    });
  });

  it('is retried after waits that triple, up to six hours', () => {
    const waits = [1, 2, 3, 4, 5, 8, 9, 60].map((tries) => after(answered(500), tries));
    expect(waits).toEqual([5_000, 15_000, 45_000, 135_000, 405_000, 10_935_000, 6 * HOUR, 6 * HOUR]);
  });

  it('waits up to a fifth shorter or longer, so that failed events are not retried all at once', () => {
    expect([0, 1].map((chance) => after(answered(500), 1, chance))).toEqual([4_000, 6_000]);
  });

  it('waits as long as the receiver requests, up to the longest wait', () => {
    expect(after(answered(429, 60_000), 1)).toBe(60_000);
    expect(after(answered(503, 1_000), 3)).toBe(45_000);
    expect(after(answered(429, 999_999_000), 1)).toBe(6 * HOUR);
  });

  it('is given up after three days, or at once if the receiver is gone', () => {
    expect(after({ kind: 'no_answer', error: 'timeout' }, 20, 0.5, 65 * HOUR)).toBe(6 * HOUR);
    expect(after({ kind: 'no_answer', error: 'timeout' }, 20, 0.5, 67 * HOUR)).toBe('dead');
    expect(after(answered(410), 1)).toBe('dead');
  });

  it('has the full time for an answer also if time is scaled', () => {
    const { answerWithin, lease } = deliveryTimingsAt(0.0002);
    expect(answerWithin).toBe(15_000);
    expect(lease).toBeGreaterThan(answerWithin);
  });
});
