/** The vendor's groups and our exact lists, checked against every published code. */
import { describe, expect, it } from 'vitest';
import { CODE_GROUPS } from '../../gateway/oppwa/result-codes.js';
import type { ResultMeaning } from '../../domain/transaction.js';
import { groupOf, isChargeback, readCode } from '../../gateway/oppwa/read-code.js';
import type { Operation } from '../../domain/refund/operation.js';
import { PAYMENT_TYPES } from '../../gateway/oppwa/transaction.js';
import { hasPublishedCodes, PUBLISHED_CODES, unlessMissing } from './published-codes.js';

const OPERATIONS: readonly Operation[] = ['refund', 'reversal', 'credit'];

const DONE = ['000.000.000', '000.100.110', '000.100.111', '000.100.112', '000.300.000', '000.600.000'];
const PENDING = '000 001 103 200 201'.split(' ').map((last) => `000.200.${last}`);
const PENDING_FOR_DAYS = ['100.400.500', '800.400.500', '800.400.501', '800.400.502'];
const MANUAL =
  '000.100.105 000.100.106 000.100.211 000.100.212 000.400.030 000.400.050 000.500.000 000.500.100'.split(
    ' ',
  );
const DONE_AND_FLAGGED = '000 010 020 040 060 070 080 081 082 090 091 100'
  .split(' ')
  .map((last) => `000.400.${last}`);

const isManual = (code: string): boolean => {
  const reading = readCode(code, 'refund', 'live');
  return reading.kind === 'unknown' && reading.why === 'manual_code';
};

describe.runIf(hasPublishedCodes)(`every published code${unlessMissing}`, () => {
  it('is in exactly one group, except the two that the vendor left out', () => {
    const odd = PUBLISHED_CODES.map((code) => ({
      code,
      groups: CODE_GROUPS.filter(({ pattern }) => pattern.test(code)).map(({ name }) => name),
    })).filter(({ groups }) => groups.length !== 1);
    expect(odd).toEqual([
      { code: '000.500.000', groups: [] },
      { code: '000.500.100', groups: [] },
    ]);
    expect(PUBLISHED_CODES).toHaveLength(661);
  });

  it('fills the groups as the vendor published them', () => {
    const sizes = CODE_GROUPS.map(
      ({ name }) => [name, PUBLISHED_CODES.filter((code) => groupOf(code)?.name === name).length] as const,
    );
    expect(Object.fromEntries(sizes)).toEqual({
      success: 18,
      success_review: 13,
      pending_short: 9,
      pending_long: 4,
      three_ds_or_intercard_risk: 13,
      bank: 87,
      communication: 18,
      system: 9,
      asynchronous: 12,
      soft_decline: 1,
      external_risk: 87,
      address_verification: 9,
      three_d_secure: 26,
      blacklist: 17,
      risk_validation: 24,
      configuration: 33,
      registration: 28,
      job: 17,
      reference: 46,
      mac_control: 4,
      format: 69,
      address: 13,
      contact: 20,
      account: 36,
      amount: 13,
      risk_management: 4,
      chargeback: 29,
    });
  });

  it.each(OPERATIONS)('means that a %s is done only if it is on the list', (operation) => {
    const done = PUBLISHED_CODES.filter((code) => readCode(code, operation, 'test').kind === 'succeeded');
    expect(done).toEqual([...DONE, ...DONE_AND_FLAGGED].sort());
  });

  it.each(OPERATIONS)('of which a live host may give a %s all but those of the test system', (operation) => {
    const done = PUBLISHED_CODES.filter((code) => readCode(code, operation, 'live').kind === 'succeeded');
    expect(done).toEqual(
      [...DONE, ...DONE_AND_FLAGGED].filter((code) => !code.startsWith('000.100.11')).sort(),
    );
  });

  it.each(OPERATIONS)('is known for a %s: none is called unlisted or malformed as a code', (operation) => {
    const unread = PUBLISHED_CODES.filter((code) => {
      const reading = readCode(code, operation, 'test');
      return reading.kind === 'unknown' && ['unlisted_code', 'malformed_code'].includes(reading.why);
    });
    expect(unread).toEqual([]);
  });

  it.each(OPERATIONS)(
    'that the vendor counts among the successes is never a decline of a %s',
    (operation) => {
      const successful = PUBLISHED_CODES.filter((code) => groupOf(code)?.name.startsWith('success'));
      expect(successful.filter((code) => readCode(code, operation, 'test').kind === 'declined')).toEqual([]);
    },
  );

  it.each(OPERATIONS)(
    'of the communication group leaves a %s unknown, except the three that are certain',
    (operation) => {
      const certain = PUBLISHED_CODES.filter(
        (code) =>
          groupOf(code)?.name === 'communication' && readCode(code, operation, 'test').kind !== 'unknown',
      );
      expect(certain).toEqual(['900.100.202', '900.100.310', '900.100.600']);
    },
  );

  it.each(OPERATIONS)('means that a %s is pending only if it is on the list', (operation) => {
    const pending = PUBLISHED_CODES.filter((code) => readCode(code, operation, 'test').kind === 'pending');
    expect(pending).toEqual([...PENDING, ...PENDING_FOR_DAYS].sort());
  });

  it('that an operator must review is on the list', () => {
    expect(PUBLISHED_CODES.filter(isManual)).toEqual(MANUAL);
  });

  it('of the chargeback group is an executed chargeback, except the two that an operator must review', () => {
    const disputed = PUBLISHED_CODES.filter((code) => groupOf(code)?.name === 'chargeback');
    expect(disputed.filter((code) => !isChargeback(code))).toEqual(['000.100.211', '000.100.212']);
    expect(PUBLISHED_CODES.filter(isChargeback)).toHaveLength(disputed.length - 2);
  });
});

describe('the exact lists', () => {
  it.each(OPERATIONS)('a %s is done, with or without a request for a manual review', (operation) => {
    const read = (codes: readonly string[]) => codes.map((code) => readCode(code, operation, 'test'));
    const done = (flagged: boolean): ResultMeaning => ({ kind: 'succeeded', flagged });
    expect(read(DONE)).toEqual(DONE.map(() => done(false)));
    expect(read(DONE_AND_FLAGGED)).toEqual(DONE_AND_FLAGGED.map(() => done(true)));
  });

  it.each(OPERATIONS)('a code that an operator must review leaves a %s unknown', (operation) => {
    const read = MANUAL.map((code) => readCode(code, operation, 'test'));
    expect(read).toEqual(MANUAL.map((): ResultMeaning => ({ kind: 'unknown', why: 'manual_code' })));
    expect(MANUAL.every(isManual)).toBe(true);
  });
});

describe('the groups', () => {
  it('are the vendor’s 27, each with a name of its own', () => {
    expect(new Set(CODE_GROUPS.map(({ name }) => name)).size).toBe(27);
  });

  it('have a description each, all different', () => {
    for (const { meaning } of CODE_GROUPS) expect(meaning).toMatch(/^[A-Z0-9]/);
    expect(new Set(CODE_GROUPS.map(({ meaning }) => meaning)).size).toBe(27);
  });

  it.each(['100.2A0.100', '100x210.101', '000.100', '000.000.000 ', '000.000.0000', '', '0000000000'])(
    'know nothing of %j, which is no code',
    (code) => {
      expect(groupOf(code)).toBeUndefined();
    },
  );
});

describe('the orders', () => {
  it('are called RF, RV and CD', () => {
    expect(PAYMENT_TYPES).toEqual({ refund: 'RF', reversal: 'RV', credit: 'CD' });
  });
});
