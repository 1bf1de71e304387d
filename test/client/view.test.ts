/** The public view of a refund, derived from the ledger's record alone. */
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../client/view.js';
import { CASE_REASONS } from '../../domain/refund/reasons.js';
import { PUBLIC_STATUS, REFUND_STATES } from '../../domain/refund/states.js';
import type { AttemptRecord, RefundRecord } from '../../ledger/core/refund-record.js';

const AT = new Date('2026-02-03T04:05:06.789Z');

const RECORD: RefundRecord = {
  id: '0199b0a4-7c1e-7f3a-9d52-2f6f1c1f4b11',
  askedFor: 'refund',
  isUnlinkedCredit: false,
  paymentId: '8ac7a4a18f6fcb2d018f70a1b2c3d4e5',
  entityId: '8ac7a4c79394bdc801939736f17e063d',
  clientId: 'shop',
  idempotencyKey: 'key',
  amountMinor: 1230n,
  currency: 'EUR',
  reason: 'goods_returned',
  requestedBy: 'clerk',
  orderId: null,
  destination: null,
  metadata: null,
  state: 'reserved',
  why: null,
  blocks: null,
  instruction: null,
  elsewhereMinor: 0n,
  chargedBackMinor: 0n,
  attempts: [],
  openCases: [],
  proposal: null,
  destinationChangedBy: [],
  version: 1,
  stateSince: AT,
  createdAt: AT,
  updatedAt: AT,
};

const attempt = (changes: Partial<AttemptRecord>): AttemptRecord => ({
  id: '0199b0a4-7c1e-7f3a-9d52-2f6f1c1f4b12',
  number: 1,
  paidBackMinor: null,
  operation: 'refund',
  originalId: RECORD.paymentId,
  registrationId: null,
  cardRef: null,
  reference: 'reference-1',
  amountMinor: 1230n,
  state: 'submitting',
  submissions: 1,
  gatewayId: null,
  resultCode: null,
  resultDescription: null,
  declineClass: null,
  settlement: null,
  otherLast4: null,
  note: null,
  queries: 0,
  sentAt: AT,
  answeredAt: null,
  ...changes,
});

describe('the view of a refund', () => {
  it('has every field of the contract before anything was sent', () => {
    expect(viewOf(RECORD)).toEqual({
      id: RECORD.id,
      askedFor: 'refund',
      paymentId: RECORD.paymentId,
      entityId: RECORD.entityId,
      amount: '12.30',
      currency: 'EUR',
      reason: 'goods_returned',
      orderId: null,
      metadata: {},
      idempotencyKey: 'key',
      requestedBy: 'clerk',
      destination: null,
      status: 'pending',
      state: 'reserved',
      operation: null,
      settledBy: null,
      settledAmount: '0.00',
      settlements: [],
      attempts: [],
      review: null,
      cases: [],
      approval: null,
      proposal: null,
      why: null,
      blocks: [],
      workflowId: `refund-${RECORD.id}`,
      stateSince: '2026-02-03T04:05:06.789Z',
      createdAt: '2026-02-03T04:05:06.789Z',
      updatedAt: '2026-02-03T04:05:06.789Z',
    });
  });

  it.each([
    ['JPY', 1230n, '1230'],
    ['KWD', 1230n, '1.230'],
    ['EUR', 5n, '0.05'],
    ['EUR', 12345678901234n, '123456789012.34'],
  ])('writes an amount in %s with the decimals of the currency', (currency, amountMinor, amount) => {
    expect(viewOf({ ...RECORD, currency, amountMinor })).toMatchObject({ amount, currency });
  });

  it.each(REFUND_STATES)('shows the status of %s from the table of states', (state) => {
    expect(viewOf({ ...RECORD, state }).status).toBe(PUBLIC_STATUS[state]);
  });

  it("shows an attempt with the gateway's names", () => {
    const refused = attempt({
      state: 'rejected',
      gatewayId: 'b'.repeat(32),
      resultCode: '700.500.001',
      resultDescription: 'referenced session contains too many transactions',
      declineClass: 'not_linkable',
      answeredAt: AT,
    });
    expect(viewOf({ ...RECORD, attempts: [refused] }).attempts).toEqual([
      {
        type: 'RF',
        amount: '12.30',
        merchantTransactionId: 'reference-1',
        gatewayId: 'b'.repeat(32),
        state: 'rejected',
        resultCode: '700.500.001',
        resultDescription: 'referenced session contains too many transactions',
        class: 'not_linkable',
        sentAt: '2026-02-03T04:05:06.789Z',
        answeredAt: '2026-02-03T04:05:06.789Z',
        settlement: null,
        otherLast4: null,
      },
    ]);
  });

  it('shows the operation that paid, also if another one was tried later', () => {
    const attempts = [
      attempt({ number: 1, state: 'succeeded' }),
      attempt({ number: 2, operation: 'credit', state: 'rejected' }),
    ];
    expect(viewOf({ ...RECORD, attempts }).operation).toBe('refund');
  });

  it('shows the last operation if nothing was paid', () => {
    const attempts = [
      attempt({ state: 'rejected' }),
      attempt({ number: 2, operation: 'credit', state: 'unknown' }),
    ];
    const view = viewOf({ ...RECORD, attempts });
    expect(view.operation).toBe('credit');
    expect(view.attempts.map(({ type }) => type)).toEqual(['RF', 'CD']);
  });

  it('shows the metadata that was accepted', () => {
    expect(viewOf({ ...RECORD, metadata: { cart: '17' } }).metadata).toEqual({ cart: '17' });
  });

  it('shows how the customer has the money, in any state', () => {
    expect(viewOf({ ...RECORD, attempts: [attempt({ state: 'succeeded' })] })).toMatchObject({
      settledBy: 'refund',
      settledAmount: '12.30',
    });
    expect(
      viewOf({ ...RECORD, state: 'failed', elsewhereMinor: 230n, chargedBackMinor: 1000n }),
    ).toMatchObject({
      status: 'failed',
      settledBy: 'chargeback',
      settledAmount: '12.30',
      settlements: [
        { by: 'refund_elsewhere', amount: '2.30' },
        { by: 'chargeback', amount: '10.00' },
      ],
    });
  });

  it.each(Object.entries(CASE_REASONS))('shows an operator the next step for %s', (why, review) => {
    expect(viewOf({ ...RECORD, state: 'manual_review', why }).review).toEqual(review);
  });

  it('shows an unknown reason as it is', () => {
    expect(viewOf({ ...RECORD, state: 'manual_review', why: 'of_a_newer_version' }).review?.why).toBe(
      'of_a_newer_version',
    );
  });

  it('shows no review outside of review, for any reason', () => {
    expect(viewOf({ ...RECORD, state: 'failed', why: 'risk' }).review).toBeNull();
  });

  it('shows the approval only while it waits', () => {
    const instruction = {
      hash: 'c'.repeat(32),
      operation: 'credit',
      amountMinor: '80000',
      currency: 'EUR',
      destination: { registrationId: 'd'.repeat(32) },
      why: ['above_threshold'],
    } as const;
    expect(viewOf({ ...RECORD, state: 'awaiting_approval', instruction }).approval).toEqual({
      instruction: 'c'.repeat(32),
      amount: '800.00',
      currency: 'EUR',
      destination: { registrationId: 'd'.repeat(32) },
      why: ['above_threshold'],
    });
    expect(viewOf({ ...RECORD, state: 'fallback_checking', instruction }).approval).toBeNull();
  });
});
