/** Default timings and policy of a refund, and that no time scale makes them too short to send. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, DEFAULT_TIMINGS, scaleTimings } from '../../domain/refund/config.js';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

describe('without settings', () => {
  it('a refund has these times', () => {
    expect(DEFAULT_TIMINGS).toEqual({
      sendWindow: 30 * SECOND,
      answerWithin: 100 * SECOND,
      queryFirst: 10 * SECOND,
      queryGrowth: 2,
      queryMax: HOUR,
      visibilityLag: 15 * MINUTE,
      notFoundNeeded: 3,
      notFoundSpacing: 5 * MINUTE,
      caseAfterUnknown: DAY,
      caseAfterPending: 14 * DAY,
      retryFirst: 10 * MINUTE,
      retryMax: DAY,
      issuerRetryAfter: DAY,
      resendFirst: 5 * SECOND,
    });
  });

  it('every credit needs a second approver, no operator corrects alone, and doubts go to operators', () => {
    expect(DEFAULT_POLICY).toEqual({
      creditEnabled: true,
      partialReversal: false,
      creditApprovalAbove: {},
      creditAfterIssuerDecline: 'approval',
      creditWhenNeverSettled: 'approval',
      creditWhenPartialNotSupported: 'approval',
      creditWhenRefundNotEnabled: 'operator',
      softRetries: 6,
      maxAttempts: 20,
      maxSubmissions: 30,
    });
  });
});

describe('scaled times', () => {
  it('are unchanged at one, and all longer at two; counts and growth stay', () => {
    expect(scaleTimings(DEFAULT_TIMINGS, 1)).toEqual(DEFAULT_TIMINGS);
    expect(scaleTimings(DEFAULT_TIMINGS, 2)).toEqual({
      sendWindow: MINUTE,
      answerWithin: 200 * SECOND,
      queryFirst: 20 * SECOND,
      queryGrowth: 2,
      queryMax: 2 * HOUR,
      visibilityLag: 30 * MINUTE,
      notFoundNeeded: 3,
      notFoundSpacing: 10 * MINUTE,
      caseAfterUnknown: 2 * DAY,
      caseAfterPending: 28 * DAY,
      retryFirst: 20 * MINUTE,
      retryMax: 2 * DAY,
      issuerRetryAfter: 2 * DAY,
      resendFirst: 10 * SECOND,
    });
  });

  it('leave time to send and to answer, at any small scale', () => {
    const hasty = scaleTimings(DEFAULT_TIMINGS, 0.000001);
    expect(hasty).toMatchObject({ sendWindow: 2 * SECOND, answerWithin: 5 * SECOND });
    expect(hasty).toMatchObject({ queryFirst: 50, resendFirst: 50, retryFirst: 50, visibilityLag: 1 });
  });

  it('are whole milliseconds', () => {
    expect(scaleTimings(DEFAULT_TIMINGS, 0.0010004).visibilityLag).toBe(900);
    expect(scaleTimings(DEFAULT_TIMINGS, 0.001).notFoundSpacing).toBe(300);
  });
});
