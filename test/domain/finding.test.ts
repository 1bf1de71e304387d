/** After a refusal that may mean "the customer already has it": what the original's records say, and what they do not. */
import { describe, expect, it } from 'vitest';
import {
  CASE_REASONS,
  GIVE_UP_REASONS,
  readFinding,
  STAY_OPEN,
  type Finding,
  type FindingEvidence,
} from '../../domain/finding.js';
import { authorised, original, ORIGINAL_ID, returned } from './given-original.js';

function finding(change: Partial<FindingEvidence>): Finding {
  return readFinding({
    remainingMinor: 10_000n,
    original: original(),
    ownReturns: [],
    knownReturns: [],
    creditedMinor: 0n,
    refusedWay: 'refund',
    ...change,
  });
}

const gone = returned();
const disputes = [{ id: 'd', amountMinor: 10_000n, reversedMinor: 0n, state: 'succeeded' as const }];
const person = (why: keyof typeof CASE_REASONS): Finding => ({ kind: 'person', why });
const giveUp = (why: keyof typeof GIVE_UP_REASONS): Finding => ({ kind: 'give_up', why });

describe('a refused refund', () => {
  it.each<[string, Partial<FindingEvidence>, Finding]>([
    ['nothing there: nobody can tell', {}, person('refusal_unclear')],
    [
      'our own is there',
      { ownReturns: [gone.id], original: original({ returns: [gone] }) },
      { kind: 'ours' },
    ],
    [
      'our own is there, and a chargeback',
      { ownReturns: [gone.id], original: original({ returns: [gone], disputes }) },
      { kind: 'ours' },
    ],
    ['a chargeback stands', { original: original({ disputes }) }, { kind: 'closed_by_dispute' }],
    [
      'a chargeback stands, and something on the payment is in doubt',
      { original: original({ disputes, doubts: [{ gatewayId: 'r', why: 'reversal_of_reversal' }] }) },
      { kind: 'person', why: 'payment_unclear' },
    ],
    [
      'a chargeback is pending: nothing is proven by it',
      {
        original: original({
          disputes: [{ id: 'd', amountMinor: 10_000n, reversedMinor: 0n, state: 'open' }],
        }),
      },
      { kind: 'person', why: 'refusal_unclear' },
    ],
    [
      'the chargeback was reversed',
      {
        original: original({
          disputes: [{ id: 'd', amountMinor: 10_000n, reversedMinor: 10_000n, state: 'succeeded' as const }],
        }),
      },
      person('refusal_unclear'),
    ],
    [
      'no money was ever taken',
      { original: original({ state: 'rejected', captures: [], capturedMinor: 0n }) },
      giveUp('original_rejected'),
    ],
    [
      'all of it was reversed',
      { original: original({ returns: [{ ...gone, type: 'RV' }] }) },
      giveUp('original_reversed'),
    ],
    [
      'a part of it was reversed: the rest is still owed',
      { original: original({ returns: [{ ...gone, type: 'RV', amountMinor: 1_000n }] }) },
      person('refunded_elsewhere'),
    ],
    [
      'its reversal is not finished',
      { original: original({ returns: [{ ...gone, type: 'RV', state: 'open' }] }) },
      person('refunded_elsewhere'),
    ],
    [
      'the rest of its authorisation was released: that gave the customer nothing back',
      {
        original: authorised(6_000n, {
          returns: [{ ...gone, type: 'RV', referencedId: ORIGINAL_ID, amountMinor: 4_000n }],
        }),
      },
      person('refusal_unclear'),
    ],
    [
      'all of its authorization was reversed after a part was captured: that part is still owed',
      { original: authorised(6_000n, { returns: [{ ...gone, type: 'RV', referencedId: ORIGINAL_ID }] }) },
      person('refusal_unclear'),
    ],
    [
      'somebody else refunded all of it',
      { original: original({ returns: [gone] }) },
      giveUp('already_refunded'),
    ],
    [
      'somebody else refunds all of it and has not finished',
      { original: original({ returns: [{ ...gone, state: 'open' }] }) },
      person('refunded_elsewhere'),
    ],
    [
      'somebody else refunded a part',
      { original: original({ returns: [{ ...gone, amountMinor: 9_999n }] }) },
      person('refunded_elsewhere'),
    ],
    [
      'somebody else refunded less than is owed, and credits took the rest',
      { creditedMinor: 4_000n, original: original({ returns: [{ ...gone, amountMinor: 6_000n }] }) },
      person('refunded_elsewhere'),
    ],
    [
      'somebody else refunded what is still owed, and credits took the rest',
      {
        remainingMinor: 6_000n,
        creditedMinor: 4_000n,
        original: original({ returns: [{ ...gone, amountMinor: 6_000n }] }),
      },
      giveUp('already_refunded'),
    ],
    [
      'all of it was refunded before this refund was asked for',
      { knownReturns: [gone.id], original: original({ returns: [gone] }) },
      person('refusal_unclear'),
    ],
    [
      'somebody else refunded all of it in two, of which one is not finished',
      {
        original: original({
          returns: [
            { ...gone, id: '1'.repeat(32), amountMinor: 5_000n },
            { ...gone, id: '2'.repeat(32), amountMinor: 5_000n, state: 'open' },
          ],
        }),
      },
      person('refunded_elsewhere'),
    ],
    [
      'somebody else refunded as much as is asked for, and the same is still left',
      {
        remainingMinor: 5_000n,
        original: original({ returns: [{ ...gone, amountMinor: 5_000n }] }),
      },
      person('refunded_elsewhere'),
    ],
    ['it is not captured after all', { original: authorised(0n) }, { kind: 'try_again' }],
  ])('%s', (_name, change, expected) => {
    expect(finding(change)).toEqual(expected);
  });
});

describe('a refused reversal', () => {
  it.each<[string, Partial<FindingEvidence>, Finding]>([
    ['it is captured: a refund', { original: authorised(10_000n) }, { kind: 'try_again' }],
    ['a part of it is captured: a refund', { original: authorised(1n) }, { kind: 'try_again' }],
    ['it is not captured', { original: authorised(0n) }, person('not_captured')],
    [
      'a part of it is captured and all of that was refunded: the rest is released at the acquirer or not at all',
      {
        knownReturns: [gone.id],
        original: authorised(6_000n, { returns: [{ ...gone, amountMinor: 6_000n }] }),
      },
      person('partial_reversal'),
    ],
    [
      'it was reversed',
      { original: authorised(0n, { returns: [{ ...gone, type: 'RV' }] }) },
      giveUp('original_reversed'),
    ],
    [
      'another refund reversed a part of it: this part is still owed',
      {
        knownReturns: [gone.id],
        original: authorised(0n, { returns: [{ ...gone, type: 'RV', amountMinor: 6_000n }] }),
      },
      person('not_captured'),
    ],
  ])('%s', (_name, change, expected) => {
    expect(finding({ refusedWay: 'reversal', ...change })).toEqual(expected);
  });
});

it('every reason is a whole sentence for people, with a safe next step', () => {
  for (const sentence of Object.values(GIVE_UP_REASONS)) expect(sentence.length).toBeGreaterThan(20);
  for (const { why, nextStep } of Object.values(CASE_REASONS)) {
    expect(why).toMatch(/^[A-Z].*\.$/);
    expect(nextStep).toMatch(/^[A-Z].*\.$/);
    expect(nextStep).not.toMatch(/send (it )?again/i);
  }
});

it('money that may be out twice stays a case whatever becomes of the refund', () => {
  expect(STAY_OPEN).toEqual(['paid_twice', 'answers_contradict', 'found_twice', 'payment_unclear']);
});
