/** What people decide about one refund. Who speaks is whoever holds the key, never a field of the body. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { OperatorNote } from '../../domain/refund/people.js';
import type { ApiParts } from './parts.js';
import { principalOf } from './auth.js';
import { problems } from './problems.js';
import { approvalBody, wordBody } from './decision-schemas.js';
import { byRefund, refund } from './schemas.js';

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
              ? 'Let the credit be paid, or confirm the correction, that waits for a second person'
              : 'Refuse what waits for a second person: a credit (the refund ends unpaid) or a correction',
          description:
            'Not for whoever asked for the refund, proposed the correction or named the destination. The same word of the same person again changes nothing; another person is told who decided.',
          params: byRefund,
          body: approvalBody,
          response: { 200: refund, ...OTHERS },
        },
      },
      async (request) => {
        const { instruction } = request.body;
        return client[verb](request.params.id, {
          ...wordOf(request, request.body),
          instruction: instruction ?? '',
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
    async (request) => client.withdraw(request.params.id, wordOf(request, request.body)),
  );

  app.post(
    '/v1/refunds/:id/sync',
    {
      config: { role: 'operate' },
      schema: {
        tags: ['decisions'],
        summary: 'Check with the gateway now what became of it; sends nothing',
        params: byRefund,
        body: wordBody,
        response: { 200: refund, ...OTHERS },
      },
    },
    async (request) => client.resolve(request.params.id, wordOf(request, request.body)),
  );
};

/** Who speaks is whoever holds the key. */
export const wordOf = (
  request: FastifyRequest,
  { reason, ticket }: { readonly reason: string; readonly ticket?: string | undefined },
): OperatorNote => ({
  by: principalOf(request).name,
  reason,
  ...(ticket === undefined ? {} : { ticket }),
});
