/** Outcomes of answers and queries: done only if everything agrees, declined only if it is certain. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome, UnknownReason } from '../../domain/refund/outcome.js';
import type { NoAnswerReason, NotSentReason } from '../../domain/transaction.js';
import type { OppwaTransaction } from '../../gateway/oppwa/transaction.js';
import { outcomeOfFound, outcomeOfSend, type Expectation } from '../support/as-oppwa.js';
import { runs } from '../support/chance.js';

const ORIGINAL = '8ac7a4a192b3b5060192b471c0d80001';
const OTHER = '8ac7a4a192b3b5060192b471c0d80002';
const ID = '8ac7a4a192b3b5060192b471c0d80003';
const SECOND = '8ac7a4a192b3b5060192b471c0d80004';
const REFERENCE = 'KHQDEW3SX4Y3D2Q8';

const refund: Expectation = {
  operation: 'refund',
  originalId: ORIGINAL,
  amountMinor: 9200n,
  currency: 'EUR',
  reference: REFERENCE,
  host: 'test',
};
const live: Expectation = { ...refund, host: 'live' };
const credit: Expectation = {
  operation: 'credit',
  amountMinor: 9200n,
  currency: 'EUR',
  reference: REFERENCE,
  host: 'test',
};

const result = (code: string) => ({ code, description: 'as the gateway words it' });
const DONE = '000.100.110';
const PENDING = '800.400.502';
const DECLINED = '800.100.152';
const UNCERTAIN = '900.100.300';

/** A success that agrees with the refund in every field. */
const done: OppwaTransaction = {
  id: ID,
  paymentType: 'RF',
  amount: '92.00',
  currency: 'EUR',
  merchantTransactionId: REFERENCE,
  referencedId: ORIGINAL,
  result: result(DONE),
};

interface Loose {
  readonly id: string | undefined;
  readonly paymentType: string | undefined;
  readonly amount: string | undefined;
  readonly currency: string | undefined;
  readonly merchantTransactionId: string | undefined;
  readonly referencedId: string | undefined;
}
/** Leaves out fields that are undefined, as an answer does. */
function transactionOf(loose: Loose, code: string): OppwaTransaction {
  const { id, paymentType, amount, currency, merchantTransactionId, referencedId } = loose;
  return {
    ...(id === undefined ? {} : { id }),
    ...(paymentType === undefined ? {} : { paymentType }),
    ...(amount === undefined ? {} : { amount }),
    ...(currency === undefined ? {} : { currency }),
    ...(merchantTransactionId === undefined ? {} : { merchantTransactionId }),
    ...(referencedId === undefined ? {} : { referencedId }),
    result: result(code),
  };
}

function without(transaction: OppwaTransaction, ...fields: readonly (keyof Loose)[]): OppwaTransaction {
  const kept = (field: keyof Loose) => (fields.includes(field) ? undefined : transaction[field]);
  const loose = {
    id: kept('id'),
    paymentType: kept('paymentType'),
    amount: kept('amount'),
    currency: kept('currency'),
    merchantTransactionId: kept('merchantTransactionId'),
    referencedId: kept('referencedId'),
  };
  return transactionOf(loose, transaction.result.code);
}
const saying = (code: string, transaction = done): OppwaTransaction => ({
  ...transaction,
  result: result(code),
});
const answer = (transaction: OppwaTransaction, expected = refund, httpStatus = 200): Outcome =>
  outcomeOfSend({ kind: 'answered', httpStatus, transaction }, expected);

describe('a refund is done', () => {
  it('if the answer agrees with the order in everything', () => {
    expect(answer(done)).toEqual({ kind: 'succeeded', gatewayId: ID, flagged: false });
  });

  it('if the answer leaves out amount, currency, reference and original, as old answers do', () => {
    const bare = without(done, 'amount', 'currency', 'merchantTransactionId', 'referencedId');
    expect(answer(bare)).toEqual({ kind: 'succeeded', gatewayId: ID, flagged: false });
  });

  it.each(['92', '92.0', '92.00'])('if the answer writes 92 euros as %s', (amount) => {
    expect(answer({ ...done, amount })).toMatchObject({ kind: 'succeeded' });
  });

  it('and reviewed by an operator if the gateway asks for that', () => {
    expect(answer(saying('000.400.040'))).toEqual({ kind: 'succeeded', gatewayId: ID, flagged: true });
  });

  it.each([200, 201, 400, 500])('with any HTTP status: %i', (status) => {
    expect(answer(done, refund, status)).toMatchObject({ kind: 'succeeded' });
    expect(answer(saying(DECLINED), refund, status)).toMatchObject({ kind: 'rejected' });
  });

  it('in yen and in dinars by their own value', () => {
    const yen = { ...refund, amountMinor: 100n, currency: 'JPY' };
    const dinars = { ...refund, amountMinor: 1230n, currency: 'KWD' };
    expect(answer({ ...done, amount: '100.00', currency: 'JPY' }, yen)).toMatchObject({ kind: 'succeeded' });
    expect(answer({ ...done, amount: '1.00', currency: 'JPY' }, yen)).toMatchObject({ why: 'wrong_amount' });
    expect(answer({ ...done, amount: '1.23', currency: 'KWD' }, dinars)).toMatchObject({ kind: 'succeeded' });
    expect(answer({ ...done, amount: '12.30', currency: 'KWD' }, dinars)).toMatchObject({
      why: 'wrong_amount',
    });
  });
});

