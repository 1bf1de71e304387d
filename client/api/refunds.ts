/** Asking for refunds and reading them. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { readRefundRequest } from '../../domain/request.js';
import type { ListFilter } from '../refunds-client.js';
import type { ApiParts } from './parts.js';
import { principalOf } from './auth.js';
import { untilGone } from './gone.js';
import { problems } from './problems.js';
import {
  byRefund,
  idempotencyHeaders,
  pageOf,
  refund,
  refundRequest,
  refundsQuery,
  waitQuery,
} from './schemas.js';

export const refundRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { client, closing }) => {
  app.post(
    '/v1/refunds',
    {
      config: {
        role: 'submit',
        problemsOfBody: (body) => {
          const reading = readRefundRequest(body);
          return reading.ok ? [] : reading.problems;
        },
      },
      schema: {
        tags: ['refunds'],
        summary: 'Ask for a refund',
        description:
          'The refund is stored and its amount reserved before the answer. The same key with the same body answers the same refund, however often and whenever it is sent.',
        headers: idempotencyHeaders,
        querystring: waitQuery,
        body: refundRequest,
        response: {
          200: refund.describe('The same key and body were accepted before'),
          202: refund.describe('Accepted'),
          ...problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { name } = principalOf(request);
      const { refund: accepted, isNew } = await client.submitRefund({
        caller: name,
        idempotencyKey: request.headers['idempotency-key'],
        requestedBy: name,
        request: request.body,
      });
      request.about = { refundId: accepted.id, paymentId: accepted.paymentId };
      void reply.code(isNew ? 202 : 200).header('location', `/v1/refunds/${accepted.id}`);
      const { wait } = request.query;
      if (wait === undefined) return accepted;
      return client.waitFor(accepted.id, Number.parseInt(wait, 10) * 1_000, untilGone(request.raw, closing));
    },
  );

  app.get(
    '/v1/refunds',
    {
      config: { role: 'read' },
      schema: {
        tags: ['refunds'],
        summary: 'Refunds, newest first',
        querystring: refundsQuery,
        response: { 200: pageOf(refund), ...problems(401, 422, 429, 500, 503) },
      },
    },
    async ({ query }) => {
      const { status, state, paymentId, stuck, cursor, limit } = query;
      const filter: ListFilter = {
        ...(status === undefined ? {} : { status }),
        ...(state === undefined ? {} : { state }),
        ...(paymentId === undefined ? {} : { paymentId }),
        ...(stuck === 'true' ? { stuck: true } : {}),
        ...(cursor === undefined ? {} : { before: cursor }),
        // One more tells whether there is a next page.
        limit: limit + 1,
      };
      const refunds = await client.listRefunds(filter);
      const data = refunds.slice(0, limit);
      return { data, nextCursor: refunds.length > limit ? (data.at(-1)?.id ?? null) : null };
    },
  );

  app.get(
    '/v1/refunds/:id',
    {
      config: { role: 'read' },
      schema: {
        tags: ['refunds'],
        summary: 'One refund, with every attempt and every id',
        params: byRefund,
        querystring: waitQuery,
        response: { 200: refund, ...problems(401, 404, 422, 429, 500, 503) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { wait } = request.query;
      return wait === undefined
        ? client.getRefund(id)
        : client.waitFor(id, Number.parseInt(wait, 10) * 1_000, untilGone(request.raw, closing));
    },
  );
};
