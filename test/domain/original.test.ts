/** Originals as the gateway shows them: captured, returned and charged-back amounts, and records that cannot be read. */
import { describe, expect, it } from 'vitest';
import { chargedBackMinor, effectiveMinor } from '../../domain/payment/disputes.js';
import {
  takenByReturns,
  type OriginalFacts,
  type OriginalReading,
  type DoubtReason,
} from '../../domain/payment/original.js';
import type { OppwaTransaction } from '../../gateway/oppwa/transaction.js';
import { readOriginal } from '../support/as-oppwa.js';
import { authorized, OBSERVATION, original, ORIGINAL_ID, returned } from './fixture-original.js';

const DONE = '000.100.110';
const PENDING = '000.200.000';
const REFUSED = '800.100.152';
const id = (digit: string) => digit.repeat(32);

function transaction(change: Partial<OppwaTransaction> & { readonly code?: string }): OppwaTransaction {
  const { code = DONE, ...rest } = change;
  return { id: id('9'), result: { code, description: 'as recorded' }, ...rest };
}

const debit = (change: Partial<OppwaTransaction> & { readonly code?: string } = {}) =>
  transaction({ id: ORIGINAL_ID, paymentType: 'DB', amount: '100.00', currency: 'EUR', ...change });
const authorization = (change: Partial<OppwaTransaction> = {}) => debit({ paymentType: 'PA', ...change });
const capture = (
  digit: string,
  amount: string,
  change: Partial<OppwaTransaction> & { readonly code?: string } = {},
) =>
  transaction({
    id: id(digit),
    paymentType: 'CP',
    amount,
    currency: 'EUR',
    referencedId: ORIGINAL_ID,
    ...change,
  });

const read = (root: OppwaTransaction, ...linked: OppwaTransaction[]): OriginalReading =>
  readOriginal({ original: root, linked }, 'test', OBSERVATION);

function facts(root: OppwaTransaction, ...linked: OppwaTransaction[]): OriginalFacts {
  const reading = read(root, ...linked);
  if (reading.kind !== 'read') throw new Error(JSON.stringify(reading));
  return reading.facts;
}

describe('a debit', () => {
  it('is its own capture', () => {
    expect(facts(debit({ registrationId: id('a') }))).toEqual(original({ registrationId: id('a') }));
  });

  it('that is pending counts as captured, but not as done', () => {
    expect(facts(debit({ code: PENDING }))).toMatchObject({ state: 'pending', capturedMinor: 10_000n });
    expect(facts(debit({ code: '999.999.999' })).state).toBe('pending');
  });

  it('that was declined has taken nothing', () => {
    expect(facts(debit({ code: REFUSED }))).toMatchObject({
      state: 'rejected',
      captures: [],
      capturedMinor: 0n,
    });
  });

  it('of a test connector on a live host does not count as done', () => {
    const reading = readOriginal({ original: debit(), linked: [] }, 'live', OBSERVATION);
    expect(reading).toMatchObject({ kind: 'read', facts: { state: 'pending' } });
  });

  it('that refers to another transaction is still a debit', () => {
    expect(facts(debit({ referencedId: id('7') })).capturedMinor).toBe(10_000n);
  });

  it('of zero has nothing to refund', () => {
    expect(facts(debit({ amount: '0.00' }))).toMatchObject({ captures: [], capturedMinor: 0n });
  });

  it.each([
    ['100.00', 'JPY', 100n],
    ['1.23', 'KWD', 1_230n],
    ['92', 'EUR', 9_200n],
  ])('of %s %s is %s minor units', (amount, currency, minor) => {
    expect(facts(debit({ amount, currency })).capturedMinor).toBe(minor);
  });
});

describe('an authorization', () => {
  it('without captures has nothing captured', () => {
    expect(facts(authorization())).toMatchObject({
      type: 'preauthorization',
      authorizedMinor: 10_000n,
      captures: [],
      capturedMinor: 0n,
    });
  });

  it('has the sum of its completed captures', () => {
    expect(
      facts(
        authorization(),
        capture('1', '60.00'),
        capture('2', '30.50'),
        capture('3', '9.50', { code: PENDING }),
        capture('4', '9.50', { code: REFUSED }),
        capture('5', '0.00'),
      ),
    ).toMatchObject({
      captures: [
        { id: id('1'), amountMinor: 6_000n },
        { id: id('2'), amountMinor: 3_050n },
      ],
      capturedMinor: 9_050n,
    });
  });

  it('counts a capture once if it is listed twice', () => {
    expect(facts(authorization(), capture('1', '60.00'), capture('1', '60.00')).capturedMinor).toBe(6_000n);
    expect(
      facts(authorization(), capture('1', '60.00', { code: PENDING }), capture('1', '60.00')).capturedMinor,
    ).toBe(6_000n);
  });

  it('that is pending has authorized its amount', () => {
    expect(facts(authorization({ result: { code: PENDING, description: '' } }))).toMatchObject({
      state: 'pending',
      authorizedMinor: 10_000n,
    });
  });

  it('that was declined has authorized nothing', () => {
    expect(facts(authorization({ result: { code: REFUSED, description: '' } })).authorizedMinor).toBe(0n);
  });
});

describe('returned money', () => {
  const refund = (change: Partial<OppwaTransaction> & { readonly code?: string }) =>
    transaction({
      paymentType: 'RF',
      amount: '25.00',
      currency: 'EUR',
      referencedId: ORIGINAL_ID,
      ...change,
    });

  it.each([
    [DONE, 'succeeded'],
    [PENDING, 'open'],
    ['900.100.300', 'open'],
    ['999.999.999', 'open'],
  ] as const)('with code %s is %s', (code, state) => {
    expect(facts(debit(), refund({ code, merchantTransactionId: 'REF' })).returns).toEqual([
      {
        id: id('9'),
        type: 'refund',
        reference: 'REF',
        referencedId: ORIGINAL_ID,
        amountMinor: 2_500n,
        state,
      },
    ]);
  });

  it('that was declined is nothing, and does not hide the same transaction listed again as done', () => {
    expect(facts(debit(), refund({ code: REFUSED })).returns).toEqual([]);
    expect(facts(debit(), refund({ code: REFUSED }), refund({})).returns).toHaveLength(1);
  });

  it('without an amount, or in another currency, counts as the whole payment', () => {
    const { amount: _amount, ...bare } = refund({});
    expect(facts(debit(), bare).returns[0]?.amountMinor).toBe(10_000n);
    expect(facts(debit(), refund({ currency: 'USD' })).returns[0]?.amountMinor).toBe(10_000n);
  });

  it('counts once however often it is listed', () => {
    expect(facts(debit(), refund({}), refund({})).returns).toHaveLength(1);
  });

  it('by a reversal is distinguished from a refund', () => {
    expect(facts(authorization(), refund({ paymentType: 'RV', amount: '100.00' })).returns[0]).toMatchObject({
      type: 'reversal',
    });
  });

  it('takes nothing from the captured amount if it is a reversal of the authorization', () => {
    const release = returned({ type: 'reversal', referencedId: ORIGINAL_ID, amountMinor: 4_000n });
    const taken = (fixture: OriginalFacts) => takenByReturns(fixture).map(({ takenMinor }) => takenMinor);
    expect(taken(authorized(6_000n, { returns: [release] }))).toEqual([0n]);
    expect(taken(authorized(7_000n, { returns: [release] }))).toEqual([0n]);
    expect(taken(authorized(6_000n, { returns: [release, { ...release, id: id('1') }] }))).toEqual([0n, 0n]);
    // A reversal that names nothing may be of a capture.
    expect(taken(authorized(7_000n, { returns: [{ ...release, referencedId: null }] }))).toEqual([1_000n]);
    expect(taken(authorized(6_000n, { returns: [{ ...release, referencedId: id('c') }] }))).toEqual([4_000n]);
    expect(taken(authorized(0n, { returns: [release] }))).toEqual([4_000n]);
    expect(taken(authorized(6_000n, { returns: [{ ...release, type: 'refund' }] }))).toEqual([4_000n]);
    expect(taken(original({ returns: [release] }))).toEqual([4_000n]);
  });
});

