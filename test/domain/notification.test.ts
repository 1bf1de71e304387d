/** Effects of a notification: it may complete an ordered success. Every other notification leads to a query. */
import { describe, expect, it } from 'vitest';
import type { NotifiedAttempt } from '../../domain/refund/notification.js';
import { ATTEMPT_STATES, type AttemptState } from '../../domain/refund/attempt-states.js';
import type { OppwaTransaction } from '../../gateway/oppwa/transaction.js';
import { isShown, readNotification } from '../support/as-oppwa.js';

const ID = 'a'.repeat(32);
const OTHER_ID = 'b'.repeat(32);
const ORIGINAL = 'c'.repeat(32);
const CODES = { success: '000.100.110', pending: '800.400.502', decline: '800.100.152' };

const attempt = (state: AttemptState, gatewayId: string | null = ID): NotifiedAttempt => ({
  operation: 'refund',
  originalId: ORIGINAL,
  amountMinor: 60_00n,
  currency: 'EUR',
  reference: '0123456789ABCDEF',
  state,
  gatewayId,
});
const reported = (code: string, change: Partial<OppwaTransaction> = {}): OppwaTransaction => ({
  id: ID,
  paymentType: 'RF',
  amount: '60.00',
  currency: 'EUR',
  merchantTransactionId: '0123456789ABCDEF',
  referencedId: ORIGINAL,
  result: { code, description: '' },
  timestamp: '2026-09-01 10:22:16.123+0000',
  ...change,
});
const meaning = (transaction: OppwaTransaction, about: NotifiedAttempt) =>
  readNotification(transaction, about, 'test').kind;

describe('a notification of success that agrees with the order', () => {
  it.each<[AttemptState, string]>([
    ['submitting', 'complete'],
    ['unknown', 'complete'],
    ['pending', 'complete'],
    ['absent', 'complete'],
    ['succeeded', 'known'],
    ['rejected', 'query'],
    ['returned', 'query'],
  ])('about an attempt that is %s: %s', (state, kind) => {
    expect(meaning(reported(CODES.success), attempt(state))).toBe(kind);
  });

  it('completes an attempt whose id is not known yet', () => {
    expect(readNotification(reported(CODES.success), attempt('submitting', null), 'test')).toEqual({
      kind: 'complete',
      outcome: { kind: 'succeeded', gatewayId: ID, flagged: false },
    });
  });

  it('with another id than the answer leads to a query: it may be a second execution', () => {
    expect(meaning(reported(CODES.success, { id: OTHER_ID }), attempt('pending'))).toBe('wake');
    expect(meaning(reported(CODES.success, { id: OTHER_ID }), attempt('succeeded'))).toBe('query');
  });

  it('of the test system proves nothing on a live host', () => {
    expect(readNotification(reported(CODES.success), attempt('pending'), 'live').kind).toBe('wake');
  });
});

describe('a notification of success that does not agree in everything', () => {
  it.each<[string, Partial<OppwaTransaction>]>([
    ['another amount', { amount: '60.01' }],
    ['another currency', { currency: 'USD' }],
    ['another type', { paymentType: 'CD' }],
    ['another reference', { merchantTransactionId: 'FEDCBA9876543210' }],
    ['another original', { referencedId: 'd'.repeat(32) }],
    ['the id of the original', { id: ORIGINAL }],
    ['an id that is none', { id: 'A' }],
  ])('with %s only brings the query forward', (_what, change) => {
    expect(meaning(reported(CODES.success, change), attempt('pending'))).toBe('wake');
  });

  it.each(['id', 'paymentType', 'amount', 'currency', 'merchantTransactionId'] as const)(
    'without %s only brings the query forward',
    (field) => {
      const { [field]: _left, ...rest } = reported(CODES.success);
      expect(meaning(rest, attempt('pending', null))).toBe('wake');
    },
  );
});

describe('any other notification', () => {
  it.each(ATTEMPT_STATES)('never decides about an attempt that is %s', (state) => {
    for (const code of [CODES.pending, CODES.decline, '999.999.999', '000.100.200'])
      for (const gatewayId of [ID, OTHER_ID, null])
        expect(meaning(reported(code), attempt(state, gatewayId))).not.toBe('complete');
  });

  it.each<[AttemptState, string, string]>([
    ['submitting', 'pending', 'known'],
    ['submitting', 'decline', 'wake'],
    ['unknown', 'pending', 'wake'],
    ['unknown', 'decline', 'wake'],
    ['pending', 'decline', 'wake'],
    ['pending', 'pending', 'known'],
    ['succeeded', 'pending', 'known'],
    ['succeeded', 'decline', 'query'],
    ['rejected', 'decline', 'known'],
    ['rejected', 'pending', 'query'],
    ['returned', 'decline', 'known'],
    ['absent', 'pending', 'query'],
    ['absent', 'decline', 'query'],
  ])('about an attempt that is %s, reporting %s: %s', (state, what, kind) => {
    const code = Object.entries(CODES).find(([name]) => name === what)?.[1] ?? '';
    expect(meaning(reported(code), attempt(state))).toBe(kind);
  });
});

describe('a query shows the reported transaction', () => {
  const notification = reported(CODES.decline);

  it('if it has the same code', () => {
    expect(isShown(notification, [{ ...notification, timestamp: '2020-01-01 00:00:00+0000' }])).toBe(true);
  });

  it('if it has something newer, in either form of the time', () => {
    for (const timestamp of ['2026-09-01 10:22:16.123+0000', '2026-09-01 10:22:17+0000'])
      expect(isShown(notification, [reported(CODES.success, { timestamp })])).toBe(true);
  });

  it('but not if it has something older or nothing: it lags behind', () => {
    expect(isShown(notification, [reported(CODES.success, { timestamp: '2026-09-01 10:22:15+0000' })])).toBe(
      false,
    );
    expect(isShown(notification, [reported(CODES.decline, { id: OTHER_ID })])).toBe(false);
    expect(isShown(notification, [])).toBe(false);
  });

  it('if there is no id or no time to compare', () => {
    const { id: _id, ...nameless } = notification;
    const { timestamp: _time, ...timeless } = reported(CODES.success);
    expect(isShown(nameless, [])).toBe(true);
    expect(isShown(notification, [timeless])).toBe(true);
  });
});