describe('it is unknown whether a refund is done', () => {
  it.each<[string, Partial<OppwaTransaction>, UnknownReason]>([
    ['names another amount', { amount: '92.01' }, 'wrong_amount'],
    ['names an amount that is none', { amount: '9.2e1' }, 'wrong_amount'],
    ['names another currency', { currency: 'USD' }, 'wrong_currency'],
    ['is of another type', { paymentType: 'DB' }, 'wrong_type'],
    ['is for another reference', { merchantTransactionId: 'KHQDEW3SX4Y3D2Q9' }, 'wrong_reference'],
    ['refers to another original', { referencedId: OTHER }, 'wrong_original'],
    ['has the id of the original', { id: ORIGINAL }, 'id_of_original'],
    ['has an id that is none', { id: ID.toUpperCase() }, 'malformed_id'],
    ['has an empty id', { id: '' }, 'malformed_id'],
  ])('if an answer %s, be it success, pending or a decline', (_, change, why) => {
    for (const code of [DONE, PENDING, DECLINED])
      expect(answer({ ...saying(code), ...change })).toMatchObject({ kind: 'unknown', why });
  });

  it('if a success or a pending answer has no id or no type', () => {
    for (const code of [DONE, PENDING, '000.400.000']) {
      expect(answer(without(saying(code), 'id'))).toEqual({ kind: 'unknown', why: 'no_id' });
      expect(answer(without(saying(code), 'paymentType'))).toEqual({
        kind: 'unknown',
        why: 'no_type',
        gatewayId: ID,
      });
    }
  });

  it('if a live host says that the test system was successful', () => {
    expect(answer(done, live)).toEqual({ kind: 'unknown', why: 'test_success_on_live', gatewayId: ID });
  });

  it.each<[string, UnknownReason]>([
    [UNCERTAIN, 'communication'],
    ['999.999.999', 'system'],
    ['000.400.030', 'manual_code'],
    ['000.000.100', 'not_a_result'],
    ['800.110.100', 'duplicate'],
    ['800.600.100', 'already_processing'],
    ['123.456.789', 'unlisted_code'],
    ['nonsense', 'malformed_code'],
  ])('if it is answered with %s', (code, why) => {
    expect(answer(saying(code))).toEqual({ kind: 'unknown', why, gatewayId: ID });
  });

  it.each<NoAnswerReason>([
    'timeout',
    'connection_lost',
    'destination_changed',
    'not_json',
    'no_result_code',
    'body_too_large',
    'not_decodable',
    'body_cut_off',
  ])('if there is no answer: %s', (why) => {
    expect(outcomeOfSend({ kind: 'no_answer', why }, refund)).toEqual({ kind: 'unknown', why });
  });

  it('and the original’s id is never stored as the id of the refund', () => {
    for (const code of [DONE, PENDING, DECLINED, UNCERTAIN])
      expect(answer({ ...saying(code), id: ORIGINAL })).not.toHaveProperty('gatewayId');
  });
});

describe('other answers', () => {
  it('pending is pending under its id', () => {
    expect(answer(saying(PENDING))).toEqual({ kind: 'pending', gatewayId: ID });
  });

  it('a decline names its class, with or without an id', () => {
    expect(answer(saying(DECLINED))).toEqual({ kind: 'rejected', class: 'issuer_declined', gatewayId: ID });
    expect(answer({ result: result('200.300.404') })).toEqual({ kind: 'rejected', class: 'configuration' });
  });

  it.each<NotSentReason>(['refused', 'dns', 'tls', 'connect_timeout', 'deadline_passed', 'closed'])(
    'what was not sent was not sent: %s',
    (why) => {
      expect(outcomeOfSend({ kind: 'not_sent', why }, refund)).toEqual({ kind: 'not_sent', why });
    },
  );

  it('a credit may name the registration that it was paid to, and is read with the codes of a credit', () => {
    const paid = { ...done, paymentType: 'CD', referencedId: OTHER };
    expect(answer(paid, credit)).toMatchObject({ kind: 'succeeded' });
    expect(answer(paid, { ...credit, originalId: ORIGINAL })).toMatchObject({ kind: 'succeeded' });
    expect(answer(saying('100.100.303', paid), credit)).toMatchObject({ class: 'card_unusable' });
    expect(answer(done, credit)).toMatchObject({ kind: 'unknown', why: 'wrong_type' });
  });

  it('a reversal is an RV only', () => {
    const reversal: Expectation = { ...refund, operation: 'reversal' };
    expect(answer({ ...done, paymentType: 'RV' }, reversal)).toMatchObject({ kind: 'succeeded' });
    expect(answer(done, reversal)).toMatchObject({ kind: 'unknown', why: 'wrong_type' });
  });
});

describe('a query', () => {
  const second = { ...done, id: SECOND };
  const declined = saying(DECLINED, { ...without(done, 'amount', 'currency'), id: SECOND });
  const query = (...found: readonly OppwaTransaction[]) => outcomeOfFound(found, refund);

  it('that finds nothing of ours proves nothing', () => {
    expect(query()).toEqual({ kind: 'no_match' });
    expect(query({ ...done, merchantTransactionId: 'ORDER-4711' })).toEqual({ kind: 'no_match' });
    expect(query(without(done, 'merchantTransactionId'))).toEqual({ kind: 'no_match' });
  });

  it('does not take a chargeback for the refund whose reference it carries', () => {
    const chargeback = { ...done, id: SECOND, paymentType: 'CB', result: result('000.100.220') };
    expect(query(chargeback)).toEqual({ kind: 'no_match' });
    expect(query(chargeback, done)).toMatchObject({ kind: 'succeeded', gatewayId: ID });
  });

  it('finds the later success beside a decline, in any order', () => {
    expect(query(declined, done)).toMatchObject({ kind: 'succeeded', gatewayId: ID });
    expect(query(done, declined)).toMatchObject({ kind: 'succeeded', gatewayId: ID });
  });

  it('prefers a transaction that may still pay to a decline', () => {
    expect(query(declined, saying(PENDING))).toMatchObject({ kind: 'pending', gatewayId: ID });
    expect(query(declined, saying(UNCERTAIN))).toMatchObject({ kind: 'unknown', why: 'communication' });
    expect(query(saying(UNCERTAIN), { ...saying(PENDING), id: SECOND })).toMatchObject({ kind: 'pending' });
  });

  it('that finds two successes under one reference needs an operator, and names both', () => {
    expect(query(done, declined, second)).toEqual({
      kind: 'unknown',
      why: 'found_twice',
      executed: [ID, SECOND],
    });
  });

  it('that lists one success twice has found one', () => {
    expect(query(done, { ...done })).toMatchObject({ kind: 'succeeded', gatewayId: ID });
  });

  it('that finds a success which contradicts the order needs an operator, even beside a good one', () => {
    expect(query(done, { ...second, amount: '90.00' })).toMatchObject({
      kind: 'unknown',
      why: 'wrong_amount',
    });
    expect(query({ ...done, referencedId: OTHER })).toMatchObject({ kind: 'unknown', why: 'wrong_original' });
    expect(query(without(done, 'paymentType'))).toMatchObject({ kind: 'unknown', why: 'no_type' });
  });

  it('takes the latest of several declines', () => {
    const first = { ...declined, timestamp: '2026-05-01 10:00:00.250+0000' };
    const later = { ...saying('700.300.600', declined), timestamp: '2026-05-01 10:00:01+0000' };
    expect(query(first, later)).toMatchObject({ class: 'disputed' });
    expect(query(later, first)).toMatchObject({ class: 'disputed' });
    expect(query(saying('700.300.600', declined), declined)).toMatchObject({ class: 'issuer_declined' });
  });
});

describe('a field that an answer leaves out', () => {
  it('is not made up: without an id none is stored', () => {
    for (const code of [DONE, PENDING, DECLINED, UNCERTAIN])
      expect(answer(without(saying(code), 'id'))).not.toHaveProperty('gatewayId');
  });

  it('is not filled with an original if the order has none', () => {
    expect(answer({ result: result('200.300.404') }, credit)).toEqual({
      kind: 'rejected',
      class: 'configuration',
    });
    const { originalId: _original, ...unlinked } = refund;
    expect(answer(done, unlinked)).toMatchObject({ kind: 'succeeded', gatewayId: ID });
  });
});

