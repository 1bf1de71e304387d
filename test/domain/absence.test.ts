/** When a query without a result proves that the gateway has no transaction. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { provesAbsence, type NotFoundEvidence } from '../../domain/refund/absence.js';
import { DEFAULT_TIMINGS } from '../../domain/refund/config.js';
import { runs } from '../support/chance.js';

const { visibilityLag, notFoundSpacing, notFoundNeeded } = DEFAULT_TIMINGS;
const judge = (change: Partial<NotFoundEvidence>) =>
  provesAbsence(
    {
      sinceSendByMs: visibilityLag + 1,
      sinceLastNotFoundMs: null,
      notFoundCount: 0,
      originalFound: true,
      ...change,
    },
    DEFAULT_TIMINGS,
  );

describe('a query that finds nothing', () => {
  it.each<[string, Partial<NotFoundEvidence>, ReturnType<typeof judge>]>([
    ['counts when it is late enough', {}, 'counts'],
    ['does not count while a byte may still leave', { sinceSendByMs: -1 }, 'no_proof'],
    ['does not count within the lag, to the millisecond', { sinceSendByMs: visibilityLag }, 'no_proof'],
    ['does not count if the original is not found', { originalFound: false, notFoundCount: 99 }, 'no_proof'],
    [
      'does not count too soon after the last',
      { sinceLastNotFoundMs: notFoundSpacing - 1, notFoundCount: 99 },
      'no_proof',
    ],
    [
      'counts again after the spacing',
      { sinceLastNotFoundMs: notFoundSpacing, notFoundCount: notFoundNeeded - 2 },
      'counts',
    ],
    [
      'is the last one needed',
      { sinceLastNotFoundMs: notFoundSpacing, notFoundCount: notFoundNeeded - 1 },
      'absent',
    ],
  ])('%s', (_name, change, verdict) => {
    expect(judge(change)).toBe(verdict);
  });

  it('never proves absence with one query alone, nor faster than lag and spacing allow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ wait: fc.nat(20 * 60_000), found: fc.boolean() }), { maxLength: 60 }),
        (looks) => {
          let sinceSendByMs = 0;
          let sinceLastNotFoundMs: number | null = null;
          let notFoundCount = 0;
          for (const { wait, found } of looks) {
            sinceSendByMs += wait;
            if (sinceLastNotFoundMs !== null) sinceLastNotFoundMs += wait;
            const verdict = judge({
              sinceSendByMs,
              sinceLastNotFoundMs,
              notFoundCount,
              originalFound: found,
            });
            if (verdict === 'absent')
              return notFoundCount >= 2 && sinceSendByMs >= visibilityLag + 2 * notFoundSpacing && found;
            if (verdict === 'counts') [notFoundCount, sinceLastNotFoundMs] = [notFoundCount + 1, 0];
          }
          return true;
        },
      ),
      runs(2_000),
    );
  });
});
