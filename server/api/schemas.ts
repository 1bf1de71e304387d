/** What goes in and out over HTTP: the schemas that validate are the ones that the OpenAPI document is made from. */
import { z } from 'zod';
import { boundedText } from '../../domain/bounded-text.js';
import { IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_RULE } from '../../domain/refund/idempotency-key.js';
import { ROLES } from '../../domain/principal.js';
import { creditRequestShape, refundRequestShape } from '../../domain/refund/request-shape.js';
import { SETTLED_BY } from '../../domain/refund/settlement.js';
import { ATTEMPT_STATES, REFUND_STATES } from '../../domain/refund/states.js';

const STATUSES = ['pending', 'succeeded', 'failed', 'canceled', 'review'] as const;

export const time = z.iso.datetime().describe('UTC');
export const amount = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .describe("Decimal, with the currency's own number of decimals");
const currency = z.string().regex(/^[A-Z]{3}$/);
const gatewayId = z.string().regex(/^[a-f0-9]{32}$/);
export const uuid = z
  .string()
  .regex(
    /^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$/,
    'must be a UUID in lower case, as it was given',
  );

const attempt = z
  .object({
    type: z.enum(['RF', 'RV', 'CD']),
    amount,
    merchantTransactionId: z.string().describe('Ours; known before anything was sent'),
    gatewayId: z.string().nullable(),
    state: z.enum(ATTEMPT_STATES),
    resultCode: z.string().nullable(),
    resultDescription: z.string().nullable(),
    class: z.string().nullable().describe('What the refusal means, where it is one'),
    sentAt: time,
    answeredAt: time.nullable(),
  })
  .meta({ id: 'Attempt' });

const openCase = z
  .object({
    why: z.string().describe('Stable code'),
    text: z.string(),
    nextStep: z.string(),
    openedAt: time,
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'OpenCase' });

const refundFields = {
  id: uuid,
  askedFor: z.enum(['refund', 'credit']).describe('`credit`: with POST /v1/credits'),
  paymentId: gatewayId.nullable().describe('Null: a credit that is linked to no payment'),
  entityId: gatewayId,
  amount,
  currency,
  reason: z.string(),
  orderId: z.string().nullable(),
  metadata: z.record(z.string(), z.string()).describe('As it was sent; `{}` where there was none'),
  idempotencyKey: z.string(),
  requestedBy: z.string().describe('Whoever asked; it cannot approve'),
  destination: z.object({ registrationId: gatewayId }).nullable(),
  status: z.enum(STATUSES),
  state: z.enum(REFUND_STATES),
  operation: z
    .enum(['refund', 'reversal', 'credit'])
    .nullable()
    .describe('What was ordered at the gateway: the operation that paid, or that was tried last'),
  settledBy: z
    .enum(SETTLED_BY)
    .nullable()
    .describe(
      'How the customer has the money, whatever `status` says: the means with the largest part. Null: the customer has nothing of it. Decide by this and `settledAmount`',
    ),
  settledAmount: amount.describe('What the customer has of `amount`, by all means together'),
  settlements: z
    .array(z.object({ by: z.enum(SETTLED_BY), amount }))
    .readonly()
    .describe('Each means with its part'),
  attempts: z.array(attempt).readonly(),
  review: z.object({ why: z.string(), nextStep: z.string() }).nullable(),
  cases: z.array(openCase).readonly(),
  approval: z
    .object({
      instruction: z
        .string()
        .describe('Send it with approve or reject: the word then counts for exactly this'),
      amount,
      currency,
      destination: z.object({ registrationId: gatewayId }),
      why: z.array(z.string()).readonly(),
    })
    .nullable(),
  proposal: z
    .object({
      instruction: z.string(),
      action: z.enum(['correct']),
      effect: z.string(),
      by: z.string(),
      reason: z.string(),
      ticket: z.string().nullable(),
      at: time,
    })
    .nullable(),
  why: z.string().nullable(),
  blocks: z.array(z.string()).readonly(),
  workflowId: z.string(),
  stateSince: time,
  createdAt: time,
  updatedAt: time,
};
export const refund = z.object(refundFields).meta({ id: 'Refund' });

