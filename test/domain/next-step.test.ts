/** The next step of a refund: a table for each decline, and the rules that hold for every snapshot. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AFTER_DECLINE,
  nextStep,
  type AttemptSnapshot,
  type RefundSnapshot,
  type Step,
  type UnreadPayment,
} from '../../domain/refund/next-step.js';
import { DEFAULT_POLICY, DEFAULT_TIMINGS, type RefundConfig } from '../../domain/refund/config.js';
import { DECLINE_CLASSES, type DeclineClass } from '../../domain/decline-class.js';
import { afterTrigger, isFinal, REFUND_STATES } from '../../domain/refund/states.js';
import { ATTEMPT_STATES, isOpenAttempt } from '../../domain/refund/attempt-states.js';
import type { Operation } from '../../domain/refund/operation.js';
import { runs } from '../support/chance.js';

const CONFIG: RefundConfig = { timings: DEFAULT_TIMINGS, policy: DEFAULT_POLICY };
const MINUTE = 60_000;

function at(
  change: Partial<Omit<RefundSnapshot, 'attempt'>> & { readonly attempt?: Partial<AttemptSnapshot> | null },
): RefundSnapshot {
  const { attempt, ...rest } = change;
  return {
    refundId: 'r',
    version: 1,
    state: 'reserved',
    sinceMs: 0,
    attempts: attempt === undefined || attempt === null ? 0 : 1,
    declines: {},
    why: null,
    settled: {
      amount: '100.00',
      currency: 'EUR',
      settledBy: null,
      settledAmount: '0.00',
      settlements: [],
    },
    ...rest,
    attempt:
      attempt === undefined || attempt === null
        ? null
        : {
            attemptId: 'a',
            operation: 'refund',
            state: 'rejected',
            class: null,
            submissions: 1,
            queries: 0,
            ageMs: 0,
            sinceQueryMs: null,
            ...attempt,
          },
  };
}

const declinedWith = (operation: Operation, declineClass: DeclineClass, times = 1): RefundSnapshot =>
  at({
    state: 'rejected',
    attempt: { operation, class: declineClass },
    attempts: times,
    declines: { [declineClass]: times },
  });

/** Expected steps as text (`submit 10m`, `credit`, `reconcile`, `open_case why`, `fail why`): the first, and after the last repetition. */
const LINKED: Readonly<Record<DeclineClass, readonly [first: string, last: string]>> = {
  not_linkable: ['credit', 'credit'],
  unknown_to_acquirer: ['credit', 'credit'],
  issuer_declined: ['submit 1440m', 'credit'],
  not_settled_yet: ['submit 10m', 'credit'],
  partial_not_supported: ['credit', 'credit'],
  refund_not_enabled: ['credit', 'credit'],
  credit_not_enabled: ['open_case other_operation', 'open_case other_operation'],
  ambiguous: ['reconcile', 'reconcile'],
  already_returned: ['reconcile', 'reconcile'],
  disputed: ['reconcile', 'reconcile'],
  repaid_by_bank: ['reconcile', 'reconcile'],
  not_captured: ['reconcile', 'reconcile'],
  not_owed: ['reconcile', 'reconcile'],
  our_data_wrong: ['reconcile', 'reconcile'],
  configuration: ['open_case configuration', 'open_case configuration'],
  wait: ['submit 10m', 'open_case declined_too_often'],
  reversal_too_late: ['reconcile', 'reconcile'],
  card_unusable: ['open_case card_unusable', 'open_case card_unusable'],
  risk: ['open_case risk', 'open_case risk'],
  other_operation: ['open_case other_operation', 'open_case other_operation'],
  unlisted: ['open_case unlisted_decline', 'open_case unlisted_decline'],
};