describe('a chargeback', () => {
  const chargeback = (digit: string, change: Partial<OppwaTransaction> = {}) =>
    transaction({
      id: id(digit),
      paymentType: 'CB',
      amount: '100.00',
      currency: 'EUR',
      referencedId: ORIGINAL_ID,
      ...change,
    });
  const reversal = (
    digit: string,
    referencedId?: string,
    change: Partial<OppwaTransaction> & { readonly code?: string } = {},
  ) =>
    transaction({
      id: id(digit),
      paymentType: 'CR',
      amount: '100.00',
      currency: 'EUR',
      ...(referencedId === undefined ? {} : { referencedId }),
      ...change,
    });
  /** Returns the standing amount of each chargeback by its digit, and the doubts. */
  const shown = (...linked: OppwaTransaction[]) => {
    const { disputes, doubts } = facts(debit(), ...linked);
    return {
      standing: Object.fromEntries(disputes.map((one) => [one.id.charAt(0), effectiveMinor(one)])),
      doubts: doubts.map(({ why }) => why),
    };
  };
  const COUNTED = ['000.000.000', DONE, '000.100.203', '000.400.000'];
  const OPEN = [PENDING, '900.100.300', '999.999.999'];

  it.each([...COUNTED, '000.100.200'])('with code %s stands', (code) => {
    expect(facts(debit(), chargeback('1', { result: { code, description: '' } })).disputes).toEqual([
      {
        ...{ id: id('1'), amountMinor: 10_000n, reversedMinor: 0n, state: 'succeeded' },
        referencedId: ORIGINAL_ID,
      },
    ]);
  });

  it.each(OPEN)('with code %s counts as standing and proves nothing', (code) => {
    const { disputes } = facts(debit(), chargeback('1', { result: { code, description: '' } }));
    expect(disputes).toMatchObject([{ amountMinor: 10_000n, reversedMinor: 0n, state: 'open' }]);
    expect(chargedBackMinor(disputes)).toBe(0n);
  });

  it('that was declined took nothing, and is listed as declined', () => {
    const read = facts(debit(), chargeback('1', { result: { code: '700.400.402', description: '' } }));
    expect(read).toMatchObject({ disputes: [], declined: [id('1')], doubts: [] });
  });

  it.each(COUNTED)('is reduced by the amount of a reversal with code %s, and no further', (code) => {
    const won = reversal('8', id('1'), { amount: '40.00', code });
    expect(shown(chargeback('1'), won)).toEqual({ standing: { 1: 6_000n }, doubts: [] });
    expect(shown(won, chargeback('1'), reversal('9', id('1'), { amount: '60.00' }))).toEqual({
      ...{ standing: { 1: 0n }, doubts: [] },
    });
  });

  it.each([...OPEN, REFUSED])('is not reduced by a reversal with code %s', (code) => {
    expect(shown(chargeback('1'), reversal('8', id('1'), { code }))).toEqual({
      ...{ standing: { 1: 10_000n }, doubts: [] },
    });
  });

  it.each<[string, OppwaTransaction[], Record<string, bigint>, DoubtReason[]]>([
    [
      'only if the reversal names it',
      [chargeback('1'), chargeback('2'), reversal('8', id('2'))],
      { 1: 10_000n, 2: 0n },
      [],
    ],
    ['if it is the only one that fits', [chargeback('1'), reversal('8')], { 1: 0n }, []],
    ['if the payment is named instead', [chargeback('1'), reversal('8', ORIGINAL_ID)], { 1: 0n }, []],
    [
      'if the other one is too small, or reversed already',
      [
        chargeback('1', { amount: '60.00' }),
        chargeback('2', { amount: '40.00' }),
        reversal('8', undefined, { amount: '60.00' }),
        reversal('7', undefined, { amount: '40.00' }),
      ],
      { 1: 0n, 2: 0n },
      [],
    ],
    [
      'not by one that fits two',
      [chargeback('1'), chargeback('2'), reversal('8')],
      { 1: 10_000n, 2: 10_000n },
      ['reversal_unplaced'],
    ],
    [
      'not by a second one that names nothing',
      [chargeback('1'), reversal('7'), reversal('8')],
      { 1: 0n },
      ['reversal_unplaced'],
    ],
    [
      'not by a reversal of something else',
      [chargeback('1'), reversal('8', id('7'))],
      { 1: 10_000n },
      ['reversal_of_unknown'],
    ],
    [
      'by its reversal, though the reversal of that is a doubt',
      [chargeback('1'), reversal('8', id('1')), reversal('7', id('8'))],
      { 1: 0n, 7: 10_000n },
      ['reversal_of_reversal'],
    ],
    [
      'not further by a second reversal, and a possible second chargeback stands with its own amount',
      [
        chargeback('1'),
        reversal('8', id('1'), { amount: '40.00' }),
        reversal('7', id('8'), { amount: '30.00' }),
        reversal('6', id('7'), { amount: '30.00' }),
      ],
      { 1: 6_000n, 7: 3_000n },
      ['reversal_of_reversal', 'reversal_of_reversal'],
    ],
    [
      'not by a representment that may have been canceled',
      [chargeback('1'), reversal('8', id('1'), { code: '000.100.106' })],
      { 1: 10_000n },
      ['reversal_unclear'],
    ],
    [
      'not by more than its amount',
      [chargeback('1', { amount: '30.00' }), reversal('8', id('1'))],
      { 1: 0n },
      ['reversal_too_large'],
    ],
    [
      'not by a reversal of another currency',
      [chargeback('1'), reversal('8', id('1'), { currency: 'USD' })],
      { 1: 10_000n },
      ['currency_differs', 'reversal_without_amount'],
    ],
    ['once, listed twice', [chargeback('1'), chargeback('1')], { 1: 10_000n }, []],
    [
      'and stands again if it is listed a second time, whatever that entry refers to',
      [chargeback('1'), reversal('8', id('1')), chargeback('2', { referencedId: id('8') })],
      { 1: 0n, 2: 10_000n },
      [],
    ],
  ])('ends %s', (_name, linked, standing, doubts) => {
    expect(shown(...linked)).toEqual({ standing, doubts });
    const turned = shown(...[...linked].reverse());
    expect(turned.standing).toEqual(standing);
    expect(turned.doubts.toSorted()).toEqual(doubts.toSorted());
  });

  it('of one of two captures ends with a reversal that names that capture', () => {
    const { disputes, doubts } = facts(
      authorization(),
      capture('5', '50.00'),
      capture('6', '50.00'),
      chargeback('1', { amount: '50.00', referencedId: id('5') }),
      chargeback('2', { amount: '50.00', referencedId: id('6') }),
      reversal('8', id('6'), { amount: '50.00' }),
    );
    expect(disputes.map((dispute) => [dispute.id, effectiveMinor(dispute), dispute.referencedId])).toEqual([
      [id('1'), 5_000n, id('5')],
      [id('2'), 0n, id('6')],
    ]);
    expect(doubts).toEqual([]);
  });

  it('that refers to a reversal disputes the same transaction as the first chargeback', () => {
    const { disputes } = facts(
      authorization(),
      capture('5', '50.00'),
      chargeback('1', { amount: '50.00', referencedId: id('5') }),
      reversal('8', id('1'), { amount: '50.00' }),
      chargeback('2', { amount: '50.00', referencedId: id('8') }),
      reversal('7', id('8'), { amount: '50.00' }),
    );
    expect(disputes.map((dispute) => [dispute.id, dispute.referencedId, dispute.state])).toEqual([
      [id('1'), id('5'), 'succeeded'],
      [id('2'), id('5'), 'succeeded'],
      [id('7'), id('5'), 'open'],
    ]);
  });

  it('of a refund proves nothing, and is a doubt', () => {
    const { disputes, doubts } = facts(
      debit(),
      transaction({ id: id('3'), paymentType: 'RF', amount: '100.00', currency: 'EUR' }),
      chargeback('1', { referencedId: id('3') }),
    );
    expect(disputes).toMatchObject([{ state: 'open', amountMinor: 10_000n }]);
    expect(doubts).toEqual([{ gatewayId: id('1'), why: 'refund_charged_back' }]);
  });

  it('of a capture ends with a reversal that names the capture', () => {
    const { disputes } = facts(
      authorization(),
      capture('5', '60.00'),
      chargeback('1', { amount: '60.00' }),
      reversal('8', id('5'), { amount: '60.00' }),
    );
    expect(disputes).toEqual([
      {
        ...{ id: id('1'), amountMinor: 6_000n, reversedMinor: 6_000n, state: 'succeeded' },
        referencedId: ORIGINAL_ID,
      },
    ]);
  });

  it('without an amount may be the whole payment, and proves nothing', () => {
    const { amount: _amount, ...bare } = chargeback('1');
    expect(facts(debit(), bare).disputes[0]).toMatchObject({ amountMinor: 10_000n, state: 'open' });
  });
});

