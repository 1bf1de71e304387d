/** Operator commands: approve, reject, withdraw and sync. The operator is the principal of the key, never a field of the body. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import type { ApiParts } from './route-dependencies.js';
import { principalOf } from './auth.js';
import { problems } from './problems.js';
import { approvalBody, noteBody } from './command-schemas.js';
import { refundParams } from './request-schemas.js';
import { refund } from './schemas.js';

const OTHERS = problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503);

export const decisionRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { client }) => {
  for (const verb of ['approve', 'reject'] as const)
    app.post(
      `/v1/refunds/:id/${verb}`,
      {
        config: { role: 'approve' },
        schema: {
          tags: ['operations'],
          summary:
            verb === 'approve'
              ? 'Approve the credit or correction that needs a second approver'
              : 'Reject the credit or correction that needs a second approver',
          description:
            'Rejecting a credit ends the refund unpaid. The approver must not be the principal that requested the refund, proposed the correction or changed the destination. Repeating the command has no effect; another approver gets 409 `already_decided` with the name of the first.',
          params: refundParams,
          body: approvalBody,
          response: { 200: refund, ...OTHERS },
        },
      },
      async (request) => {
        const { instruction } = request.body;
        return client[verb](request.params.id, {
          ...noteOf(request, request.body),
          instruction: instruction ?? '',
        });
      },
    );

  app.post(
    '/v1/refunds/:id/withdraw',
    {
      config: { role: 'operate' },
      schema: {
        tags: ['operations'],
        summary: 'Withdraw a refund before any money has left',
        description: 'Refused with 409 `may_have_left` if money has left or may have left.',
        params: refundParams,
        body: noteBody,
        response: { 200: refund, ...OTHERS },
      },
    },
    async (request) => client.withdraw(request.params.id, noteOf(request, request.body)),
  );

  app.post(
    '/v1/refunds/:id/sync',
    {
      config: { role: 'operate' },
      schema: {
        tags: ['operations'],
        summary: 'Query the gateway for the outcome now',
        description: 'Submits nothing.',
        params: refundParams,
        body: noteBody,
        response: { 200: refund, ...OTHERS },
      },
    },
    async (request) => client.sync(request.params.id, noteOf(request, request.body)),
  );
};

/** Builds the operator's note: the operator is the principal of the key. */
export const noteOf = (
  request: FastifyRequest,
  { reason, ticket }: { readonly reason: string; readonly ticket?: string | undefined },
): OperatorNote => ({
  by: principalOf(request).name,
  reason,
  ...(ticket === undefined ? {} : { ticket }),
});