/** Only a decline by the customer's bank or card ends the refund. */
const CREDIT: Readonly<Record<DeclineClass, string>> = {
  issuer_declined: 'fail credit_declined',
  card_unusable: 'fail credit_declined',
  configuration: 'open_case configuration',
  our_data_wrong: 'open_case configuration',
  credit_not_enabled: 'open_case credit_not_enabled',
  refund_not_enabled: 'open_case credit_not_enabled',
  wait: 'open_case declined_too_often',
  risk: 'open_case risk',
  ambiguous: 'open_case unlisted_decline',
  unlisted: 'open_case unlisted_decline',
  not_linkable: 'open_case other_operation',
  unknown_to_acquirer: 'open_case other_operation',
  not_settled_yet: 'open_case other_operation',
  partial_not_supported: 'open_case other_operation',
  already_returned: 'open_case other_operation',
  disputed: 'open_case other_operation',
  repaid_by_bank: 'open_case other_operation',
  not_captured: 'open_case other_operation',
  not_owed: 'open_case other_operation',
  reversal_too_late: 'open_case other_operation',
  other_operation: 'open_case other_operation',
};

function describeStep(step: Step): string {
  switch (step.kind) {
    case 'submit':
      return `submit ${step.after / MINUTE}m`;
    case 'open_case':
    case 'fail':
      return `${step.kind} ${step.why}`;
    case 'credit':
    case 'query_outcome':
    case 'finish':
    case 'reconcile':
    case 'query_payment':
    case 'wait_for_operator':
      return step.kind;
    default:
      return step satisfies never;
  }
}

describe('after a decline', () => {
  it.each(DECLINE_CLASSES)('%s: a refund', (declineClass) => {
    expect(describeStep(nextStep(declinedWith('refund', declineClass), CONFIG))).toBe(
      LINKED[declineClass][0],
    );
    const last = CONFIG.policy.softRetries + 1;
    expect(describeStep(nextStep(declinedWith('refund', declineClass, last), CONFIG))).toBe(
      LINKED[declineClass][1],
    );
    expect(Object.keys(AFTER_DECLINE)).toContain(declineClass);
  });

  it.each(DECLINE_CLASSES)(
    '%s: a reversal never leads to a credit, as nothing was captured',
    (declineClass) => {
      const asRefund = LINKED[declineClass];
      const expected = asRefund.map((texts) => (texts === 'credit' ? 'reconcile' : texts));
      expect(describeStep(nextStep(declinedWith('reversal', declineClass), CONFIG))).toBe(expected[0]);
      expect(describeStep(nextStep(declinedWith('reversal', declineClass, 7), CONFIG))).toBe(expected[1]);
    },
  );

  it.each(DECLINE_CLASSES)('%s: a credit is never sent again', (declineClass) => {
    for (const times of [1, 2, 7])
      expect(describeStep(nextStep(declinedWith('credit', declineClass, times), CONFIG))).toBe(
        CREDIT[declineClass],
      );
  });

  it('waits twice as long each time, up to the limit of the config', () => {
    const waits = [1, 2, 3, 4, 5, 6].map((times) =>
      describeStep(nextStep(declinedWith('refund', 'wait', times), CONFIG)),
    );
    expect(waits).toEqual([
      'submit 10m',
      'submit 20m',
      'submit 40m',
      'submit 80m',
      'submit 160m',
      'submit 320m',
    ]);
    const impatient = { ...CONFIG, timings: { ...CONFIG.timings, retryMax: 15 * MINUTE } };
    expect(describeStep(nextStep(declinedWith('refund', 'wait', 5), impatient))).toBe('submit 15m');
  });

  it('of an unknown class waits for an operator', () => {
    const snapshot = at({ state: 'rejected', attempt: { class: null } });
    expect(describeStep(nextStep(snapshot, CONFIG))).toBe('open_case unlisted_decline');
  });

  it('leads to an operator if declines alternate without end', () => {
    const snapshot = { ...declinedWith('refund', 'wait', 2), attempts: CONFIG.policy.maxAttempts };
    expect(describeStep(nextStep(snapshot, CONFIG))).toBe('open_case declined_too_often');
  });
});

