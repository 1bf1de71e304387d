/** Meaning of each result code for a refund, a reversal and a credit: the decision tables, row by row. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DECLINE_CLASSES, type DeclineClass } from '../../domain/decline-class.js';
import type { Operation } from '../../domain/refund/operation.js';
import type { ResultDoubt } from '../../domain/transaction.js';
import { beginningsOf, queryMeaningOf, readCode } from '../../gateway/oppwa/read-code.js';
import { CODE_GROUPS, CODE_ROWS, type CodeMeaning, type Meanings } from '../../gateway/oppwa/result-codes.js';
import { runs } from '../support/chance.js';
import { hasPublishedCodes, PUBLISHED_CODES, unlessMissing } from './published-codes.js';

const OPERATIONS: readonly Operation[] = ['refund', 'reversal', 'credit'];

/** Splits a row: `100.400.000/001` is two codes. */
function codes(row: string): string[] {
  return row.split(' ').flatMap((entry) => {
    const [first = '', ...rest] = entry.split('/');
    return [first, ...rest.map((last) => first.slice(0, 8) + last)];
  });
}

const readings = (row: string, operation: Operation) => [
  ...new Set(codes(row).map((code) => JSON.stringify(readCode(code, operation, 'live')))),
];
const declined = (declineClass: DeclineClass) => [JSON.stringify({ kind: 'declined', class: declineClass })];
const unknown = (why: ResultDoubt) => [JSON.stringify({ kind: 'unknown', why })];

/** Declines after which another operation may pay: only a refund may have one. */
const OPENS_ANOTHER_OPERATION: readonly DeclineClass[] = [
  'not_linkable',
  'unknown_to_acquirer',
  'issuer_declined',
  'not_settled_yet',
  'partial_not_supported',
  'refund_not_enabled',
];

describe('a refund that is answered with', () => {
  it.each<[string, DeclineClass]>([
    // The payment's structure makes a linked refund impossible.
    ['700.500.001/004', 'not_linkable'],
    ['100.350.101', 'not_linkable'],
    ['700.300.100', 'not_linkable'],
    ['800.100.150', 'not_linkable'],
    ['800.100.167', 'unknown_to_acquirer'],
    ['100.397.102', 'not_linkable'],
    ['800.100.100/152/170', 'issuer_declined'],
    ['900.100.202', 'not_settled_yet'],
    ['700.100.200', 'partial_not_supported'],
    ['600.200.202/310/400', 'refund_not_enabled'],
    // The general decline.
    ['700.400.200', 'ambiguous'],
    // A credit would pay twice, or without need.
    ['700.300.200', 'not_owed'],
    ['700.300.300', 'already_returned'],
    ['700.400.300', 'already_returned'],
    ['700.300.500/600', 'disputed'],
    ['700.400.400/402/410/411/420', 'disputed'],
    ['000.100.200/201/202/203/210/220/225/234/299', 'disputed'],
    ['800.100.206/207', 'repaid_by_bank'],
    ['700.100.300 100.550.301/701/702', 'our_data_wrong'],
    ['700.400.520', 'not_captured'],
    ['100.350.100', 'not_owed'],
    ['700.500.002/003', 'not_owed'],
    ['800.200.159/160/165/202/208/220', 'risk'],
    ['800.300.101/102/200/301/302/401/500/501', 'risk'],
    ['100.400.000/001/020/100/149/241/260/300/328', 'risk'],
    ['100.380.100/101/110/201/305/306/401/501', 'risk'],
    ['800.100.154/158', 'risk'],
    ['800.140.100/113 800.150.100 800.160.100/130', 'risk'],
    // Our request or our configuration is wrong.
    ['700.100.100/400/500/600/700/701/710', 'configuration'],
    ['700.400.580/700 700.450.001', 'configuration'],
    ['600.200.500', 'configuration'],
    ['600.200.100/200/201/300/600/700/701/800/810', 'configuration'],
    ['600.300.101/200/210/211', 'configuration'],
    ['500.100.201/301/403 500.200.101', 'configuration'],
    ['800.121.100/400 800.900.100/300/450', 'configuration'],
    ['200.100.101/603 200.300.403/404/406/407', 'configuration'],
    ['100.300.101/701 100.500.101/304', 'configuration'],
    ['100.550.300/303/312/400/401 100.600.500 100.900.500', 'configuration'],
    ['800.100.156/173/174/175/177/190', 'configuration'],
    // A temporary condition.
    ['700.400.570', 'wait'],
    ['800.100.155/161/162/163/164/176/178/179/191', 'wait'],
    ['100.550.310/311', 'wait'],
    ['800.120.100/101/103/200/203/401', 'wait'],
    ['800.700.100', 'wait'],
    ['900.100.310/600', 'wait'],
    ['800.800.400/800/801', 'wait'],
    ['700.600.002/025', 'wait'],
    // Another operation is possible.
    ['700.300.400/700/800', 'other_operation'],
    ['700.400.100/101/510/530', 'other_operation'],
    ['700.400.000', 'unlisted'],
    // The card is unusable.
    ['800.100.151/157/159/160/165/168/171/172/202', 'card_unusable'],
    ['800.310.200/210/211 700.601.003', 'card_unusable'],
    // By group.
    ['800.100.169/195/203/500 800.700.101 800.800.102', 'unlisted'],
    ['300.100.100 100.390.112 800.400.200', 'unlisted'],
    ['700.601.001', 'unlisted'],
    ['000.400.101/113 000.400.200 800.400.110 800.120.300', 'risk'],
    ['100.100.701', 'risk'],
    ['100.100.101/303 100.150.200 100.210.101 100.250.100 100.360.300', 'configuration'],
    ['100.550.605 100.700.100 100.800.200 100.900.450', 'configuration'],
    ['100.395.101 100.396.101/201 100.397.101', 'unlisted'],
  ])('%s is declined: %s', (row, declineClass) => {
    expect(readings(row, 'refund')).toEqual(declined(declineClass));
  });
});

