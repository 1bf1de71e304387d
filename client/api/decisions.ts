/** What people decide about one refund. Who speaks is whoever holds the key, never a field of the body. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { ApiParts } from './parts.js';
import { principalOf } from './auth.js';
import { problems } from './problems.js';
import { approvalBody, byRefund, refund, wordBody } from './schemas.js';

const OTHERS = problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503);

export const decisionRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { client }) => {
  for (const verb of ['approve', 'reject'] as const)
    app.post(
      `/v1/refunds/:id/${verb}`,
      {
        config: { role: 'approve' },
        schema: {
          tags: ['decisions'],
          summary:
            verb === 'approve'
              ? 'Let the credit be paid that waits for a second person'
              : 'Refuse the credit that waits for a second person: the refund ends unpaid',
          description: 'Not for whoever asked for the refund. The same word again changes nothing.',
          params: byRefund,
          body: approvalBody,
          response: { 200: refund, ...OTHERS },
        },
      },
      async (request) => {
        const { reason, ticket, instruction } = request.body;
        return client[verb](request.params.id, {
          by: principalOf(request).name,
          reason,
          ...(ticket === undefined ? {} : { ticket }),
          ...(instruction === undefined ? {} : { instruction }),
        });
      },
    );

  app.post(
    '/v1/refunds/:id/withdraw',
    {
      config: { role: 'operate' },
      schema: {
        tags: ['decisions'],
        summary: 'End a refund of which nothing has left and nothing may have left',
        params: byRefund,
        body: wordBody,
        response: { 200: refund, ...OTHERS },
      },
    },
    async (request) =>
      client.withdraw(request.params.id, { by: principalOf(request).name, reason: request.body.reason }),
  );

  app.post(
    '/v1/refunds/:id/resolve',
    {
      config: { role: 'operate' },
      schema: {
        tags: ['decisions'],
        summary: 'Look at the gateway now what became of it; sends nothing',
        params: byRefund,
        body: wordBody,
        response: { 200: refund, ...OTHERS },
      },
    },
    async ({ params }) => client.resolve(params.id),
  );
};