describe('a query beside a success', () => {
  it('that shows another amount as pending needs an operator: both may pay', () => {
    const other = { ...saying(PENDING), id: SECOND, amount: '90.00' };
    expect(outcomeOfFound([done, other], refund)).toMatchObject({ kind: 'unknown', why: 'wrong_amount' });
  });

  it('treats a decline with a time as later than one without', () => {
    const timed = { ...saying('700.300.600'), timestamp: '2026-05-01 10:00:00+0000' };
    const untimed = { ...saying(DECLINED), id: SECOND };
    expect(outcomeOfFound([timed, untimed], refund)).toMatchObject({ class: 'disputed' });
    expect(outcomeOfFound([untimed, timed], refund)).toMatchObject({ class: 'disputed' });
  });
});

describe('for any answer of the gateway', () => {
  const codes = fc.constantFrom(
    '000.000.000', DONE, '000.300.000', '000.600.000', '000.400.000', '000.400.100',
    '000.000.100', '000.100.105', '000.310.100', '000.400.050', '000.400.110', '000.500.000', '000.100.211',
    PENDING, DECLINED, UNCERTAIN, '700.400.200', '000.000.0000', '',
  ); // prettier-ignore
  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 6 });
  const mostly = (right: string, ...others: readonly string[]) =>
    maybe(
      fc.oneof(
        { weight: 12, arbitrary: fc.constant(right) },
        { weight: 1, arbitrary: fc.constantFrom(...others) },
      ),
    );

  const transactions = fc
    .tuple(
      fc.record({
        id: fc.oneof(mostly(ID, SECOND, ORIGINAL, '', 'x', ID.toUpperCase()), fc.constant(SECOND)),
        paymentType: mostly('RF', 'DB', 'RV', 'CD', 'CB', 'rf', ''),
        amount: mostly('92.00', '92', '92.0', '9200', '92.01', '-92.00', '', '92.00 '),
        currency: mostly('EUR', 'USD', 'eur', ''),
        merchantTransactionId: mostly(REFERENCE, REFERENCE.toLowerCase(), ''),
        referencedId: mostly(ORIGINAL, OTHER, ''),
      }),
      codes,
    )
    .map(([loose, code]) => transactionOf(loose, code));

  /** The conditions of a success, written from the rule and not from the code. */
  function isProof(t: OppwaTransaction, host: 'test' | 'live'): boolean {
    const done = ['000.000.000', '000.300.000', '000.600.000', '000.400.000', '000.400.100'];
    if (host === 'test') done.push('000.100.110');
    return (
      done.includes(t.result.code) &&
      (t.id === ID || t.id === SECOND) &&
      t.paymentType === 'RF' &&
      [undefined, '92', '92.0', '92.00'].includes(t.amount) &&
      [undefined, 'EUR'].includes(t.currency) &&
      [undefined, REFERENCE].includes(t.merchantTransactionId) &&
      [undefined, ORIGINAL].includes(t.referencedId)
    );
  }
  const hosts = fc.constantFrom('test', 'live');

  it('a refund is done exactly if all conditions hold', () => {
    fc.assert(
      fc.property(transactions, hosts, fc.constantFrom(200, 400, 502), (transaction, host, status) => {
        const outcome = answer(transaction, { ...refund, host }, status);
        expect(outcome.kind === 'succeeded').toBe(isProof(transaction, host));
      }),
      runs(5_000),
    );
  });

  it('a refund is declined only by the two declining codes, and never if the answer contradicts the order', () => {
    fc.assert(
      fc.property(transactions, hosts, (transaction, host) => {
        const outcome = answer(transaction, { ...refund, host });
        if (outcome.kind !== 'rejected') return;
        expect([DECLINED, '700.400.200']).toContain(transaction.result.code);
        const asIfDone = saying('000.000.000', {
          ...transaction,
          id: transaction.id ?? ID,
          paymentType: transaction.paymentType ?? 'RF',
        });
        expect(isProof(asIfDone, host)).toBe(true);
      }),
      runs(5_000),
    );
  });

  it('a query finds the refund done only if exactly one entry proves it, in any order of entries', () => {
    fc.assert(
      fc.property(fc.array(transactions, { maxLength: 4 }), hosts, fc.nat(3), (found, host, turn) => {
        const expected = { ...refund, host };
        const outcome = outcomeOfFound(found, expected);
        const proofs = found.filter((t) => t.merchantTransactionId === REFERENCE && isProof(t, host));
        if (new Set(proofs.map(({ id }) => id)).size > 1) expect(outcome.kind).toBe('unknown');
        if (proofs.length === 0) expect(outcome.kind).not.toBe('succeeded');
        // A decline releases money, so never while anything under our reference may have paid.
        if (proofs.length > 0) expect(['succeeded', 'unknown']).toContain(outcome.kind);
        const turned = [...found.slice(turn), ...found.slice(0, turn)];
        expect(outcomeOfFound(turned, expected).kind).toBe(outcome.kind);
      }),
      runs(5_000),
    );
  });
});
