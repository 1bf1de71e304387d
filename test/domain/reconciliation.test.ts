/** Reconciliation after a decline that may mean "the customer already has the money": conclusions from the original's records. */
import { describe, expect, it } from 'vitest';
import {
  reconciliationOf,
  type ReconciliationResult,
  type ReconciliationEvidence,
} from '../../domain/payment/reconciliation.js';
import {
  END_REASONS,
  STAY_OPEN,
  CASE_REASONS,
  type GIVE_UP_REASONS,
  type SettledReason,
} from '../../domain/refund/reasons.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import type { DeclineClass } from '../../domain/decline-class.js';
import { NO_COVERAGE, type Coverage } from '../../domain/refund/settlement.js';
import type { Operation } from '../../domain/refund/operation.js';
import { authorized, original, ORIGINAL_ID, returned } from './fixture-original.js';

function reconciliation(change: Partial<ReconciliationEvidence>): ReconciliationResult {
  return reconciliationOf({
    remainingMinor: 10_000n,
    original: original(),
    ownReturns: [],
    ourReturns: [],
    knownReturns: [],
    paidMinor: 0n,
    paidReturns: [],
    releasedMinor: 0n,
    claimed: NO_COVERAGE,
    openAttempts: 0,
    hasOtherCapture: false,
    refused: declinedWith('ambiguous'),
    ...change,
  });
}

function declinedWith(
  refusal: DeclineClass,
  amountMinor = 10_000n,
  operation: Operation = 'refund',
): ReconciliationEvidence['refused'] {
  return { operation, class: refusal, amountMinor };
}

const gone = returned();
const disputes = [{ id: 'd', amountMinor: 10_000n, reversedMinor: 0n, state: 'succeeded' as const }];
const chargeback = (amountMinor: bigint): OriginalFacts['disputes'] => [
  { id: 'd', amountMinor, reversedMinor: 0n, state: 'succeeded' as const },
];
const covering = (elsewhereMinor: bigint, chargedBackMinor: bigint): Coverage => ({
  elsewhereMinor,
  chargedBackMinor,
});
const operator = (why: keyof typeof CASE_REASONS, covered = NO_COVERAGE): ReconciliationResult => ({
  kind: 'operator',
  why,
  covered,
});
const giveUp = (why: keyof typeof GIVE_UP_REASONS): ReconciliationResult => ({
  kind: 'give_up',
  why,
  covered: NO_COVERAGE,
});
const settled = (
  why: SettledReason,
  elsewhereMinor: bigint,
  chargedBackMinor = 0n,
): ReconciliationResult => ({
  kind: 'settled',
  why,
  covered: covering(elsewhereMinor, chargedBackMinor),
});
const tryAgain = (covered = NO_COVERAGE): ReconciliationResult => ({ kind: 'try_again', covered });

