/** State machine of a refund: the transitions that exist and those that do not, and that the page that draws them is up to date. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  afterTrigger,
  FINAL_STATES,
  isFinal,
  OPERATOR_STATES,
  PUBLIC_STATUS,
  REFUND_STATES,
  REFUND_TRANSITIONS,
  type RefundState,
  type RefundTrigger,
} from '../../domain/refund/states.js';
import { ATTEMPT_EVIDENCE, ATTEMPT_STATES, isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { STATES_PAGE, statesPage } from '../../tools/states-diagram.js';

/** Transitions, written by hand a second time: for each trigger its source states and its target. */
const MOVES: Readonly<Record<RefundTrigger, readonly [RefundState, string]>> = {
  reserve: ['reserved', 'requested'],
  submit: ['submitting', 'fallback_checking rejected reserved'],
  not_at_gateway: ['reserved', 'manual_review submitting unknown'],
  answer_unknown: ['unknown', 'reserved submitting'],
  answer_pending: ['pending', 'manual_review reserved submitting unknown'],
  answer_rejected: ['rejected', 'manual_review pending submitting unknown'],
  answer_succeeded: [
    'succeeded',
    'awaiting_approval canceled closed_by_dispute failed fallback_checking manual_review pending refunded_elsewhere rejected reserved returned submitting unknown',
  ],
  part_succeeded: ['reserved', 'manual_review pending rejected reserved returned submitting unknown'],
  part_after_end: ['manual_review', 'canceled closed_by_dispute failed refunded_elsewhere'],
  check_credit: ['fallback_checking', 'rejected reserved'],
  check_again: ['fallback_checking', 'manual_review'],
  need_approval: ['awaiting_approval', 'fallback_checking'],
  approve: ['fallback_checking', 'awaiting_approval'],
  try_again: ['reserved', 'rejected'],
  open_case: [
    'manual_review',
    'awaiting_approval fallback_checking pending rejected reserved returned submitting unknown',
  ],
  give_up: ['failed', 'awaiting_approval fallback_checking manual_review rejected'],
  dispute: ['closed_by_dispute', 'awaiting_approval fallback_checking manual_review rejected reserved'],
  refund_elsewhere: [
    'refunded_elsewhere',
    'awaiting_approval fallback_checking manual_review rejected reserved',
  ],
  rest_settled: ['succeeded', 'awaiting_approval fallback_checking manual_review rejected reserved'],
  withdraw: ['canceled', 'awaiting_approval fallback_checking manual_review rejected reserved'],
  settle: ['settled', 'succeeded'],
  answer_returned: ['returned', 'settled succeeded'],
  release_reduced: ['reserved', 'settled succeeded'],
  change_destination: ['fallback_checking', 'manual_review'],
  compare_again: ['rejected', 'manual_review'],
  replay: ['reserved', 'manual_review'],
  correct_succeeded: [
    'succeeded',
    'canceled closed_by_dispute failed manual_review pending refunded_elsewhere unknown',
  ],
  correct_failed: ['failed', 'manual_review pending unknown'],
};

describe('the states of a refund', () => {
  const cases = REFUND_TRANSITIONS.map(({ on }) => on).flatMap((on) =>
    REFUND_STATES.map((from) => [on, from] as const),
  );

  it.each(cases)('%s from %s', (on, from) => {
    const [to, sources] = MOVES[on];
    expect(afterTrigger(from, on)).toBe(sources.split(' ').includes(from) ? to : undefined);
  });

  it('has one row for each trigger, so that none can lead to two places', () => {
    const triggers = REFUND_TRANSITIONS.map(({ on }) => on);
    expect(new Set(triggers).size).toBe(triggers.length);
    expect([...triggers].sort()).toEqual(Object.keys(MOVES).sort());
  });

  it('never fails, cancels or closes an attempt that may have left, except by a signed correction', () => {
    for (const from of ['submitting', 'unknown', 'pending'] as const)
      for (const { on, to } of REFUND_TRANSITIONS)
        if (on !== 'correct_failed' && afterTrigger(from, on) !== undefined)
          expect(['failed', 'canceled', 'closed_by_dispute', 'refunded_elsewhere']).not.toContain(to);
  });

  it('leaves a final state only on evidence of the gateway, or on a signed correction', () => {
    const leaving = REFUND_TRANSITIONS.filter(({ from }) => from.some(isFinal)).map(({ on }) => on);
    expect([...leaving].sort()).toEqual([
      'answer_returned',
      'answer_succeeded',
      'correct_succeeded',
      'part_after_end',
      'release_reduced',
      'settle',
    ]);
  });

  it('reaches every state, and a final state from every state', () => {
    const reached = new Set<RefundState>(['requested']);
    for (let round = 0; round < REFUND_STATES.length; round += 1)
      for (const { from, to } of REFUND_TRANSITIONS)
        if (from.some((state) => reached.has(state))) reached.add(to);
    expect([...reached].sort()).toEqual([...REFUND_STATES].sort());
    const ends = new Set<RefundState>(FINAL_STATES);
    for (let round = 0; round < REFUND_STATES.length; round += 1)
      for (const { from, to } of REFUND_TRANSITIONS)
        if (ends.has(to)) for (const state of from) ends.add(state);
    expect([...ends].sort()).toEqual([...REFUND_STATES].sort());
  });

  it('include two that wait for an operator', () => {
    expect(OPERATOR_STATES).toEqual(['manual_review', 'awaiting_approval']);
  });

  it('have a public status that describes the money', () => {
    const reported = (status: string) => REFUND_STATES.filter((state) => PUBLIC_STATUS[state] === status);
    expect(reported('succeeded')).toEqual(['succeeded', 'settled']);
    expect(reported('failed')).toEqual(['failed']);
    expect(reported('canceled')).toEqual(['closed_by_dispute', 'refunded_elsewhere', 'canceled']);
    expect(reported('review')).toEqual(['manual_review']);
    expect(reported('pending')).toEqual(
      REFUND_STATES.filter((state) => !isFinal(state) && state !== 'manual_review'),
    );
  });

  it('are drawn on a page that is up to date', async () => {
    expect(readFileSync(STATES_PAGE, 'utf8')).toBe(await statesPage());
  });
});

describe('the states of an attempt', () => {
  it('change after their end only on a success or a return', () => {
    const taken = (state: (typeof ATTEMPT_STATES)[number]) =>
      Object.entries(ATTEMPT_EVIDENCE)
        .filter(([, states]) => states.includes(state))
        .map(([evidence]) => evidence)
        .sort();
    expect(taken('rejected')).toEqual(['succeeded']);
    expect(taken('succeeded')).toEqual(['returned']);
    expect(taken('returned')).toEqual(['succeeded']);
  });

  it('accept a success from every state in which money may have left or was thought not to have', () => {
    expect([...ATTEMPT_EVIDENCE.succeeded].sort()).toEqual(
      ATTEMPT_STATES.filter((state) => state !== 'succeeded').sort(),
    );
    expect(ATTEMPT_STATES.filter(isOpenAttempt)).toEqual(['submitting', 'unknown', 'pending']);
  });
});
