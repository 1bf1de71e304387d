/** The fingerprint of a request covers every field: the same idempotency key with another value is a different request. */
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { canonicalRequest, readCreditRequest, readRefundRequest } from '../../domain/refund/request.js';
import type { creditRequestShape, refundRequestShape } from '../../domain/refund/request-shape.js';

const PAYMENT = '8ac7a4a18f6fcb2d018f70a1b2c3d4e5';
const OTHER = '8ac7a4a18f6fcb2d018f70a1b2c3d4e6';
const REQUEST = { paymentId: PAYMENT, amount: '12.00', currency: 'EUR', reason: 'goods_returned' };
const CREDIT = {
  amount: '12.00',
  currency: 'EUR',
  reason: 'goodwill',
  destination: { registrationId: PAYMENT },
};

/** Another value for each field, or a first value if the field is optional. */
const OTHER_VALUES: Readonly<Record<keyof z.infer<typeof refundRequestShape>, unknown>> &
  Readonly<Record<keyof z.infer<typeof creditRequestShape>, unknown>> = {
  paymentId: OTHER,
  amount: '12.01',
  currency: 'USD',
  reason: 'duplicate',
  orderId: '4711',
  destination: { registrationId: OTHER },
  payment: { type: 'DB', amount: '20.00', currency: 'EUR' },
  entityId: OTHER,
  metadata: { channel: 'web' },
};

const textOf = (
  reading: ReturnType<typeof readRefundRequest> | ReturnType<typeof readCreditRequest>,
): string => {
  if (!reading.ok) throw new Error(reading.problems.map(({ message }) => message).join());
  return canonicalRequest(reading.request);
};

describe('the fingerprint of a request', () => {
  it.each(Object.entries(OTHER_VALUES))('differs for another %s', (field, value) => {
    expect(textOf(readRefundRequest({ ...REQUEST, [field]: value }))).not.toBe(
      textOf(readRefundRequest(REQUEST)),
    );
  });

  it.each(Object.entries(OTHER_VALUES).filter(([field]) => field !== 'payment'))(
    'of a credit differs for another %s',
    (field, value) => {
      expect(textOf(readCreditRequest({ ...CREDIT, [field]: value }))).not.toBe(
        textOf(readCreditRequest(CREDIT)),
      );
    },
  );
});
