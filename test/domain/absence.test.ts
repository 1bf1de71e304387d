/** When nothing found means that nothing is there. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { provesAbsence, type MissEvidence } from '../../domain/refund/absence.js';
import { DEFAULT_TIMINGS } from '../../domain/refund/plan.js';
import { runs } from '../support/chance.js';

const { visibilityLag, missSpacing, missesNeeded } = DEFAULT_TIMINGS;
const judge = (change: Partial<MissEvidence>) =>
  provesAbsence(
    { sinceSendByMs: visibilityLag + 1, sinceLastMissMs: null, misses: 0, originalFound: true, ...change },
    DEFAULT_TIMINGS,
  );

describe('a look-up that finds nothing', () => {
  it.each<[string, Partial<MissEvidence>, ReturnType<typeof judge>]>([
    ['counts when it is late enough', {}, 'counts'],
    ['does not count while a byte may still leave', { sinceSendByMs: -1 }, 'no_proof'],
    ['does not count within the lag, to the millisecond', { sinceSendByMs: visibilityLag }, 'no_proof'],
    ['does not count where the original is not found', { originalFound: false, misses: 99 }, 'no_proof'],
    ['does not count too soon after the last', { sinceLastMissMs: missSpacing - 1, misses: 99 }, 'no_proof'],
    ['counts again after the spacing', { sinceLastMissMs: missSpacing, misses: missesNeeded - 2 }, 'counts'],
    ['is the last that is needed', { sinceLastMissMs: missSpacing, misses: missesNeeded - 1 }, 'absent'],
  ])('%s', (_name, change, verdict) => {
    expect(judge(change)).toBe(verdict);
  });

  it('never proves absence by one alone, nor faster than lag and spacing allow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ wait: fc.nat(20 * 60_000), found: fc.boolean() }), { maxLength: 60 }),
        (looks) => {
          let sinceSendByMs = 0;
          let sinceLastMissMs: number | null = null;
          let misses = 0;
          for (const { wait, found } of looks) {
            sinceSendByMs += wait;
            if (sinceLastMissMs !== null) sinceLastMissMs += wait;
            const verdict = judge({ sinceSendByMs, sinceLastMissMs, misses, originalFound: found });
            if (verdict === 'absent')
              return misses >= 2 && sinceSendByMs >= visibilityLag + 2 * missSpacing && found;
            if (verdict === 'counts') [misses, sinceLastMissMs] = [misses + 1, 0];
          }
          return true;
        },
      ),
      runs(2_000),
    );
  });
});
