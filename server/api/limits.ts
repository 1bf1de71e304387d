/** `GET /v1/limits`: limits of credits without an approval, and what is used of them now. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { boundedText } from '../../domain/bounded-text.js';
import type { ApiParts } from './route-dependencies.js';
import { problems } from './problems.js';
import { creditLimits, gatewayId, listOf, uuid } from './schemas.js';

const limitsQuery = z
  .strictObject({
    entityId: gatewayId.describe('Only limits of this entity').optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be three capital letters')
      .describe('Only limits in this currency')
      .optional(),
    paymentId: gatewayId
      .describe('Read the sum of this payment, or of the payment of this capture')
      .optional(),
    registrationId: gatewayId.describe('Read the sum of this destination').optional(),
    cardRef: uuid.describe('Read the sum of this sealed card, instead of a registration').optional(),
    requester: boundedText(255)
      .refine((text) => !text.includes('\u0000'), 'must be a name')
      .meta({ description: 'Read the sum of this requester, on all entities', maxLength: 255 })
      .optional(),
  })
  .refine(({ registrationId, cardRef }) => registrationId === undefined || cardRef === undefined, {
    path: ['cardRef'],
    error: 'cannot be given together with registrationId',
  });

export const limitRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { limits }) => {
  app.get(
    '/v1/limits',
    {
      config: { role: 'read' },
      schema: {
        tags: ['operations'],
        summary: 'Get the limits of credits without an approval, and what is used of them',
        description:
          'One entry for each entity and currency, by the settings of this process. A currency without an entry has no limit: every credit in it needs an approver. A credit above any limit needs an approver other than its requester. Approved credits are in no sum.',
        querystring: limitsQuery,
        response: { 200: listOf(creditLimits), ...problems(401, 422, 429, 500, 503) },
      },
    },
    async ({ query }) => ({ data: await limits(query) }),
  );
};
