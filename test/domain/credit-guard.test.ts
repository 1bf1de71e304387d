/** The guard of credits: denies unless all conditions hold. Tests each condition alone, and all against an independent oracle. */
import { isCardDestination } from '../../domain/refund/destination.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  APPROVAL_REASONS,
  CREDIT_BLOCKS,
  mayCredit,
  type ApprovalReason,
  type CreditBlock,
  type CreditEvidence,
} from '../../domain/refund/credit-guard.js';
import { DEFAULT_POLICY, type Policy } from '../../domain/refund/config.js';
import { DECLINE_CLASSES } from '../../domain/decline-class.js';
import { runs } from '../support/chance.js';
import { authorized, original, REGISTRATION, returned } from './fixture-original.js';

const POLICY: Policy = { ...DEFAULT_POLICY, creditApprovalAbove: { EUR: '10000' } };

const NOTHING = { payment: 0n, destination: 0n, requester: 0n, entity: 0n };

/** Evidence with which all conditions hold. */
function evidence(change: Partial<CreditEvidence> = {}): CreditEvidence {
  return {
    amountMinor: 10_000n,
    currency: 'EUR',
    isPartial: false,
    refusal: 'not_linkable',
    openAttempts: 0,
    ownReturns: [],
    knownReturns: [],
    creditedMinor: 0n,
    paidBackMinor: 0n,
    disputedMinor: 0n,
    original: original(),
    destination: { registrationId: REGISTRATION },
    destinationChanged: false,
    recent: NOTHING,
    approved: false,
    policy: POLICY,
    ...change,
  };
}

describe('a credit for which all conditions hold', () => {
  it('is allowed', () => {
    expect(mayCredit(evidence())).toEqual({ kind: 'allowed' });
  });

  const own = returned({ id: '1'.repeat(32), amountMinor: 1_000n });
  const half = { amountMinor: 5_000n, isPartial: true };
  it.each<[CreditBlock, Partial<CreditEvidence>]>([
    ['credit_not_enabled', { policy: { ...POLICY, creditEnabled: false } }],
    ['no_decline', { refusal: null }],
    ['decline_leaves_doubt', { refusal: 'ambiguous' }],
    ['decline_leaves_doubt', { refusal: 'already_returned' }],
    ['decline_leaves_doubt', { refusal: 'partial_not_supported' }],
    ['policy_asks_operator', { refusal: 'refund_not_enabled' }],
    [
      'policy_asks_operator',
      {
        refusal: 'issuer_declined',
        policy: { ...POLICY, creditAfterIssuerDecline: 'operator' },
      },
    ],
    ['original_not_captured', { original: original({ state: 'pending' }) }],
    ['wrong_currency', { original: original({ currency: 'USD' }) }],
    [
      'refund_found',
      { ...half, ownReturns: [own.id], knownReturns: [own.id], original: original({ returns: [own] }) },
    ],
    [
      'refund_found',
      {
        ...half,
        ownReturns: [own.id],
        knownReturns: [own.id],
        original: original({ returns: [{ ...own, state: 'open' }] }),
      },
    ],
    ['unknown_return', { ...half, original: original({ returns: [own] }) }],
    ['unknown_return', { ...half, original: original({ returns: [{ ...own, state: 'open' }] }) }],
    ['reversed', { ...half, original: authorized(10_000n, { returns: [{ ...own, type: 'reversal' }] }) }],
    [
      'unclear',
      { original: original({ doubts: [{ gatewayId: 'r', why: 'reversal_of_reversal' }] }), approved: true },
    ],
    ['unclear', { original: original({ coversCaptures: false }) }],
    [
      'disputed',
      {
        original: original({
          disputes: [{ id: 'd', amountMinor: 1n, reversedMinor: 0n, state: 'succeeded' as const }],
        }),
      },
    ],
    ['disputed', { disputedMinor: 1n }],
    ['capture_alone', { original: original({ type: 'capture' }) }],
    ['over_captured', { amountMinor: 10_001n }],
    ['over_captured', { creditedMinor: 1n }],
    ['over_captured', { paidBackMinor: 1n }],
    ['over_captured', { knownReturns: [own.id], original: original({ returns: [own] }) }],
    ['no_destination', { destination: null }],
    ['decline_leaves_doubt', { refusal: 'card_unusable' }],
  ])('is denied by %s alone, also with an approval', (block, change) => {
    for (const approved of [false, true])
      expect(mayCredit(evidence({ ...change, approved }))).toEqual({ kind: 'denied', why: [block] });
  });

  it.each(
    DECLINE_CLASSES.filter(
      (refusal) =>
        ![
          'not_linkable',
          'unknown_to_acquirer',
          'issuer_declined',
          'not_settled_yet',
          'refund_not_enabled',
        ].includes(refusal),
    ),
  )('is denied after a decline of class %s, which leaves a doubt', (refusal) => {
    const verdict = mayCredit(evidence({ refusal }));
    expect(verdict).toEqual({ kind: 'denied', why: ['decline_leaves_doubt'] });
  });

  it('is denied if nothing was captured, however much was authorized', () => {
    const verdict = mayCredit(evidence({ original: authorized(0n), approved: true }));
    expect(verdict).toEqual({ kind: 'denied', why: ['original_not_captured', 'over_captured'] });
  });

  it('waits for another attempt whose outcome is open, also with an approval', () => {
    expect(mayCredit(evidence({ openAttempts: 1, approved: true }))).toEqual({ kind: 'wait' });
  });

  it('is not stopped by a reversed chargeback, nor by a refund that was already counted', () => {
    const disputes = [{ id: 'd', amountMinor: 10_000n, reversedMinor: 10_000n, state: 'succeeded' as const }];
    expect(mayCredit(evidence({ original: original({ disputes }) })).kind).toBe('allowed');
    const known = {
      ...half,
      amountMinor: 9_000n,
      knownReturns: [own.id],
      original: original({ returns: [own] }),
    };
    expect(mayCredit(evidence({ ...known, paidBackMinor: 1_000n })).kind).toBe('allowed');
  });
});

describe('a second approver', () => {
  it.each<[ApprovalReason, Partial<CreditEvidence>]>([
    ['above_limit', { policy: { ...POLICY, creditApprovalAbove: { EUR: '9999' } } }],
    ['no_limit_for_currency', { policy: { ...POLICY, creditApprovalAbove: { USD: '999999' } } }],
    ['above_limit_on_payment', { recent: { ...NOTHING, payment: 1n } }],
    ['above_limit_to_destination', { recent: { ...NOTHING, destination: 1n } }],
    ['above_limit_of_requester', { recent: { ...NOTHING, requester: 1n } }],
    ['above_limit_on_payment', { policy: { ...POLICY, creditLimitPerPayment: { EUR: '9999' } } }],
    ['above_limit_to_destination', { policy: { ...POLICY, creditLimitPerDestination: { EUR: '9999' } } }],
    ['above_limit_of_requester', { policy: { ...POLICY, creditLimitPerRequester: { EUR: '9999' } } }],
    ['above_limit_of_entity', { policy: { ...POLICY, creditLimitPerEntity: { EUR: '9999' } } }],
    [
      'above_limit_of_entity',
      { recent: { ...NOTHING, entity: 1n }, policy: { ...POLICY, creditLimitPerEntity: { EUR: '10000' } } },
    ],
    ['decline_needs_approval', { refusal: 'issuer_declined' }],
    ['decline_needs_approval', { refusal: 'not_settled_yet' }],
    ['decline_needs_approval', { refusal: 'unknown_to_acquirer' }],
    [
      'decline_needs_approval',
      {
        amountMinor: 5_000n,
        isPartial: true,
        refusal: 'partial_not_supported',
      },
    ],
    ['other_destination', { destination: { registrationId: 'b'.repeat(32) } }],
    ['other_destination', { original: original({ registrationId: null }) }],
  ])('has to approve: %s', (reason, change) => {
    expect(mayCredit(evidence(change))).toEqual({ kind: 'needs_approval', why: [reason] });
    expect(mayCredit(evidence({ ...change, approved: true }))).toEqual({ kind: 'allowed' });
  });
});