export const queueItem = z
  .object({
    ...refundFields,
    ageSeconds: z.int().min(0).describe('Since its state, or its oldest open case'),
  })
  .meta({ id: 'QueueItem' });

export const timelineEntry = z
  .object({
    id: z.string(),
    at: time,
    type: z.string(),
    actor: z.string(),
    refundId: uuid.nullable(),
    attemptId: uuid.nullable(),
    text: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'TimelineEntry' });

export const payment = z
  .object({
    id: gatewayId,
    entityId: gatewayId,
    type: z.enum(['DB', 'PA', 'CP']).describe('CP: one capture, declared before its authorization was known'),
    declared: z.boolean().describe('As declared with a refund; the gateway has not shown it yet'),
    state: z.enum(['succeeded', 'pending', 'rejected']),
    currency,
    authorized: amount,
    captured: amount,
    refunded: amount.describe('By refunds and reversals'),
    credited: amount,
    reserved: amount.describe('Held for refunds that are not final'),
    returned: amount.describe('Came back after it had succeeded'),
    disputed: amount,
    excess: amount.describe('Given back beyond the limit, by what happened outside'),
    refundable: amount,
    refunds: z.array(refund).readonly(),
    disputes: z
      .array(
        z.object({
          id: z.string(),
          amount,
          reversed: amount.describe('Of the amount, what chargeback reversals gave back to the merchant'),
          at: time,
          isOver: z.boolean().describe('All of it was reversed, or it was declined'),
        }),
      )
      .readonly(),
    timeline: z.array(timelineEntry).readonly(),
  })
  .meta({ id: 'Payment' });

export const principal = z
  .object({ name: z.string(), roles: z.array(z.enum(ROLES)).readonly() })
  .meta({ id: 'Principal' });

export const found = z
  .object({
    kind: z.enum(['refund', 'payment']),
    id: z.string(),
    matched: z.enum([
      'refundId',
      'paymentId',
      'merchantTransactionId',
      'gatewayId',
      'orderId',
      'idempotencyKey',
    ]),
    refund: refund.optional(),
  })
  .meta({ id: 'Found' });

export const change = z
  .object({
    id: z.string(),
    at: time,
    type: z.string(),
    refundId: uuid.nullable(),
    paymentId: gatewayId.nullable(),
    state: z.enum(REFUND_STATES).nullable(),
  })
  .meta({ id: 'Change' });

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item).readonly(), nextCursor: z.string().nullable() });
export const listOf = <Item extends z.ZodType>(item: Item) => z.object({ data: z.array(item).readonly() });

export const byRefund = z.strictObject({ id: uuid });
export const byPayment = z.strictObject({ id: gatewayId });

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

/** The other headers of a request are its own business. */
export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string({
      error: 'is missing: one key for each refund that is meant, the same key when it is asked for again',
    })
    .regex(IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_RULE),
});

export const waitQuery = z.strictObject({
  wait: z
    .string()
    .regex(/^([1-9]|[1-5]\d|60)s$/, 'must be whole seconds from 1s to 60s')
    .describe('Answer as soon as the refund is final, at the latest then')
    .optional(),
});

const limit = {
  limit: z.coerce
    .number({ error: 'must be a whole number from 1 to 200' })
    .int()
    .min(1)
    .max(200)
    .describe('At most so many; 50 where absent')
    .default(50),
};
const CURSOR = '`nextCursor` of the page before';

export const refundsQuery = z.strictObject({
  status: z.enum(STATUSES).optional(),
  state: z.enum(REFUND_STATES).optional(),
  paymentId: gatewayId.optional(),
  stuck: z.enum(['true', 'false']).describe('Only those that wait for a person').optional(),
  cursor: uuid.describe(CURSOR).optional(),
  ...limit,
});

export const queueQuery = z.strictObject({
  cursor: z
    .string()
    .regex(/^[\w-]{1,128}$/, 'must be the nextCursor of the page before')
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
    .meta({ description: 'Any id, whole', minLength: 1, maxLength: 255 }),
});

export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('Stable'),
    detail: z.string(),
    problems: z
      .array(z.object({ field: z.string(), code: z.string(), message: z.string() }))
      .describe('Every field that is wrong')
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });
