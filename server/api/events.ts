/** Events that are told to the caller: what became of each, and sending one again. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { DELIVERY_STATES, listDeliveries, resendEvents } from '../../ledger/outbox/deliveries.js';
import { eventOf } from '../../client/event-view.js';
import type { ApiParts } from './parts.js';
import { principalOf } from './auth.js';
import { Problem, problems } from './problems.js';
import { byRefund, pageOf, refundsQuery, time } from './schemas.js';

export const outboundEvent = z
  .object({
    id: z.string().describe('The `webhook-id` of every try'),
    type: z.string(),
    refundId: z.string(),
    state: z.enum(DELIVERY_STATES).describe('`dead`: given up after three days'),
    tries: z.int().min(0),
    lastStatus: z.int().nullable(),
    lastError: z.string().nullable().describe('Stable code; nothing that the receiver said'),
    createdAt: time,
    lastTryAt: time.nullable(),
    deliveredAt: time.nullable(),
    nextTryAt: time.nullable(),
  })
  .meta({ id: 'OutboundEvent' });

const { id } = byRefund.shape;
const { cursor, limit } = refundsQuery.shape;

export const eventRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { database, log }) => {
  app.get(
    '/v1/events',
    {
      config: { role: 'read' },
      schema: {
        tags: ['upkeep'],
        summary: 'Events for the caller, newest first, and whether they have arrived',
        querystring: z.strictObject({
          refundId: id.optional(),
          state: z.enum(DELIVERY_STATES).optional(),
          cursor,
          limit,
        }),
        response: { 200: pageOf(outboundEvent), ...problems(401, 422, 429, 500, 503) },
      },
    },
    async ({ query }) => {
      const events = await listDeliveries(database, {
        ...(query.refundId === undefined ? {} : { refundId: query.refundId }),
        ...(query.state === undefined ? {} : { state: query.state }),
        ...(query.cursor === undefined ? {} : { before: query.cursor }),
        // One more tells whether there is a next page.
        limit: query.limit + 1,
      });
      const data = events.slice(0, query.limit).map(eventOf);
      return { data, nextCursor: events.length > query.limit ? (data.at(-1)?.id ?? null) : null };
    },
  );

  app.post(
    '/v1/events/:id/resend',
    {
      config: { role: 'operate' },
      schema: {
        tags: ['upkeep'],
        summary: 'Send an event again, under the same id',
        params: byRefund,
        response: { 200: outboundEvent, ...problems(401, 403, 404, 422, 429, 500, 503) },
      },
    },
    async (request) => {
      const eventId = request.params.id;
      const [resent] = await resendEvents(database, { id: eventId });
      if (resent === undefined)
        throw new Problem('not_found', 'there is no such event, or it is being sent just now');
      log.info('event.resent', { eventId, caller: principalOf(request).name, requestId: request.id });
      const [event] = await listDeliveries(database, { id: eventId });
      if (event === undefined) throw new Problem('not_found', 'there is no such event');
      return eventOf(event);
    },
  );
};
