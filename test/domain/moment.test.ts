/** Times of day and dates as operators type them. */
import { describe, expect, it } from 'vitest';
import { momentOf } from '../../client/cli/time-option.js';

const at = (day: number, hour: number, minute: number): Date => new Date(2026, 10, day, hour, minute);

describe('a time of day', () => {
  it.each([
    ['10:00', at(29, 23, 30), at(29, 10, 0)],
    ['9:05', at(29, 9, 5), at(29, 9, 5)],
    // Half past midnight an operator means the evening before.
    ['23:00', at(30, 0, 30), at(29, 23, 0)],
    ['00:00', at(30, 0, 30), at(30, 0, 0)],
  ])('%s is the last such time', (text, now, moment) => {
    expect(momentOf(text, now)).toEqual(moment);
  });

  it('may also be a date with or without a time', () => {
    expect(momentOf('2026-11-29T10:00Z')).toEqual(new Date(Date.UTC(2026, 10, 29, 10)));
    expect(momentOf('2026-11-29T10:00+02:00')).toEqual(new Date(Date.UTC(2026, 10, 29, 8)));
    expect(momentOf('2026-11-29')).toBeDefined();
    for (const text of ['24:00', '10:60', '10', '1000', '7 days', 'May', '2026-13-01', 'yesterday', ''])
      expect(momentOf(text)).toBeUndefined();
  });
});
