/** Outgoing events: `GET /v1/events` lists their delivery, `POST /v1/events/{id}/resend` sends one again. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { DELIVERY_STATES, listDeliveries, resendEvents } from '../../ledger/outbox/deliveries.js';
import { eventOf } from '../../client/event-view.js';
import type { ApiParts } from './route-dependencies.js';
import { principalOf } from './auth.js';
import { Problem, problems } from './problems.js';
import { refundParams, refundsQuery } from './request-schemas.js';
import { pageOf, time } from './schemas.js';

export const outboundEvent = z
  .object({
    id: z.string().describe('Sent as `webhook-id` with every delivery attempt'),
    type: z.string(),
    refundId: z.string(),
    state: z.enum(DELIVERY_STATES).describe('`dead`: delivery was given up after three days'),
    tries: z.int().min(0).describe('Delivery attempts so far'),
    lastStatus: z.int().nullable().describe('HTTP status of the last response'),
    lastError: z.string().nullable().describe('Stable error code; never text from the receiver'),
    createdAt: time,
    lastTryAt: time.nullable(),
    deliveredAt: time.nullable(),
    nextTryAt: time.nullable(),
  })
  .meta({ id: 'OutboundEvent' });

const { id } = refundParams.shape;
const { cursor, limit } = refundsQuery.shape;

export const eventRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { database, log }) => {
  app.get(
    '/v1/events',
    {
      config: { role: 'read' },
      schema: {
        tags: ['maintenance'],
        summary: 'List outgoing events and their delivery, newest first',
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
        // One extra row shows whether there is a next page.
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
        tags: ['maintenance'],
        summary: 'Send an event again with the same id',
        params: refundParams,
        response: { 200: outboundEvent, ...problems(401, 403, 404, 422, 429, 500, 503) },
      },
    },
    async (request) => {
      const eventId = request.params.id;
      const [resent] = await resendEvents(database, { id: eventId });
      if (resent === undefined)
        throw new Problem('not_found', 'no such event, or it is being sent right now');
      log.info('event.resent', { eventId, clientId: principalOf(request).name, requestId: request.id });
      const [event] = await listDeliveries(database, { id: eventId });
      if (event === undefined) throw new Problem('not_found', 'no such event');
      return eventOf(event);
    },
  );
};
