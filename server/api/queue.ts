/** `GET /v1/queue`: refunds that need an operator. `GET /v1/search`: refunds and payments by any id. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { waitingForOperator, searchById, type WaitingPlace } from '../../ledger/views/queue.js';
import { OPERATOR_STATES, viewOf } from '../../client/view.js';
import type { ApiParts } from './route-dependencies.js';
import { problems, wrong } from './problems.js';
import { queueQuery, searchQuery } from './request-schemas.js';
import { listOf, pageOf, queueItem, searchResult } from './schemas.js';

export const queueRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { client, database }) => {
  app.get(
    '/v1/queue',
    {
      config: { role: 'read' },
      schema: {
        tags: ['operations'],
        summary: 'List refunds that need an operator, longest waiting first',
        querystring: queueQuery,
        response: { 200: pageOf(queueItem), ...problems(401, 422, 429, 500, 503) },
      },
    },
    async ({ query }) => {
      const after = placeOf(query.cursor);
      const { items, next } = await waitingForOperator(database, OPERATOR_STATES, {
        limit: query.limit,
        ...(after === undefined ? {} : { after }),
      });
      return {
        data: items.map(({ refund, ageSeconds }) => ({ ...viewOf(refund), ageSeconds })),
        nextCursor: next === null ? null : cursorOf(next),
      };
    },
  );

  app.get(
    '/v1/search',
    {
      config: { role: 'read' },
      schema: {
        tags: ['refunds'],
        summary: 'Find refunds and payments by any id',
        description:
          'Exact match on the id of a refund, payment, capture, order or gateway transaction, a `merchantTransactionId` or an idempotency key.',
        querystring: searchQuery,
        response: { 200: listOf(searchResult), ...problems(401, 422, 429, 500, 503) },
      },
    },
    async ({ query }) => {
      const matches = await searchById(database, query.q);
      const data = await Promise.all(
        matches.map(async (match) =>
          match.kind === 'refund' ? { ...match, refund: await client.getRefund(match.id) } : match,
        ),
      );
      return { data };
    },
  );
};

const PLACE = /^(?<since>\d{1,16}) (?<id>[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12})$/;

const cursorOf = ({ since, id }: WaitingPlace): string => Buffer.from(`${since} ${id}`).toString('base64url');

function placeOf(cursor: string | undefined): WaitingPlace | undefined {
  if (cursor === undefined) return undefined;
  const place = PLACE.exec(Buffer.from(cursor, 'base64url').toString())?.groups;
  if (place?.['since'] === undefined || place['id'] === undefined)
    throw wrong([
      { field: 'cursor', code: 'invalid', message: 'must be the nextCursor of the previous page' },
    ]);
  return { since: place['since'], id: place['id'] };
}