describe('while the outcome is open', () => {
  it('queries after growing intervals, up to an hour', () => {
    const after = (queries: number) => {
      const step = nextStep(at({ state: 'unknown', attempt: { state: 'unknown', queries } }), CONFIG);
      return step.kind === 'query_outcome' ? step.after / 1_000 : undefined;
    };
    expect([0, 1, 2, 3].map(after)).toEqual([10, 20, 40, 80]);
    expect([9, 100, 2_000].map(after)).toEqual([3_600, 3_600, 3_600]);
  });

  it.each([
    ['unknown', 'caseAfterUnknown', 'open_case outcome_unknown'],
    ['pending', 'caseAfterPending', 'open_case pending_too_long'],
  ] as const)(
    'opens a case for an attempt that is %s too long, and keeps querying',
    (state, budget, texts) => {
      const attempt = { state, ageMs: CONFIG.timings[budget] };
      expect(describeStep(nextStep(at({ state, attempt }), CONFIG))).toBe('query_outcome');
      const late = { ...attempt, ageMs: attempt.ageMs + 1 };
      expect(describeStep(nextStep(at({ state, attempt: late }), CONFIG))).toBe(texts);
      expect(describeStep(nextStep(at({ state: 'manual_review', attempt: late }), CONFIG))).toBe(
        'query_outcome',
      );
    },
  );
});

describe('an attempt that was never sent', () => {
  it.each([
    ['refund', 'submit'],
    ['reversal', 'submit'],
    ['credit', 'credit'],
  ] as const)('a %s is sent again as the same operation', (operation, kind) => {
    expect(nextStep(at({ attempt: { operation, state: 'absent' } }), CONFIG)).toEqual({
      kind,
      after: CONFIG.timings.resendFirst,
    });
  });

  it('becomes a case if the gateway cannot be reached for long', () => {
    const snapshot = at({ attempt: { state: 'absent', submissions: CONFIG.policy.maxSubmissions } });
    expect(describeStep(nextStep(snapshot, CONFIG))).toBe('open_case cannot_be_sent');
  });
});

describe('the other states', () => {
  it.each([
    [at({}), 'submit 0m'],
    [at({ state: 'requested' }), 'submit 0m'],
    [at({ attempt: { state: 'succeeded' } }), 'submit 0m'],
    [at({ attempt: { state: 'succeeded' }, attempts: 20 }), 'open_case declined_too_often'],
    [at({ state: 'fallback_checking', attempt: {} }), 'credit'],
    [
      at({ state: 'fallback_checking', sinceMs: 25 * 60 * MINUTE, why: 'other_attempt_open', attempt: {} }),
      'open_case credit_blocked',
    ],
    [at({ state: 'fallback_checking', sinceMs: 25 * 60 * MINUTE, attempt: {} }), 'credit'],
    [at({ state: 'awaiting_approval', attempt: {} }), 'wait_for_operator'],
    [at({ state: 'manual_review', attempt: {} }), 'wait_for_operator'],
    [at({ state: 'returned', attempt: { state: 'returned' } }), 'open_case returned'],
    [at({ state: 'rejected' }), 'open_case answers_contradict'],
    [at({ state: 'submitting', attempt: {} }), 'open_case answers_contradict'],
    [at({ state: 'unknown' }), 'open_case answers_contradict'],
    [at({ state: 'pending', attempt: { state: 'absent' } }), 'open_case answers_contradict'],
  ])('%#: %o', (snapshot, texts) => {
    expect(describeStep(nextStep(snapshot, CONFIG))).toBe(texts);
  });

  it('a credit that waits for another attempt is checked again after a while, a credit just approved at once', () => {
    const waiting = at({ state: 'fallback_checking', why: 'other_attempt_open', attempt: {} });
    expect(nextStep(waiting, CONFIG)).toEqual({ kind: 'credit', after: CONFIG.timings.queryFirst });
    expect(nextStep({ ...waiting, why: null }, CONFIG)).toEqual({ kind: 'credit', after: 0 });
  });

  it('a credit that waits for another attempt queries at growing intervals, never longer than those of an open attempt', () => {
    const { queryMax } = CONFIG.timings;
    const waitAfter = (sinceMs: number) =>
      nextStep(at({ state: 'fallback_checking', why: 'other_attempt_open', sinceMs, attempt: {} }), CONFIG);
    expect(waitAfter(640_000)).toEqual({ kind: 'credit', after: 640_000 });
    // A timer that fires a little early does not cause a second query.
    expect(waitAfter(639_990)).toEqual({ kind: 'credit', after: 640_010 });
    expect(waitAfter(23 * 60 * MINUTE)).toEqual({ kind: 'credit', after: queryMax });
  });
});