describe('a linked transaction that cannot be read', () => {
  const refund = (change: Partial<OppwaTransaction>) =>
    transaction({
      paymentType: 'RF',
      amount: '25.00',
      currency: 'EUR',
      referencedId: ORIGINAL_ID,
      ...change,
    });

  it.each<[string, OriginalFacts, DoubtReason]>([
    ['an amount', facts(debit(), refund({ amount: '-1.00' })), 'amount_unreadable'],
    ['an amount out of range', facts(debit(), refund({ amount: '99999999999999' })), 'amount_unreadable'],
    ['a currency', facts(debit(), refund({ currency: 'USD' })), 'currency_differs'],
    ['an id', facts(debit(), refund({ id: 'a refund' })), 'unusual_id'],
    [
      'the amount of one of two captures',
      facts(authorization(), capture('1', '60.00'), capture('2', '1e2')),
      'capture_unreadable',
    ],
    ['the registration', facts(debit({ registrationId: 'a token' })), 'registration_unreadable'],
  ])('leaves the payment readable and is a doubt: %s', (_name, read, why) => {
    expect(read.doubts.map((doubt) => doubt.why)).toContain(why);
    expect(read.capturedMinor).toBe(read.type === 'debit' ? 10_000n : 6_000n);
  });

  it('counts a refund as the whole payment if its amount cannot be read', () => {
    expect(facts(debit(), refund({ amount: '1e2' })).returns[0]?.amountMinor).toBe(10_000n);
    expect(facts(debit(), refund({ id: 'a refund' })).returns[0]?.amountMinor).toBe(2_500n);
  });

  it('treats ids in upper case as the same transactions', () => {
    const read = facts(debit({ registrationId: id('A') }), refund({ id: id('B') }), refund({ id: id('b') }));
    expect(read).toMatchObject({ registrationId: id('a'), doubts: [] });
    expect(read.returns).toHaveLength(1);
  });
});