describe('the outcome is unknown after', () => {
  const rows: readonly (readonly [string, ResultDoubt])[] = [
    ['900.100.100/200/201/203/204/205/300/301/400/500/700', 'communication'],
    ['900.200.100 900.300.600 900.400.100', 'communication'],
    ['100.395.501/502 100.396.103/104', 'communication'],
    ['999.999.888/999 600.100.100 800.500.100/110', 'system'],
    ['800.110.100 800.130.100 200.200.106 200.300.405', 'duplicate'],
    ['800.600.100 800.120.402', 'already_processing'],
    ['000.400.030/050 000.100.105/106/211/212 000.500.000/100', 'manual_code'],
    ['000.000.100', 'not_a_result'],
    ['000.200.100/101/102/999', 'not_a_result'],
    ['000.300.100/101/102/103 000.310.100/101/110', 'not_a_result'],
    ['000.400.110/120', 'not_a_result'],
    ['000.100.110/111/112', 'test_success_on_live'],
    // New codes of a group that proves nothing.
    ['900.100.999 900.400.200', 'communication'],
    ['800.500.999 800.600.999 800.800.899', 'system'],
    // Codes of a group that is not a decline, or of none.
    ['000.000.001 000.600.001 000.300.001 000.400.099 000.200.300 800.400.503 100.396.999', 'unlisted_code'],
    ['123.456.789 700.200.100 900.500.100', 'unlisted_code'],
  ];
  const cases = OPERATIONS.flatMap((operation) => rows.map(([row, why]) => [operation, row, why] as const));

  it.each(cases)('a %s that is answered with %s: %s', (operation, row, why) => {
    expect(readings(row, operation)).toEqual(unknown(why));
  });

  it.each([
    '',
    '000',
    '000.000.000 ',
    ' 000.000.000',
    '000.000.000\n',
    '000000000',
    '000.000.0000',
    'x',
    '٠٠٠.٠٠٠.٠٠٠',
  ])('a code like %j', (code) => {
    for (const operation of OPERATIONS)
      expect(readCode(code, operation, 'test')).toEqual({ kind: 'unknown', why: 'malformed_code' });
  });
});

