/** Operators' notes: when two names are one operator, and the objections to a correction. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  mayCorrectAlone,
  objectionTo,
  type CorrectionEvidence,
  type CorrectionRefusal,
} from '../../domain/refund/correction.js';
import { isSameOperator } from '../../domain/refund/operator-note.js';
import { REFUND_STATES } from '../../domain/refund/states.js';
import { ATTEMPT_STATES } from '../../domain/refund/attempt-states.js';

describe('two operator names', () => {
  it.each(['anna', ' anna', 'Anna ', 'ANNA'])('are one operator if one is written as %j', (name) => {
    expect(isSameOperator('anna', name)).toBe(true);
  });
  it('are two operators if they differ', () => {
    expect(isSameOperator('anna', 'anne')).toBe(false);
  });
});

describe('a correction', () => {
  const open: CorrectionEvidence = {
    outcome: 'failed',
    refund: 'manual_review',
    attempt: 'unknown',
    gateway: 'silent',
    sinceSendByMs: 1_001,
    visibilityLag: 1_000,
  };

  it.each<[CorrectionRefusal | undefined, Partial<CorrectionEvidence>]>([
    [undefined, {}],
    [undefined, { attempt: 'pending' }],
    [undefined, { gateway: 'unexplained' }],
    ['gateway_contradicts', { gateway: 'alive' }],
    ['gateway_unavailable', { gateway: 'unavailable' }],
    ['gateway_unavailable', { gateway: 'none' }],
    ['too_early', { sinceSendByMs: 1_000 }],
    ['too_early', { attempt: 'submitting' }],
    ['nothing_to_correct', { attempt: 'rejected' }],
    ['nothing_to_correct', { attempt: 'absent' }],
    ['nothing_to_correct', { attempt: 'succeeded' }],
  ])('that says it never paid: %s for %j', (objection, change) => {
    expect(objectionTo({ ...open, ...change })).toBe(objection);
  });

  it.each<[CorrectionRefusal | undefined, Partial<CorrectionEvidence>]>([
    [undefined, {}],
    [undefined, { gateway: 'unavailable' }],
    [undefined, { gateway: 'alive', attempt: 'pending' }],
    [undefined, { attempt: 'rejected' }],
    [undefined, { attempt: 'absent', refund: 'failed' }],
    ['too_early', { attempt: 'absent', refund: 'reserved' }],
    ['too_early', { attempt: 'rejected', refund: 'fallback_checking' }],
    ['too_early', { attempt: 'submitting' }],
    ['nothing_to_correct', { attempt: 'succeeded' }],
    // Returned, and paid after all: evidence from outside may say so.
    [undefined, { attempt: 'returned' }],
  ])('that says it paid: %s for %j', (objection, change) => {
    expect(objectionTo({ ...open, outcome: 'succeeded', ...change })).toBe(objection);
  });

  it('never says that money was not paid if the gateway shows it alive or cannot be queried', () => {
    fc.assert(
      fc.property(
        fc.record({
          outcome: fc.constant('failed' as const),
          refund: fc.constantFrom(...REFUND_STATES),
          attempt: fc.constantFrom(...ATTEMPT_STATES),
          gateway: fc.constantFrom('alive' as const, 'unavailable' as const, 'none' as const),
          sinceSendByMs: fc.integer(),
          visibilityLag: fc.nat(),
        }),
        (evidence) => objectionTo(evidence) !== undefined,
      ),
    );
  });

  it('may be made by one operator alone only up to a limit of its own currency', () => {
    expect(mayCorrectAlone(100n, 'EUR', { EUR: '100' })).toBe(true);
    expect(mayCorrectAlone(101n, 'EUR', { EUR: '100' })).toBe(false);
    expect(mayCorrectAlone(1n, 'USD', { EUR: '100' })).toBe(false);
    expect(mayCorrectAlone(1n, 'EUR', undefined)).toBe(false);
    expect(mayCorrectAlone(60n, 'EUR', { EUR: '100' }, 40n)).toBe(true);
    expect(mayCorrectAlone(60n, 'EUR', { EUR: '100' }, 41n)).toBe(false);
  });
});