describe('while the payment cannot be read', () => {
  const { queryFirst, queryMax, caseAfterUnknown } = CONFIG.timings;
  const unread = (change: Partial<UnreadPayment> = {}): UnreadPayment => ({
    for: 'compare',
    sinceMs: 0,
    lastMs: 0,
    times: 1,
    ...change,
  });
  const compared = declinedWith('refund', 'ambiguous');
  const proven = at({ state: 'fallback_checking', attempt: {} });

  it.each([
    ['compared with a declined refund', compared, 'reconcile'],
    ['proven for a credit', proven, 'credit'],
    ['proven for a credit that was asked for', at({ askedFor: 'credit' }), 'credit'],
  ] as const)('it is %s again after growing intervals', (_what, snapshot, kind) => {
    const step = (times: number, lastMs = 0): Step =>
      nextStep({ ...snapshot, unread: unread({ times, lastMs }) }, CONFIG);
    expect(step(1)).toEqual({ kind, after: queryFirst });
    expect(step(3)).toEqual({ kind, after: 4 * queryFirst });
    expect(step(500)).toEqual({ kind, after: queryMax });
    // The time since the last step counts toward the wait.
    expect(step(3, 3 * queryFirst)).toEqual({ kind, after: queryFirst });
    expect(step(3, DEFAULT_TIMINGS.queryMax)).toEqual({ kind, after: 0 });
  });

  it.each([
    ['compared', compared],
    ['proven', proven],
  ] as const)('an operator is asked when the budget is spent: %s', (_what, snapshot) => {
    const late = (sinceMs: number): string =>
      describeStep(nextStep({ ...snapshot, unread: unread({ sinceMs }) }, CONFIG));
    expect(late(caseAfterUnknown)).not.toMatch(/^ask/);
    expect(late(caseAfterUnknown + 1)).toBe('open_case original_unreadable');
  });

  it('it is read in review too, if nothing else is the reason', () => {
    const review = at({ state: 'manual_review', why: 'original_unreadable', attempt: {} });
    const late = unread({ sinceMs: 99 * caseAfterUnknown, times: 40 });
    expect(nextStep({ ...review, unread: late }, CONFIG)).toEqual({ kind: 'query_payment', after: queryMax });
    expect(nextStep(review, CONFIG)).toEqual({ kind: 'wait_for_operator' });
    expect(nextStep({ ...review, why: 'configuration', unread: late }, CONFIG)).toEqual({
      kind: 'wait_for_operator',
    });
  });

  it('a step that needs no payment does not wait for it', () => {
    const absent = at({ attempt: { state: 'absent' }, unread: unread({ sinceMs: 99 * caseAfterUnknown }) });
    expect(describeStep(nextStep(absent, CONFIG))).toMatch(/^submit/);
  });
});

describe('a run that starts anew waits for the remaining time', () => {
  const { retryFirst, issuerRetryAfter, resendFirst, queryFirst } = CONFIG.timings;
  const after = (snapshot: RefundSnapshot): number => {
    const step = nextStep(snapshot, CONFIG);
    return 'after' in step ? step.after : -1;
  };
  const open = (
    change: Partial<AttemptSnapshot>,
    sinceMs = 0,
    state: RefundSnapshot['state'] = 'unknown',
  ): RefundSnapshot => at({ state, sinceMs, attempt: { state: 'unknown', ...change } });

  it.each([
    [
      'after a soft decline',
      { ...declinedWith('refund', 'wait'), sinceMs: 4 * MINUTE },
      retryFirst - 4 * MINUTE,
    ],
    ['after the second one', { ...declinedWith('refund', 'wait', 2), sinceMs: 19 * MINUTE }, MINUTE],
    [
      'after an issuer’s decline',
      { ...declinedWith('refund', 'issuer_declined'), sinceMs: 23 * 60 * MINUTE },
      issuerRetryAfter - 23 * 60 * MINUTE,
    ],
    ['and not at all after its end', { ...declinedWith('refund', 'wait'), sinceMs: 60 * MINUTE }, 0],
    [
      'before an unsent attempt is sent again',
      at({ sinceMs: 2_000, attempt: { state: 'absent' } }),
      resendFirst - 2_000,
    ],
    ['until the first query, since the answer was lost', open({ ageMs: 100_000 }, 4_000), queryFirst - 4_000],
    [
      'until the next query, since the last one',
      open({ queries: 3, sinceQueryMs: 30_000, ageMs: 200_000 }, 190_000),
      50_000,
    ],
    ['also in review', open({ queries: 3, sinceQueryMs: 30_000 }, 1_000, 'manual_review'), 50_000],
    [
      'before a credit that waits for others',
      at({ state: 'fallback_checking', why: 'other_attempt_open', sinceMs: 30_000, attempt: {} }),
      10_000,
    ],
  ] as const)('%s', (_, snapshot, left) => {
    expect(after(snapshot)).toBe(left);
  });

  it('however long it has waited already: both waits together equal one', () => {
    fc.assert(
      fc.property(fc.nat(600_000), fc.nat(600_000), (waited, more) => {
        const snapshot = { ...declinedWith('refund', 'wait'), sinceMs: waited };
        const whole = after(snapshot) + waited;
        expect(after({ ...snapshot, sinceMs: waited + more })).toBe(Math.max(0, whole - waited - more));
      }),
      runs(500),
    );
  });
});