describe('a destination that an operator named', () => {
  const named = { destinationChanged: true, destination: { registrationId: 'b'.repeat(32) } };

  it('always needs a second approver, however small the amount', () => {
    const why = ['other_destination', 'destination_by_operator'];
    expect(mayCredit(evidence(named))).toEqual({ kind: 'needs_approval', why });
    const back = { destinationChanged: true };
    expect(mayCredit(evidence(back))).toEqual({ kind: 'needs_approval', why: ['destination_by_operator'] });
    expect(mayCredit(evidence({ ...named, approved: true }))).toEqual({ kind: 'allowed' });
  });

  it.each<Partial<CreditEvidence>>([
    { refusal: 'card_unusable' },
    {
      refusal: 'issuer_declined',
      policy: { ...POLICY, creditAfterIssuerDecline: 'operator' },
    },
    { refusal: 'refund_not_enabled' },
  ])('allows a credit where an operator has to decide, %#', (change) => {
    expect(mayCredit(evidence({ ...named, ...change })).kind).toBe('needs_approval');
  });

  it.each<Partial<CreditEvidence>>([
    { refusal: 'risk' },
    { refusal: 'already_returned' },
    { disputedMinor: 1n },
    { paidBackMinor: 1n },
  ])('proves nothing else, %#', (change) => {
    expect(mayCredit(evidence({ ...named, ...change, approved: true })).kind).toBe('denied');
  });
});

describe('a credit that was requested directly', () => {
  const direct = { askedFor: 'credit', refusal: null } as const;
  const linkedToNothing = { ...direct, original: null };

  it('against a payment needs no decline, and a second approver only where every credit does', () => {
    expect(mayCredit(evidence(direct))).toEqual({ kind: 'allowed' });
    const other = { ...direct, destination: { registrationId: 'b'.repeat(32) } };
    expect(mayCredit(evidence(other))).toEqual({ kind: 'needs_approval', why: ['other_destination'] });
    const dear = { ...direct, policy: { ...POLICY, creditApprovalAbove: { EUR: '9999' } } };
    expect(mayCredit(evidence(dear))).toEqual({ kind: 'needs_approval', why: ['above_limit'] });
  });

  it.each<[CreditBlock, Partial<CreditEvidence>]>([
    ['credit_not_enabled', { policy: { ...POLICY, creditEnabled: false } }],
    ['disputed', { disputedMinor: 1n }],
    ['over_captured', { paidBackMinor: 1n }],
    ['wrong_currency', { original: original({ currency: 'USD' }) }],
    [
      'unknown_return',
      { original: original({ returns: [returned({ id: '1'.repeat(32), amountMinor: 0n })] }) },
    ],
  ])('against a payment is denied by %s too', (block, change) => {
    for (const approved of [false, true])
      expect(mayCredit(evidence({ ...direct, ...change, approved }))).toEqual({
        kind: 'denied',
        why: [block],
      });
  });

  it('that is unlinked always needs a second approver, however small the amount', () => {
    const small = { ...linkedToNothing, amountMinor: 1n };
    expect(mayCredit(evidence(small))).toEqual({ kind: 'needs_approval', why: ['unlinked'] });
    expect(mayCredit(evidence({ ...small, approved: true }))).toEqual({ kind: 'allowed' });
    expect(mayCredit(evidence({ ...small, openAttempts: 1, approved: true }))).toEqual({ kind: 'wait' });
  });

  it.each<[CreditBlock, Partial<CreditEvidence>]>([
    ['credit_not_enabled', { policy: { ...POLICY, creditEnabled: false } }],
    ['no_destination', { destination: null }],
  ])('that is unlinked is denied by %s', (block, change) => {
    const verdict = mayCredit(evidence({ ...linkedToNothing, ...change, approved: true }));
    expect(verdict).toEqual({ kind: 'denied', why: [block] });
  });

  it('that is unlinked is the only one that may be checked without a payment', () => {
    const verdict = mayCredit(evidence({ original: null, approved: true }));
    expect(verdict).toEqual({ kind: 'denied', why: ['original_not_captured'] });
  });
});