describe('an answer may be pending for long', () => {
  it.each(OPERATIONS)('a %s is pending', (operation) => {
    const pending = '000.200.000/001/103/200/201 800.400.500/501/502 100.400.500';
    expect(readings(pending, operation)).toEqual([JSON.stringify({ kind: 'pending' })]);
  });
});

describe('a reversal that is answered with', () => {
  it.each<[string, DeclineClass]>([
    ['700.300.100/700/800 700.400.530', 'reversal_too_late'],
    ['700.300.300 700.400.300', 'already_returned'],
    ['700.300.600', 'disputed'],
    ['700.300.200', 'not_owed'],
    ['700.400.570', 'wait'],
    ['700.400.580 600.200.202/310/400', 'configuration'],
    ['700.400.200/510/520 700.300.400', 'other_operation'],
    ['800.100.100/151/152/159/170', 'unlisted'],
    ['900.100.202 700.500.001/004 100.350.101 700.100.200 100.397.102', 'unlisted'],
    ['800.100.150/167 800.310.200 700.601.003', 'unlisted'],
    ['100.400.020', 'risk'],
  ])('%s is declined: %s', (row, declineClass) => {
    expect(readings(row, 'reversal')).toEqual(declined(declineClass));
  });
});

describe('a credit that is answered with', () => {
  it.each<[string, DeclineClass]>([
    ['100.100.100/101/303/600/700 100.150.200/202/206/300', 'card_unusable'],
    ['800.310.200/210/211 700.601.003', 'card_unusable'],
    // Final, whatever a refund would do after it.
    ['800.100.100/150/151/152/155/159/162/167/170/176/206/207/500', 'issuer_declined'],
    ['800.100.154/158 100.100.701 800.300.101 100.400.020', 'risk'],
    ['600.200.100/202/310/400/500/800', 'credit_not_enabled'],
    // About us, for any customer.
    ['500.100.201/402 500.200.101 100.150.100/101 100.100.104/501', 'configuration'],
    ['800.100.156/173/174/175/177/190/305', 'configuration'],
    ['600.200.701 600.300.200 800.900.300 200.300.404 700.400.700', 'configuration'],
    // Certainly not executed.
    [
      '800.100.164/191 800.120.100/401 800.700.100 900.100.310/600 800.800.400 700.600.002 100.550.310',
      'wait',
    ],
    // About an original, which a credit does not have.
    ['700.300.100/300/600 700.400.200/300/420/520/530/570 700.500.001', 'other_operation'],
    ['900.100.202 000.100.202', 'unlisted'],
  ])('%s is declined: %s', (row, declineClass) => {
    expect(readings(row, 'credit')).toEqual(declined(declineClass));
  });
});

describe('other decisions by code', () => {
  it.each([
    ['700.400.580', 'not_found'],
    ['800.120.100', 'throttled'],
    ['800.900.300', 'forbidden'],
    ['800.121.100', 'not_offered'],
    ['800.120.101', undefined],
    ['800.900.100', undefined],
    ['700.400.570', undefined],
    ['000.000.000', undefined],
    ['800.121.', undefined],
  ])('a query that is answered with %s: %s', (code, meaning) => {
    expect(queryMeaningOf(code)).toBe(meaning);
  });

  it('only after one decline the settlement of the original has to be proven', () => {
    const codesThat = CODE_ROWS.flatMap((row) =>
      row.refund === 'unknown_to_acquirer' ? beginningsOf(row) : [],
    );
    expect(codesThat).toEqual(['800.100.167']);
  });
});

describe('no code allows more than its row', () => {
  it.each(['reversal', 'credit'] as const)(
    'a declined %s never reads like a refund that may be paid otherwise',
    (operation) => {
      const opened = CODE_ROWS.flatMap(
        (row) => row[operation] ?? (operation === 'reversal' ? row.linked : undefined) ?? row.all ?? [],
      ).filter((meaning) => OPENS_ANOTHER_OPERATION.some((opens) => opens === meaning));
      // A declined credit is followed by no other operation: there is none left.
      expect(opened).toEqual(operation === 'credit' ? ['issuer_declined'] : []);
    },
  );

  it.runIf(hasPublishedCodes)(
    `of the published codes fifteen may be followed by a credit${unlessMissing}`,
    () => {
      const opening = PUBLISHED_CODES.filter((code) => {
        const reading = readCode(code, 'refund', 'live');
        return reading.kind === 'declined' && OPENS_ANOTHER_OPERATION.includes(reading.class);
      });
      expect(opening).toEqual(
        codes(
          '100.350.101 100.397.102 600.200.202/310/400 700.100.200 700.300.100 700.500.001/004 ' +
            '800.100.100/150/152/167/170 900.100.202',
        ).sort(),
      );
    },
  );

  it('only eighteen of all possible codes mean that money has moved', () => {
    const part = fc.oneof(
      fc.integer({ min: 0, max: 999 }).map((n) => String(n).padStart(3, '0')),
      fc.constantFrom('000', '100', '110', '112', '300', '400', '500', '600', '040', '050', '030', '091'),
    );
    const done =
      /^(000\.000\.000|000\.100\.11[012]|000\.300\.000|000\.600\.000|000\.400\.(0[01246789]0|081|082|091|100))$/;
    fc.assert(
      fc.property(part, part, part, fc.constantFrom(...OPERATIONS), (a, b, c, operation) => {
        const code = `${a}.${b}.${c}`;
        expect(readCode(code, operation, 'test').kind === 'succeeded').toBe(done.test(code));
      }),
      runs(5_000),
    );
  });

  it('names every class of decline once, and reads each from some code', () => {
    expect(new Set(DECLINE_CLASSES).size).toBe(DECLINE_CLASSES.length);
    const named = new Set<string>(CODE_ROWS.flatMap(meaningsIn));
    expect(DECLINE_CLASSES.filter((declineClass) => !named.has(declineClass))).toEqual([]);
  });

  it('each code and each beginning has one row', () => {
    const beginnings = CODE_ROWS.flatMap(beginningsOf);
    expect(beginnings.filter((one, at) => beginnings.indexOf(one) !== at)).toEqual([]);
    // A whole code, or a prefix that is marked as one.
    for (const { codes } of CODE_ROWS)
      expect(codes).toMatch(/^(\d{3}\.\d{3}\.(\d{3}(\/\d{3})*|\d{0,2}\*)|\d{3}\.\d{0,3}\*)( (?!$)|$)/);
  });

  it('no prefix is a success, and none is pending', () => {
    const certain = new Set<string>(['done', 'done_in_test', 'flagged', 'pending']);
    const answer = CODE_ROWS.filter((row) => meaningsIn(row).some((meaning) => certain.has(meaning)));
    expect(
      answer.flatMap(beginningsOf).filter((beginning) => beginning.length !== '000.000.000'.length),
    ).toEqual([]);
    expect(CODE_GROUPS.filter(({ all }) => certain.has(all))).toEqual([]);
  });

  it.runIf(hasPublishedCodes)(
    `each entry of the table is a published code or begins some${unlessMissing}`,
    () => {
      const dead = CODE_ROWS.flatMap(beginningsOf).filter(
        (beginning) => !PUBLISHED_CODES.some((code) => code.startsWith(beginning)),
      );
      expect(dead).toEqual([]);
    },
  );
});

const meaningsIn = ({ all, linked, refund, reversal, credit }: Meanings): readonly CodeMeaning[] =>
  [all, linked, refund, reversal, credit].flatMap((meaning) => meaning ?? []);