describe('for any snapshot', () => {
  const snapshots = fc
    .record({
      state: fc.constantFrom(...REFUND_STATES),
      sinceMs: fc.nat(),
      attempts: fc.nat(25),
      why: fc.option(fc.oneof(fc.string(), fc.constant('original_unreadable'))),
      unread: fc.option(
        fc.record({
          for: fc.constantFrom<UnreadPayment['for']>('compare', 'credit'),
          sinceMs: fc.nat(),
          lastMs: fc.nat(),
          times: fc.nat(1_000),
        }),
      ),
      declines: fc.dictionary(fc.constantFrom(...DECLINE_CLASSES), fc.nat(30)),
      attempt: fc.option(
        fc.record({
          operation: fc.constantFrom<Operation>('refund', 'reversal', 'credit'),
          state: fc.constantFrom(...ATTEMPT_STATES),
          class: fc.option(fc.constantFrom(...DECLINE_CLASSES)),
          submissions: fc.nat(40),
          queries: fc.nat(10_000),
          ageMs: fc.nat(),
          sinceQueryMs: fc.option(fc.nat()),
        }),
      ),
    })
    .map(({ attempt, unread, ...rest }) =>
      at({
        ...rest,
        ...(attempt === null ? {} : { attempt }),
        ...(unread === null ? {} : { unread }),
        attempts: rest.attempts,
      }),
    );

  it('a final refund is finished, and no step after an open attempt moves or releases money', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const { kind } = nextStep(snapshot, CONFIG);
        if (isFinal(snapshot.state)) expect(kind).toBe('finish');
        else if (snapshot.attempt !== null && isOpenAttempt(snapshot.attempt.state))
          expect(['query_outcome', 'open_case']).toContain(kind);
        else expect(kind).not.toBe('finish');
      }),
      runs(2_000),
    );
  });

  it('the step is possible: the refund has such a transition, so no run repeats it forever', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        // No attempt exists if nothing is reserved.
        if (snapshot.state === 'requested' && (snapshot.attempt !== null || snapshot.attempts > 0)) return;
        const step = nextStep(snapshot, CONFIG);
        if (step.kind === 'open_case')
          expect(afterTrigger(snapshot.state, 'open_case')).toBe('manual_review');
        if (step.kind === 'fail') expect(afterTrigger(snapshot.state, 'give_up')).toBe('failed');
        if (step.kind === 'reconcile') expect(snapshot.state).toBe('rejected');
        if ('after' in step) expect(step.after).toBeGreaterThanOrEqual(0);
        if ('after' in step) expect(step.after).toBeLessThanOrEqual(24 * 60 * MINUTE);
      }),
      runs(2_000),
    );
  });

  it('no step after a declined credit sends money', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        if (snapshot.state !== 'rejected' || snapshot.attempt?.operation !== 'credit') return;
        if (isOpenAttempt(snapshot.attempt.state)) return;
        expect(['open_case', 'fail']).toContain(nextStep(snapshot, CONFIG).kind);
      }),
      runs(2_000),
    );
  });
});