describe('for any evidence', () => {
  const ids = ['1', '2', '3'].map((digit) => digit.repeat(32));
  /** Draws the good value nine times in ten: otherwise hardly any credit would be allowed, and little be proven. */
  const mostly = <T, U>(good: fc.Arbitrary<T>, other: fc.Arbitrary<U>) =>
    fc.oneof({ arbitrary: good, weight: 9 }, { arbitrary: other, weight: 1 });
  const none = fc.constant(0n);
  const minor = fc.bigInt(0n, 12_000n);
  const choice = mostly(fc.constant('approval' as const), fc.constant('operator' as const));
  const limit = mostly(
    fc.constant<Record<string, string>>({}),
    fc.constantFrom({ EUR: '3000' }, { EUR: '99999' }),
  );
  const drawn = fc.record({
    amountMinor: fc.bigInt(1n, 10_500n),
    currency: mostly(fc.constant('EUR'), fc.constant('USD')),
    isPartial: fc.boolean(),
    refusal: mostly(fc.constantFrom(...DECLINE_CLASSES.slice(0, 6), ...DECLINE_CLASSES), fc.constant(null)),
    openAttempts: mostly(fc.constant(0), fc.constant(1)),
    ownReturns: mostly(fc.constant([]), fc.subarray(ids)),
    knownReturns: mostly(fc.constant(ids), fc.subarray(ids)),
    creditedMinor: mostly(none, minor),
    paidBackMinor: mostly(none, minor),
    disputedMinor: mostly(none, fc.constant(1n)),
    askedFor: mostly(fc.constant(undefined), fc.constant('credit' as const)),
    original: fc
      .record({
        state: mostly(
          fc.constant('succeeded' as const),
          fc.constantFrom('pending' as const, 'rejected' as const),
        ),
        type: fc.constantFrom('debit' as const, 'preauthorization' as const),
        capturedMinor: mostly(fc.constant(10_000n), minor),
        registrationId: mostly(fc.constant(REGISTRATION), fc.constant(null)),
        returns: fc.array(
          fc.record({
            id: fc.constantFrom(...ids),
            type: mostly(fc.constant('refund' as const), fc.constant('reversal' as const)),
            amountMinor: fc.bigInt(0n, 2_000n),
            state: fc.constantFrom('succeeded' as const, 'open' as const),
          }),
          { maxLength: 2 },
        ),
        disputes: fc.array(
          fc.record({
            id: fc.constant('d'),
            amountMinor: minor,
            standing: mostly(fc.constant(0n), fc.constant(1n)),
            state: fc.constantFrom('succeeded' as const, 'open' as const),
          }),
          { maxLength: 1 },
        ),
        doubts: mostly(
          fc.constant([]),
          fc.constant([{ gatewayId: 'r', why: 'reversal_of_reversal' as const }]),
        ),
        coversCaptures: mostly(fc.constant(true), fc.constant(false)),
      })
      .map(({ returns, disputes, ...rest }) =>
        original({
          ...rest,
          returns: returns.map(returned),
          disputes: disputes.map(({ standing, amountMinor, ...dispute }) => ({
            ...dispute,
            amountMinor: amountMinor + standing,
            reversedMinor: amountMinor,
          })),
        }),
      ),
    isUnlinkedCredit: mostly(fc.constant(false), fc.constant(true)),
    destination: mostly(
      fc.record({ registrationId: mostly(fc.constant(REGISTRATION), fc.constant('b'.repeat(32))) }),
      fc.constant(null),
    ),
    destinationChanged: mostly(fc.constant(false), fc.constant(true)),
    recent: fc.record({
      payment: mostly(none, minor),
      destination: mostly(none, minor),
      requester: mostly(none, minor),
      entity: mostly(none, minor),
    }),
    approved: fc.boolean(),
    policy: fc.record({
      creditEnabled: mostly(fc.constant(true), fc.constant(false)),
      creditApprovalAbove: mostly(fc.constantFrom({ EUR: '5000' }, { EUR: '99999' }), fc.constant({})),
      creditLimitPerPayment: limit,
      creditLimitPerDestination: limit,
      creditLimitPerRequester: limit,
      creditLimitPerEntity: limit,
      creditAfterIssuerDecline: choice,
      creditWhenNeverSettled: choice,
      creditWhenPartialNotSupported: choice,
      creditWhenRefundNotEnabled: choice,
    }),
  });

  const any = drawn.map(({ isUnlinkedCredit, askedFor, original: facts, ...rest }) => ({
    ...rest,
    ...(askedFor === undefined ? {} : { askedFor }),
    original: isUnlinkedCredit ? null : facts,
  }));

  /** I3 from the other side: the conditions that must hold for every allowed credit. */
  function mustHold(fixture: CreditEvidence): boolean {
    const { original: facts, refusal, policy, amountMinor } = fixture;
    const direct = fixture.askedFor === 'credit';
    if (facts === null)
      return (
        direct &&
        policy.creditEnabled &&
        fixture.openAttempts === 0 &&
        fixture.destination !== null &&
        fixture.approved
      );
    const listed: readonly string[] = [
      'not_linkable',
      'unknown_to_acquirer',
      'issuer_declined',
      'not_settled_yet',
      'partial_not_supported',
      'refund_not_enabled',
      // The account that paid is closed: allowed only if an operator named another one.
      ...(fixture.destinationChanged ? ['card_unusable'] : []),
    ];
    const byPolicy = (choice: 'approval' | 'operator') => choice === 'approval' || fixture.destinationChanged;
    const allowedByPolicy =
      refusal === 'not_linkable' ||
      refusal === 'unknown_to_acquirer' ||
      (refusal === 'issuer_declined' && byPolicy(policy.creditAfterIssuerDecline)) ||
      (refusal === 'not_settled_yet' && byPolicy(policy.creditWhenNeverSettled)) ||
      (refusal === 'partial_not_supported' &&
        fixture.isPartial &&
        byPolicy(policy.creditWhenPartialNotSupported)) ||
      (refusal === 'refund_not_enabled' && byPolicy(policy.creditWhenRefundNotEnabled)) ||
      refusal === 'card_unusable';
    let back = fixture.creditedMinor;
    for (const entry of facts.returns) back += entry.amountMinor;
    let shown = 0n;
    for (const dispute of facts.disputes) shown += dispute.amountMinor - dispute.reversedMinor;
    const disputed = shown > fixture.disputedMinor ? shown : fixture.disputedMinor;
    const limit = policy.creditApprovalAbove[fixture.currency];
    const alone =
      disputed === 0n &&
      limit !== undefined &&
      amountMinor <= BigInt(limit) &&
      fixture.recent.payment + amountMinor <= BigInt(policy.creditLimitPerPayment?.['EUR'] ?? limit) &&
      fixture.recent.destination + amountMinor <=
        BigInt(policy.creditLimitPerDestination?.['EUR'] ?? limit) &&
      fixture.recent.requester + amountMinor <= BigInt(policy.creditLimitPerRequester?.['EUR'] ?? limit) &&
      (policy.creditLimitPerEntity?.['EUR'] === undefined ||
        fixture.recent.entity + amountMinor <= BigInt(policy.creditLimitPerEntity['EUR'])) &&
      (direct || refusal === 'not_linkable') &&
      !fixture.destinationChanged &&
      fixture.destination !== null &&
      !isCardDestination(fixture.destination) &&
      fixture.destination.registrationId === facts.registrationId;
    return (
      (direct || (refusal !== null && listed.includes(refusal) && allowedByPolicy)) &&
      policy.creditEnabled &&
      facts.state === 'succeeded' &&
      facts.capturedMinor > 0n &&
      facts.currency === fixture.currency &&
      fixture.openAttempts === 0 &&
      facts.returns.every((entry) => entry.type === 'refund' && fixture.knownReturns.includes(entry.id)) &&
      facts.returns.every((entry) => !fixture.ownReturns.includes(entry.id)) &&
      facts.doubts.length === 0 &&
      facts.coversCaptures &&
      back + amountMinor + disputed <= facts.capturedMinor &&
      fixture.paidBackMinor + amountMinor + disputed <= facts.capturedMinor &&
      fixture.destination !== null &&
      (fixture.approved || alone)
    );
  }

  it('allowed means that every condition holds, and the reverse', () => {
    let allowed = 0;
    fc.assert(
      fc.property(any, (fixture) => {
        const full: CreditEvidence = { ...fixture, policy: { ...DEFAULT_POLICY, ...fixture.policy } };
        const verdict = mayCredit(full).kind;
        if (verdict === 'allowed') allowed += 1;
        return (verdict === 'allowed') === mustHold(full);
      }),
      runs(10_000),
    );
    expect(allowed).toBeGreaterThan(runs(200).numRuns);
  });

  it('an approval only replaces the need for one', () => {
    fc.assert(
      fc.property(any, (fixture) => {
        const full = { ...fixture, policy: { ...DEFAULT_POLICY, ...fixture.policy } };
        const [without, having] = [false, true].map((approved) => mayCredit({ ...full, approved }));
        if (without?.kind === 'needs_approval') expect(having).toEqual({ kind: 'allowed' });
        else expect(having).toEqual(without);
      }),
      runs(1_000),
    );
  });
});

it('every block and every reason for an approval has a text of its own', () => {
  const texts = [...Object.values(CREDIT_BLOCKS), ...Object.values(APPROVAL_REASONS)];
  for (const sentence of texts) expect(sentence).toMatch(/^[a-z]+( [a-z]+){3,}/);
  expect(new Set(texts).size).toBe(25);
});