describe('an entry that is not a transaction of its own', () => {
  const back = transaction({
    paymentType: 'RF',
    amount: '25.00',
    currency: 'EUR',
    referencedId: ORIGINAL_ID,
  });

  it('is the payment itself, or an entry without an id', () => {
    const { id: _id, ...nameless } = back;
    const read = facts(debit(), { ...back, id: ORIGINAL_ID }, nameless);
    expect(read).toMatchObject({ returns: [], doubts: [{ gatewayId: '', why: 'no_id' }] });
    expect(facts(authorization(), capture('1', '60.00', { id: ORIGINAL_ID })).capturedMinor).toBe(0n);
  });

  it('but a refund of zero counts as zero, not as the whole payment', () => {
    expect(facts(debit(), { ...back, amount: '0.00' }).returns[0]?.amountMinor).toBe(0n);
  });
});

describe('a reversal without an amount', () => {
  const whole = (referencedId?: string) =>
    transaction({
      ...{ id: id('3'), paymentType: 'RV', currency: 'EUR' },
      ...(referencedId === undefined ? {} : { referencedId }),
    });

  it('of an authorization, or of a debit, reverses all of it, and is no doubt', () => {
    for (const root of [authorization(), debit()]) {
      const read = facts(root, whole(ORIGINAL_ID));
      expect(read.doubts).toEqual([]);
      expect(takenByReturns(read)).toMatchObject([{ takenMinor: 10_000n }]);
    }
  });

  it('of an authorization that has captures reverses nothing of them', () => {
    const read = facts(authorization(), capture('5', '60.00'), whole(ORIGINAL_ID));
    expect(read.doubts).toEqual([]);
    expect(takenByReturns(read)).toMatchObject([{ takenMinor: 0n }]);
  });

  it('that may be of a capture is a doubt', () => {
    for (const referencedId of [undefined, id('5')])
      expect(facts(authorization(), capture('5', '60.00'), whole(referencedId)).doubts).toEqual([
        { gatewayId: id('3'), why: 'amount_unreadable' },
      ]);
  });
});

describe('the amount of a reversal', () => {
  const release = returned({ type: 'reversal', referencedId: null, amountMinor: 3_000n });

  it('is counted by id, in any order of the list', () => {
    const [one, two] = ['1', '2'].map((digit) => ({ ...release, id: id(digit) }));
    if (one === undefined || two === undefined) throw new Error('two reversals');
    const taken = (returns: (typeof release)[]) =>
      takenByReturns(authorized(6_000n, { returns })).map(({ entry, takenMinor }) => [entry.id, takenMinor]);
    const expected = [
      [id('1'), 0n],
      [id('2'), 2_000n],
    ];
    expect(taken([one, two])).toEqual(expected);
    expect(taken([two, one])).toEqual(expected);
  });

  it('is the whole payment if it names one of several captures', () => {
    const captures = [
      { id: id('c'), amountMinor: 3_000n },
      { id: id('d'), amountMinor: 3_000n },
    ];
    const fixture = authorized(6_000n, { captures, returns: [{ ...release, referencedId: id('d') }] });
    expect(takenByReturns(fixture).map(({ takenMinor }) => takenMinor)).toEqual([3_000n]);
  });

  it('is the whole payment if more was captured than authorized', () => {
    const fixture = authorized(12_000n, { returns: [release] });
    expect(takenByReturns(fixture).map(({ takenMinor }) => takenMinor)).toEqual([3_000n]);
  });
});

describe('a transaction that is no original, or cannot be read', () => {
  const { id: _id, ...withoutId } = debit();
  const { currency: _currency, ...withoutCurrency } = debit();
  const { amount: _amount, ...withoutAmount } = debit();
  const { paymentType: _type, ...withoutType } = debit();
  const { amount: _captured, ...bareCapture } = capture('1', '1.00');
  const { referencedId: _parent, ...orphan } = capture('1', '60.00');
  it.each<[string, OriginalReading, object]>([
    [
      'a capture names its authorization',
      read(capture('1', '60.00')),
      { why: 'capture', parentId: ORIGINAL_ID },
    ],
    ['a capture of nothing', read(orphan), { why: 'not_an_original', type: 'capture' }],
    ['a refund', read(debit({ paymentType: 'RF' })), { why: 'not_an_original', type: 'refund' }],
    ['a credit', read(debit({ paymentType: 'CD' })), { why: 'not_an_original', type: 'credit' }],
    ['an entry without a type', read(withoutType), { why: 'not_an_original', type: '(none)' }],
    ['no id', read(withoutId), { why: 'missing_field', field: 'id' }],
    ['no currency', read(withoutCurrency), { why: 'missing_field', field: 'currency' }],
    ['no amount', read(withoutAmount), { why: 'missing_field', field: 'amount' }],
    [
      'a capture without an amount',
      read(authorization(), bareCapture),
      { why: 'missing_field', field: `amount of capture ${id('1')}` },
    ],
    [
      'a capture in another currency',
      read(authorization(), capture('1', '1.00', { currency: 'USD' })),
      { why: 'missing_field' },
    ],
    [
      'an amount that its currency cannot have',
      read(debit({ amount: '100.50', currency: 'JPY' })),
      { why: 'amount', text: '100.50' },
    ],
    ['a malformed amount', read(debit({ amount: '1e2' })), { why: 'amount', text: '1e2' }],
    [
      'an amount out of range',
      read(debit({ amount: '999999999999.9999', currency: 'CLF' })),
      { why: 'amount' },
    ],
  ])('%s', (_name, reading, reason) => {
    expect(reading).toMatchObject({ kind: 'unreadable', reason });
  });
});