describe('a declined refund', () => {
  it.each<[string, Partial<ReconciliationEvidence>, ReconciliationResult]>([
    ['the records show nothing: an operator decides', {}, operator('decline_unclear')],
    [
      'the records show our own refund',
      { ownReturns: [gone.id], original: original({ returns: [gone] }) },
      { kind: 'ours' },
    ],
    [
      'the records show our own refund and a chargeback',
      { ownReturns: [gone.id], original: original({ returns: [gone], disputes }) },
      { kind: 'ours' },
    ],
    [
      'a chargeback of all of it stands',
      { original: original({ disputes }) },
      settled('charged_back', 0n, 10_000n),
    ],
    [
      'a chargeback stands, and something on the payment is in doubt',
      { original: original({ disputes, doubts: [{ gatewayId: 'r', why: 'reversal_of_reversal' }] }) },
      operator('payment_unclear'),
    ],
    [
      'a chargeback is pending, which proves nothing',
      {
        original: original({
          disputes: [{ id: 'd', amountMinor: 10_000n, reversedMinor: 0n, state: 'open' }],
        }),
      },
      operator('dispute_undecided'),
    ],
    [
      'the chargeback was reversed',
      {
        original: original({
          disputes: [{ id: 'd', amountMinor: 10_000n, reversedMinor: 10_000n, state: 'succeeded' as const }],
        }),
      },
      operator('decline_unclear'),
    ],
    [
      'no money was ever taken',
      { original: original({ state: 'rejected', captures: [], capturedMinor: 0n }) },
      giveUp('original_rejected'),
    ],
    [
      'all of it was reversed',
      { original: original({ returns: [{ ...gone, type: 'reversal' }] }) },
      settled('original_reversed', 10_000n),
    ],
    [
      'a part of it was reversed: the rest is still owed',
      { original: original({ returns: [{ ...gone, type: 'reversal', amountMinor: 1_000n }] }) },
      operator('refunded_elsewhere', covering(1_000n, 0n)),
    ],
    [
      'its reversal is not finished',
      { original: original({ returns: [{ ...gone, type: 'reversal', state: 'open' }] }) },
      operator('refunded_elsewhere'),
    ],
    [
      'the rest of its authorization was released, which returned nothing to the customer',
      {
        remainingMinor: 6_000n,
        original: authorized(6_000n, {
          returns: [{ ...gone, type: 'reversal', referencedId: ORIGINAL_ID, amountMinor: 4_000n }],
        }),
      },
      operator('decline_unclear'),
    ],
    [
      'all of its authorization was reversed after a part was captured: that part is still owed',
      {
        original: authorized(6_000n, { returns: [{ ...gone, type: 'reversal', referencedId: ORIGINAL_ID }] }),
      },
      operator('decline_unclear'),
    ],
    [
      'all of it was refunded elsewhere',
      { original: original({ returns: [gone] }) },
      settled('already_refunded', 10_000n),
    ],
    [
      'all of it is being refunded elsewhere',
      { original: original({ returns: [{ ...gone, state: 'open' }] }) },
      operator('refunded_elsewhere'),
    ],
    [
      'a part was refunded elsewhere',
      { original: original({ returns: [{ ...gone, amountMinor: 9_999n }] }) },
      operator('refunded_elsewhere', covering(9_999n, 0n)),
    ],
    [
      'less than is owed was refunded elsewhere, and credits took the rest',
      { paidMinor: 4_000n, original: original({ returns: [{ ...gone, amountMinor: 6_000n }] }) },
      operator('refunded_elsewhere', covering(6_000n, 0n)),
    ],
    [
      'the amount that is still owed was refunded elsewhere, and credits took the rest',
      {
        remainingMinor: 6_000n,
        paidMinor: 4_000n,
        original: original({ returns: [{ ...gone, amountMinor: 6_000n }] }),
      },
      settled('already_refunded', 6_000n),
    ],
    [
      'all of it was refunded before this refund was requested',
      { knownReturns: [gone.id], original: original({ returns: [gone] }) },
      settled('already_refunded', 10_000n),
    ],
    [
      'all of it was refunded by another refund of ours',
      { knownReturns: [gone.id], ourReturns: [gone.id], original: original({ returns: [gone] }) },
      operator('decline_unclear'),
    ],
    [
      'all of it was refunded without a reference while our attempt has no answer: it may be our attempt',
      { openAttempts: 1, original: original({ returns: [gone] }) },
      operator('refunded_elsewhere'),
    ],
    [
      'all of it was refunded under a foreign reference while our attempt has no answer',
      { openAttempts: 1, original: original({ returns: [{ ...gone, reference: 'TILL' }] }) },
      settled('already_refunded', 10_000n),
    ],
    [
      'half of it was refunded elsewhere, which another refund counts as its own',
      {
        remainingMinor: 5_000n,
        claimed: covering(5_000n, 0n),
        original: original({ returns: [{ ...gone, amountMinor: 5_000n }] }),
      },
      operator('decline_unclear'),
    ],
    [
      'all of it was refunded elsewhere in two parts, of which one is not finished',
      {
        original: original({
          returns: [
            { ...gone, id: '1'.repeat(32), amountMinor: 5_000n },
            { ...gone, id: '2'.repeat(32), amountMinor: 5_000n, state: 'open' },
          ],
        }),
      },
      operator('refunded_elsewhere', covering(5_000n, 0n)),
    ],
    [
      'as much as is requested was refunded elsewhere, and the same is still left',
      {
        remainingMinor: 5_000n,
        original: original({ returns: [{ ...gone, amountMinor: 5_000n }] }),
      },
      operator('refunded_elsewhere'),
    ],
    ['it is not captured after all', { original: authorized(0n) }, tryAgain()],
  ])('%s', (_name, change, expected) => {
    expect(reconciliation(change)).toEqual(expected);
  });
});

