/** Schemas of responses. They check every response, and the OpenAPI document is generated from them. */
import { z } from 'zod';
import { ROLES } from '../../domain/principal.js';
import { SETTLED_BY } from '../../domain/refund/settlement.js';
import { REFUND_STATES } from '../../domain/refund/states.js';
import { ATTEMPT_STATES } from '../../domain/refund/attempt-states.js';

export const STATUSES = ['pending', 'succeeded', 'failed', 'canceled', 'review'] as const;

export const time = z.iso.datetime().describe('UTC');
export const amount = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .describe("Decimal, with the currency's own number of decimals");
const currency = z.string().regex(/^[A-Z]{3}$/);
export const gatewayId = z.string().regex(/^[a-f0-9]{32}$/);
export const uuid = z
  .string()
  .regex(/^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$/, 'must be a UUID in lowercase');

const attempt = z
  .object({
    type: z.enum(['RF', 'RV', 'CD']),
    amount,
    merchantTransactionId: z.string().describe('Our reference, recorded before the attempt is submitted'),
    gatewayId: z.string().nullable().describe('Id of the transaction at the gateway; null until it is known'),
    state: z.enum(ATTEMPT_STATES),
    resultCode: z.string().nullable(),
    resultDescription: z.string().nullable(),
    class: z.string().nullable().describe('Class of the decline; null if the attempt was not declined'),
    settlement: z
      .object({
        reconciliationId: z.string().exactOptional(),
        connectorTxIds: z.record(z.string(), z.string()).exactOptional(),
        acquirerResponse: z.string().exactOptional(),
        clearingInstituteName: z.string().exactOptional(),
        shortId: z.string().exactOptional(),
        descriptor: z.string().exactOptional(),
      })
      .nullable()
      .describe("Ids and texts of the gateway's answer that find the transaction in settlement"),
    otherLast4: z
      .string()
      .nullable()
      .describe(
        'Last four digits of the card that the gateway shows, if they differ from those of the sealed card',
      ),
    sentAt: time,
    answeredAt: time.nullable(),
  })
  .meta({ id: 'Attempt' });

const openCase = z
  .object({
    why: z.string().describe('Stable code of the reason'),
    text: z.string().describe('The reason as a sentence'),
    nextStep: z.string().describe('What an operator can safely do next'),
    openedAt: time,
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'OpenCase' });

const shownDestination = z.union([
  z.object({ registrationId: gatewayId }),
  z.object({
    cardRef: uuid.describe('Reference of the sealed card'),
    brand: z.string(),
    last4: z.string(),
    initials: z.string().describe('Initials of the holder'),
  }),
]);

const refundFields = {
  id: uuid,
  askedFor: z.enum(['refund', 'credit']).describe('`credit` if requested with POST /v1/credits'),
  paymentId: gatewayId.nullable().describe('Null for an unlinked credit'),
  entityId: gatewayId,
  amount,
  currency,
  reason: z.string(),
  orderId: z.string().nullable(),
  metadata: z.record(z.string(), z.string()).describe('As sent by the client; `{}` if absent'),
  idempotencyKey: z.string(),
  requestedBy: z.string().describe('Principal that requested the refund; it cannot approve it'),
  destination: z
    .union(shownDestination.options)
    .nullable()
    .describe('Destination of a credit, if one was given. Null: the registration of the payment'),
  status: z.enum(STATUSES),
  state: z.enum(REFUND_STATES).describe('Detailed state behind `status`'),
  operation: z
    .enum(['refund', 'reversal', 'credit'])
    .nullable()
    .describe(
      'Operation at the gateway: the one that succeeded, else the latest. Null: nothing was submitted',
    ),
  settledBy: z
    .enum(SETTLED_BY)
    .nullable()
    .describe(
      'How the customer got the money, independent of `status`: the means with the largest part. Null: the customer has none of it. Base decisions on this and `settledAmount`',
    ),
  settledAmount: amount.describe('Part of `amount` that the customer has, by all means together'),
  settlements: z
    .array(z.object({ by: z.enum(SETTLED_BY), amount }))
    .readonly()
    .describe('The amount by each means'),
  attempts: z.array(attempt).readonly().describe('Oldest first'),
  review: z
    .object({ why: z.string(), nextStep: z.string() })
    .nullable()
    .describe('Why an operator is needed, and the safe next step; null unless in review'),
  cases: z.array(openCase).readonly().describe('Open cases; a final refund may have some, too'),
  approval: z
    .object({
      instruction: z
        .string()
        .describe('Pass it to approve or reject. It binds the decision to this amount and destination'),
      amount,
      currency,
      destination: shownDestination,
      why: z.array(z.string()).readonly().describe('Stable codes: why the credit needs an approval'),
    })
    .nullable()
    .describe('The credit that needs a second approver'),
  proposal: z
    .object({
      instruction: z.string().describe('Pass it to approve or reject'),
      action: z.enum(['correct']),
      effect: z.string().describe('Money effect of the correction'),
      by: z.string().describe('Operator who proposed it'),
      reason: z.string(),
      ticket: z.string().nullable(),
      at: time,
    })
    .nullable()
    .describe('The correction that needs a second approver'),
  why: z
    .string()
    .nullable()
    .describe('Reason of the current state: a stable code, or the note of the operator who ended it'),
  blocks: z.array(z.string()).readonly().describe('Stable codes: why no credit is possible'),
  workflowId: z.string().describe('Id of the Temporal workflow'),
  stateSince: time,
  createdAt: time,
  updatedAt: time,
};
export const refund = z.object(refundFields).meta({ id: 'Refund' });

