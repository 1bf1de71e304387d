/** Originals as the gateway shows them: what was captured, given back and charged back, and what cannot be read. */
import { describe, expect, it } from 'vitest';
import {
  readOriginal,
  takenByReturns,
  type OriginalFacts,
  type OriginalReading,
} from '../../domain/original.js';
import type { GatewayTransaction } from '../../domain/transaction.js';
import { authorised, original, ORIGINAL_ID, returned } from './given-original.js';

const DONE = '000.100.110';
const PENDING = '000.200.000';
const REFUSED = '800.100.152';
const id = (digit: string) => digit.repeat(32);

function transaction(change: Partial<GatewayTransaction> & { readonly code?: string }): GatewayTransaction {
  const { code = DONE, ...rest } = change;
  return { id: id('9'), result: { code, description: 'as recorded' }, ...rest };
}

const debit = (change: Partial<GatewayTransaction> & { readonly code?: string } = {}) =>
  transaction({ id: ORIGINAL_ID, paymentType: 'DB', amount: '100.00', currency: 'EUR', ...change });
const authorisation = (change: Partial<GatewayTransaction> = {}) => debit({ paymentType: 'PA', ...change });
const capture = (
  digit: string,
  amount: string,
  change: Partial<GatewayTransaction> & { readonly code?: string } = {},
) =>
  transaction({
    id: id(digit),
    paymentType: 'CP',
    amount,
    currency: 'EUR',
    referencedId: ORIGINAL_ID,
    ...change,
  });

const read = (root: GatewayTransaction, ...linked: GatewayTransaction[]): OriginalReading =>
  readOriginal({ original: root, linked }, 'test');

function facts(root: GatewayTransaction, ...linked: GatewayTransaction[]): OriginalFacts {
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

  it('that was refused has taken nothing', () => {
    expect(facts(debit({ code: REFUSED }))).toMatchObject({
      state: 'rejected',
      captures: [],
      capturedMinor: 0n,
    });
  });

  it('of a test connector on a live host is not taken for done', () => {
    const reading = readOriginal({ original: debit(), linked: [] }, 'live');
    expect(reading).toMatchObject({ kind: 'read', facts: { state: 'pending' } });
  });

  it('that refers to another transaction is a debit all the same', () => {
    expect(facts(debit({ referencedId: id('7') })).capturedMinor).toBe(10_000n);
  });

  it('of nothing has nothing to give back', () => {
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

describe('an authorisation', () => {
  it('without captures has nothing captured', () => {
    expect(facts(authorisation())).toMatchObject({
      type: 'PA',
      authorizedMinor: 10_000n,
      captures: [],
      capturedMinor: 0n,
    });
  });

  it('has the sum of its captures, those that were done', () => {
    expect(
      facts(
        authorisation(),
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

  it('counts a capture once that is listed twice', () => {
    expect(facts(authorisation(), capture('1', '60.00'), capture('1', '60.00')).capturedMinor).toBe(6_000n);
    expect(
      facts(authorisation(), capture('1', '60.00', { code: PENDING }), capture('1', '60.00')).capturedMinor,
    ).toBe(6_000n);
  });

  it('that is pending has authorised what it says', () => {
    expect(facts(authorisation({ result: { code: PENDING, description: '' } }))).toMatchObject({
      state: 'pending',
      authorizedMinor: 10_000n,
    });
  });

  it('that was refused has authorised nothing', () => {
    expect(facts(authorisation({ result: { code: REFUSED, description: '' } })).authorizedMinor).toBe(0n);
  });
});

describe('what was given back', () => {
  const refund = (change: Partial<GatewayTransaction> & { readonly code?: string }) =>
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
      { id: id('9'), type: 'RF', reference: 'REF', referencedId: ORIGINAL_ID, amountMinor: 2_500n, state },
    ]);
  });

  it('and refused is nothing, and does not hide the same transaction listed again as done', () => {
    expect(facts(debit(), refund({ code: REFUSED })).returns).toEqual([]);
    expect(facts(debit(), refund({ code: REFUSED }), refund({})).returns).toHaveLength(1);
  });

  it('without an amount, or in another currency, counts as all of it', () => {
    const { amount: _amount, ...bare } = refund({});
    expect(facts(debit(), bare).returns[0]?.amountMinor).toBe(10_000n);
    expect(facts(debit(), refund({ currency: 'USD' })).returns[0]?.amountMinor).toBe(10_000n);
  });

  it('counts once however often it is listed', () => {
    expect(facts(debit(), refund({}), refund({})).returns).toHaveLength(1);
  });

  it('by a reversal is told from a refund', () => {
    expect(facts(authorisation(), refund({ paymentType: 'RV', amount: '100.00' })).returns[0]).toMatchObject({
      type: 'RV',
    });
  });

  it('takes nothing from what was captured where it is a reversal of the authorization', () => {
    const release = returned({ type: 'RV', referencedId: ORIGINAL_ID, amountMinor: 4_000n });
    const taken = (given: OriginalFacts) => takenByReturns(given).map(({ takenMinor }) => takenMinor);
    expect(taken(authorised(6_000n, { returns: [release] }))).toEqual([0n]);
    expect(taken(authorised(7_000n, { returns: [release] }))).toEqual([0n]);
    expect(taken(authorised(6_000n, { returns: [release, { ...release, id: id('1') }] }))).toEqual([0n, 0n]);
    // One that names nothing may have been of a capture.
    expect(taken(authorised(7_000n, { returns: [{ ...release, referencedId: null }] }))).toEqual([1_000n]);
    expect(taken(authorised(6_000n, { returns: [{ ...release, referencedId: id('c') }] }))).toEqual([4_000n]);
    expect(taken(authorised(0n, { returns: [release] }))).toEqual([4_000n]);
    expect(taken(authorised(6_000n, { returns: [{ ...release, type: 'RF' }] }))).toEqual([4_000n]);
    expect(taken(original({ returns: [release] }))).toEqual([4_000n]);
  });
});

describe('a chargeback', () => {
  const chargeback = (digit: string, change: Partial<GatewayTransaction> = {}) =>
    transaction({
      id: id(digit),
      paymentType: 'CB',
      amount: '100.00',
      currency: 'EUR',
      referencedId: ORIGINAL_ID,
      ...change,
    });
  const reversal = (digit: string, referencedId?: string, code = DONE) =>
    transaction({
      id: id(digit),
      paymentType: 'CR',
      code,
      ...(referencedId === undefined ? {} : { referencedId }),
    });
  const standing = (...linked: GatewayTransaction[]) =>
    facts(debit(), ...linked)
      .disputes.filter((dispute) => !dispute.reversed)
      .map((dispute) => dispute.id);

  it('stands, whatever its code says', () => {
    expect(
      facts(debit(), chargeback('1', { result: { code: '000.100.200', description: '' } })).disputes,
    ).toEqual([{ id: id('1'), amountMinor: 10_000n, reversed: false }]);
  });

  it.each<[string, GatewayTransaction[], string[]]>([
    [
      'ends with the reversal that names it',
      [chargeback('1'), chargeback('2'), reversal('8', id('2'))],
      ['1'],
    ],
    ['ends with a reversal that names nothing', [chargeback('1'), reversal('8')], []],
    ['ends with a reversal that names the payment', [chargeback('1'), reversal('8', ORIGINAL_ID)], []],
    ['does not end with a reversal of something else', [chargeback('1'), reversal('8', id('7'))], ['1']],
    [
      'ends with its reversal, whatever that one’s code says',
      [chargeback('1'), reversal('8', id('1'), REFUSED)],
      [],
    ],
    [
      'ends once where there are more reversals than chargebacks',
      [chargeback('1'), reversal('7'), reversal('8')],
      [],
    ],
    ['is one where it is listed twice', [chargeback('1'), chargeback('1')], ['1']],
    [
      'ends with a reversal of its own, and not with the same one listed again',
      [chargeback('1'), chargeback('2'), reversal('8'), reversal('8')],
      ['2'],
    ],
    [
      'stands where it came again after its reversal',
      [chargeback('1'), reversal('8', id('1')), chargeback('2')],
      ['2'],
    ],
    [
      'ends with its own reversal and another with theirs',
      [chargeback('1'), chargeback('2'), reversal('7'), reversal('8', id('1'))],
      [],
    ],
  ])('%s', (_name, linked, expected) => {
    expect(standing(...linked)).toEqual(expected.map(id));
    expect(standing(...[...linked].reverse())).toEqual(expected.map(id));
  });

  it('ends with a reversal that names a capture of the payment', () => {
    const { disputes } = facts(
      authorisation(),
      capture('5', '60.00'),
      chargeback('1', { amount: '60.00' }),
      reversal('8', id('5')),
    );
    expect(disputes).toEqual([{ id: id('1'), amountMinor: 6_000n, reversed: true }]);
  });

  it('without an amount is one of all of it', () => {
    const { amount: _amount, ...bare } = chargeback('1');
    expect(facts(debit(), bare).disputes[0]?.amountMinor).toBe(10_000n);
  });

  it('that came first ends first, in whatever order they are listed', () => {
    const early = chargeback('2', { timestamp: '2026-01-01 10:00:00+0000' });
    const late = chargeback('1', { timestamp: '2026-02-01 10:00:00+0000' });
    expect(standing(early, late, reversal('8'))).toEqual([id('1')]);
    expect(standing(reversal('8'), late, early)).toEqual([id('1')]);
  });
});

describe('what is listed and is nothing of its own', () => {
  const back = transaction({
    paymentType: 'RF',
    amount: '25.00',
    currency: 'EUR',
    referencedId: ORIGINAL_ID,
  });

  it('the payment itself, or what has no id', () => {
    const { id: _id, ...nameless } = back;
    expect(facts(debit(), { ...back, id: ORIGINAL_ID }, nameless).returns).toEqual([]);
    expect(facts(authorisation(), capture('1', '60.00', { id: ORIGINAL_ID })).capturedMinor).toBe(0n);
  });

  it('a refund of zero counts as zero, not as all of it', () => {
    expect(facts(debit(), { ...back, amount: '0.00' }).returns[0]?.amountMinor).toBe(0n);
  });
});

describe('what a reversal takes', () => {
  const release = returned({ type: 'RV', referencedId: null, amountMinor: 3_000n });

  it('is counted by id, in whatever order they are listed', () => {
    const [one, two] = ['1', '2'].map((digit) => ({ ...release, id: id(digit) }));
    if (one === undefined || two === undefined) throw new Error('two reversals');
    const taken = (returns: (typeof release)[]) =>
      takenByReturns(authorised(6_000n, { returns })).map(({ entry, takenMinor }) => [entry.id, takenMinor]);
    const expected = [
      [id('1'), 0n],
      [id('2'), 2_000n],
    ];
    expect(taken([one, two])).toEqual(expected);
    expect(taken([two, one])).toEqual(expected);
  });

  it('is all of it where it names one of several captures', () => {
    const captures = [
      { id: id('c'), amountMinor: 3_000n },
      { id: id('d'), amountMinor: 3_000n },
    ];
    const given = authorised(6_000n, { captures, returns: [{ ...release, referencedId: id('d') }] });
    expect(takenByReturns(given).map(({ takenMinor }) => takenMinor)).toEqual([3_000n]);
  });

  it('is all of it where more was captured than authorised', () => {
    const given = authorised(12_000n, { returns: [release] });
    expect(takenByReturns(given).map(({ takenMinor }) => takenMinor)).toEqual([3_000n]);
  });
});

describe('what is no original, or cannot be read', () => {
  const { id: _id, ...withoutId } = debit();
  const { currency: _currency, ...withoutCurrency } = debit();
  const { amount: _amount, ...withoutAmount } = debit();
  const { paymentType: _type, ...withoutType } = debit();
  const { amount: _captured, ...bareCapture } = capture('1', '1.00');
  const { referencedId: _parent, ...orphan } = capture('1', '60.00');
  it.each<[string, OriginalReading, object]>([
    [
      'a capture names its authorisation',
      read(capture('1', '60.00')),
      { why: 'capture', parentId: ORIGINAL_ID },
    ],
    ['a capture of nothing', read(orphan), { why: 'not_an_original', type: 'CP' }],
    ['a refund', read(debit({ paymentType: 'RF' })), { why: 'not_an_original', type: 'RF' }],
    ['a credit', read(debit({ paymentType: 'CD' })), { why: 'not_an_original', type: 'CD' }],
    ['nothing that says what it is', read(withoutType), { why: 'not_an_original', type: '(none)' }],
    ['no id', read(withoutId), { why: 'missing_field', field: 'id' }],
    ['no currency', read(withoutCurrency), { why: 'missing_field', field: 'currency' }],
    ['no amount', read(withoutAmount), { why: 'missing_field', field: 'amount' }],
    [
      'a capture without an amount',
      read(authorisation(), bareCapture),
      { why: 'missing_field', field: `amount of CP ${id('1')}` },
    ],
    [
      'a capture in another currency',
      read(authorisation(), capture('1', '1.00', { currency: 'USD' })),
      { why: 'missing_field' },
    ],
    [
      'an amount that its currency cannot have',
      read(debit({ amount: '100.50', currency: 'JPY' })),
      { why: 'amount', text: '100.50' },
    ],
    ['an amount that is none', read(debit({ amount: '1e2' })), { why: 'amount', text: '1e2' }],
    [
      'a linked amount that is none',
      read(debit(), transaction({ paymentType: 'RF', amount: '-1.00' })),
      { why: 'amount' },
    ],
  ])('%s', (_name, reading, reason) => {
    expect(reading).toMatchObject({ kind: 'unreadable', reason });
  });
});