describe('a declined reversal', () => {
  it.each<[string, Partial<ReconciliationEvidence>, ReconciliationResult]>([
    ['it is captured: a refund', { original: authorized(10_000n) }, tryAgain()],
    ['a part of it is captured: a refund', { original: authorized(1n) }, tryAgain()],
    ['it is not captured', { original: authorized(0n) }, operator('not_captured')],
    [
      'a part of it is captured and all of that was refunded: the rest is released at the acquirer or not at all',
      {
        ourReturns: [gone.id],
        knownReturns: [gone.id],
        original: authorized(6_000n, { returns: [{ ...gone, amountMinor: 6_000n }] }),
      },
      operator('partial_reversal'),
    ],
    [
      'it was reversed',
      { original: authorized(0n, { returns: [{ ...gone, type: 'reversal' }] }) },
      settled('original_reversed', 10_000n),
    ],
    [
      'another refund reversed a part of it: this part is still owed',
      {
        remainingMinor: 4_000n,
        ourReturns: [gone.id],
        knownReturns: [gone.id],
        original: authorized(0n, { returns: [{ ...gone, type: 'reversal', amountMinor: 6_000n }] }),
      },
      operator('not_captured'),
    ],
  ])('%s', (_name, change, expected) => {
    expect(reconciliation({ refused: declinedWith('ambiguous', 10_000n, 'reversal'), ...change })).toEqual(
      expected,
    );
  });
});

it('a reversal that may be an open attempt of ours settles nothing', () => {
  const returns = [{ ...gone, type: 'reversal' as const, referencedId: ORIGINAL_ID }];
  expect(reconciliation({ openAttempts: 1, original: original({ returns }) })).toEqual(
    operator('refunded_elsewhere'),
  );
});

describe('another capture that has something left', () => {
  it.each<[string, Partial<ReconciliationEvidence>, ReconciliationResult]>([
    ['takes it', {}, tryAgain()],
    ['takes it beside a chargeback', { original: original({ disputes: chargeback(6_000n) }) }, tryAgain()],
    [
      'is not used if the decline is not about the capture',
      { refused: declinedWith('repaid_by_bank') },
      operator('repaid_by_bank'),
    ],
    ['is not used without a decline', { refused: null }, operator('decline_unclear')],
    [
      'is not used if money was refunded elsewhere since',
      { original: original({ returns: [{ ...gone, amountMinor: 6_000n }] }) },
      operator('refunded_elsewhere'),
    ],
  ])('%s', (_name, change, expected) => {
    expect(reconciliation({ remainingMinor: 4_000n, hasOtherCapture: true, ...change })).toEqual(expected);
  });
});