export const queueItem = z
  .object({
    ...refundFields,
    ageSeconds: z
      .int()
      .min(0)
      .describe('Time in the current state, or since the oldest open case was opened'),
  })
  .meta({ id: 'QueueItem' });

export const timelineEntry = z
  .object({
    id: z.string(),
    at: time,
    type: z.string(),
    actor: z.string().describe('Principal or component that caused it'),
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
    type: z
      .enum(['DB', 'PA', 'CP'])
      .describe('`CP` is a single capture that was declared before its authorization was known'),
    declared: z
      .boolean()
      .describe('True if the client declared the payment and no query of the gateway has shown it yet'),
    state: z.enum(['succeeded', 'pending', 'rejected']),
    currency,
    authorized: amount,
    captured: amount,
    refunded: amount.describe('Paid back by refunds and reversals'),
    credited: amount.describe('Paid back by credits'),
    reserved: amount.describe('Reserved for refunds that are not final'),
    returned: amount.describe('Paid back, then returned to the merchant'),
    disputed: amount.describe('Lost to chargebacks'),
    excess: amount.describe('Paid back beyond the limit, by refunds and chargebacks outside of this system'),
    refundable: amount.describe('Available for new refunds'),
    refunds: z.array(refund).readonly(),
    disputes: z
      .array(
        z.object({
          id: z.string(),
          amount,
          reversed: amount.describe('Part of the amount that chargeback reversals returned to the merchant'),
          at: time,
          isOver: z.boolean().describe('True if it was reversed in full, or declined'),
        }),
      )
      .readonly(),
    timeline: z.array(timelineEntry).readonly(),
  })
  .meta({ id: 'Payment' });

const limitedSum = z.object({
  limit: amount.nullable().describe('Null: no limit'),
  used: amount
    .nullable()
    .describe(
      'Sum of credits without an approval that were, or may have been, submitted; null if not asked for',
    ),
  windowHours: z.int().nullable().describe('Length of the sliding window; null: over all time'),
});

export const creditLimits = z
  .object({
    entityId: gatewayId,
    currency,
    single: amount.describe('The largest credit without an approval'),
    payment: limitedSum.describe('Credits on one payment'),
    destination: limitedSum.describe('Credits to one registration or card'),
    requester: limitedSum.describe('Credits of one requester, on all entities'),
    entity: limitedSum.describe('Credits of the entity'),
  })
  .meta({ id: 'CreditLimits' });

export const principal = z
  .object({ name: z.string(), roles: z.array(z.enum(ROLES)).readonly() })
  .meta({ id: 'Principal' });

export const searchResult = z
  .object({
    kind: z.enum(['refund', 'payment']),
    id: z.string(),
    matched: z
      .enum(['refundId', 'paymentId', 'merchantTransactionId', 'gatewayId', 'orderId', 'idempotencyKey'])
      .describe('Field that has the searched id'),
    refund: refund.optional(),
  })
  .meta({ id: 'SearchResult' });

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

export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('Stable code'),
    detail: z.string(),
    problems: z
      .array(
        z.object({
          field: z.string(),
          code: z.string(),
          message: z.string(),
          gatewayCode: z.string().describe('Result code that the gateway would give').optional(),
        }),
      )
      .describe('Every invalid field')
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });
