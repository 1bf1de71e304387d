/** Schemas of requests: path parameters, queries, headers and bodies. They validate, and the OpenAPI document is generated from them. */
import { z } from 'zod';
import { boundedText } from '../../domain/bounded-text.js';
import { IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_RULE } from '../../domain/refund/idempotency-key.js';
import { creditRequestShape, refundRequestShape } from '../../domain/refund/request-shape.js';
import { REFUND_STATES } from '../../domain/refund/states.js';
import { gatewayId, STATUSES, uuid } from './schemas.js';

export const refundParams = z.strictObject({ id: uuid });
export const paymentParams = z.strictObject({ id: gatewayId });

export const refundRequest = refundRequestShape.meta({
  id: 'RefundRequest',
  examples: [
    {
      paymentId: '8ac7a4a18f6fcb2d018f70a1b2c3d4e5',
      amount: '12.30',
      currency: 'EUR',
      reason: 'goods_returned',
      orderId: '4711',
    },
  ],
});

export const creditRequest = creditRequestShape.meta({
  id: 'CreditRequest',
  examples: [
    {
      amount: '12.30',
      currency: 'EUR',
      reason: 'goodwill',
      destination: { registrationId: '8ac7a4a18f6fcb2d018f70a1b2c3d4e5' },
    },
  ],
});

/** Validates the idempotency key and ignores all other headers. */
export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string({
      error: 'is missing: send a new key for each new refund, and the same key to repeat a request',
    })
    .regex(IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_RULE),
});

export const waitQuery = z.strictObject({
  wait: z
    .string()
    .regex(/^([1-9]|[1-5]\d|60)s$/, 'must be a whole number of seconds from 1s to 60s')
    .describe('Wait until the refund is final, or at most this long, before the response')
    .optional(),
});

const limit = {
  limit: z.coerce
    .number({ error: 'must be a whole number from 1 to 200' })
    .int()
    .min(1)
    .max(200)
    .describe('Page size; default 50')
    .default(50),
};
const CURSOR = '`nextCursor` of the previous page';

export const refundsQuery = z.strictObject({
  status: z.enum(STATUSES).optional(),
  state: z.enum(REFUND_STATES).optional(),
  paymentId: gatewayId.optional(),
  stuck: z.enum(['true', 'false']).describe('`true`: only refunds that need an operator').optional(),
  cursor: uuid.describe(CURSOR).optional(),
  ...limit,
});

export const queueQuery = z.strictObject({
  cursor: z
    .string()
    .regex(/^[\w-]{1,128}$/, 'must be the nextCursor of the previous page')
    .describe(CURSOR)
    .optional(),
  ...limit,
});

export const streamHeaders = z.looseObject({
  'last-event-id': z
    .string()
    .regex(/^\d{1,18}$/, 'must be the id of a change')
    .optional(),
});

export const searchQuery = z.strictObject({
  q: boundedText(255)
    .refine((text) => text !== '', 'must not be empty')
    .refine((text) => !text.includes('\u0000'), 'must be an id')
    .meta({ description: 'Any id, complete', minLength: 1, maxLength: 255 }),
});