describe('a chargeback of a part', () => {
  it.each<[string, Partial<ReconciliationEvidence>, ReconciliationResult]>([
    [
      'that leaves enough for the whole refund settles nothing',
      { remainingMinor: 5_000n, original: original({ disputes: chargeback(2_000n) }) },
      operator('partly_disputed'),
    ],
    [
      'that leaves exactly enough settles nothing',
      { remainingMinor: 8_000n, original: original({ disputes: chargeback(2_000n) }) },
      operator('partly_disputed'),
    ],
    [
      'that leaves enough for a part: that part is refunded',
      { original: original({ disputes: chargeback(2_000n) }) },
      tryAgain(covering(0n, 2_000n)),
    ],
    [
      'after which the rest was declined too needs an operator',
      {
        remainingMinor: 8_000n,
        claimed: covering(0n, 2_000n),
        refused: declinedWith('disputed', 8_000n),
        original: original({ disputes: chargeback(2_000n) }),
      },
      operator('partly_disputed'),
    ],
    [
      'and a refund elsewhere of the rest settle it together',
      {
        original: original({
          returns: [{ ...gone, amountMinor: 7_000n }],
          disputes: chargeback(3_000n),
        }),
      },
      settled('already_refunded', 7_000n, 3_000n),
    ],
    [
      'that another refund counts as its own covers nothing of this one',
      {
        remainingMinor: 5_000n,
        claimed: covering(0n, 6_000n),
        original: original({ disputes: chargeback(6_000n) }),
      },
      operator('partly_disputed'),
    ],
    [
      'that another refund counts in part leaves the other part',
      {
        remainingMinor: 5_000n,
        claimed: covering(0n, 5_000n),
        original: original({ disputes: chargeback(10_000n) }),
      },
      settled('charged_back', 0n, 5_000n),
    ],
    [
      'beside what another refund of ours has paid covers the part that no longer fits',
      {
        remainingMinor: 5_000n,
        ourReturns: [gone.id],
        knownReturns: [gone.id],
        original: original({ returns: [{ ...gone, amountMinor: 5_000n }], disputes: chargeback(2_000n) }),
        refused: declinedWith('ambiguous', 5_000n),
      },
      tryAgain(covering(0n, 2_000n)),
    ],
    [
      'of more than the payment covers no more than is owed',
      { remainingMinor: 4_000n, original: original({ disputes: chargeback(25_000n) }) },
      settled('charged_back', 0n, 4_000n),
    ],
  ])('%s', (_name, change, expected) => {
    expect(reconciliation(change)).toEqual(expected);
  });
});

describe('a decline that says that nothing is owed, or that our data is wrong', () => {
  it.each<[string, Partial<ReconciliationEvidence>, ReconciliationResult]>([
    ['ends it if the gateway shows nothing', { refused: declinedWith('not_owed') }, giveUp('not_owed')],
    ['ends it with its reason', { refused: declinedWith('our_data_wrong') }, giveUp('our_data_wrong')],
    [
      'means that the customer has the money if all of it was refunded elsewhere',
      { refused: declinedWith('our_data_wrong'), original: original({ returns: [gone] }) },
      settled('already_refunded', 10_000n),
    ],
    [
      'needs an operator if the bank takes it back and the gateway does not show it',
      { refused: declinedWith('repaid_by_bank') },
      operator('repaid_by_bank'),
    ],
    [
      'means that the customer has the money if the bank took all of it back',
      { refused: declinedWith('repaid_by_bank'), original: original({ disputes }) },
      settled('charged_back', 0n, 10_000n),
    ],
  ])('%s', (_name, change, expected) => {
    expect(reconciliation(change)).toEqual(expected);
  });
});

it('every reason is a whole sentence for operators, with a safe next step', () => {
  for (const sentence of Object.values(END_REASONS)) expect(sentence.length).toBeGreaterThan(20);
  for (const { why, nextStep } of Object.values(CASE_REASONS)) {
    expect(why).toMatch(/^[A-Z].*\.$/);
    expect(nextStep).toMatch(/^[A-Z].*\.$/);
    expect(nextStep).not.toMatch(/send (it )?again/i);
  }
});

it('money that may be out twice stays a case in any final state of the refund', () => {
  expect(STAY_OPEN).toEqual([
    'paid_twice',
    'answers_contradict',
    'found_twice',
    'payment_unclear',
    'settlement_undone',
  ]);
});
