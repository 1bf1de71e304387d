/** Who one is to this service. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { principalOf } from './auth.js';
import { problems } from './problems.js';
import { principal } from './schemas.js';

export const meRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/v1/me',
    {
      config: { role: 'read' },
      schema: {
        tags: ['keys'],
        summary: 'Who the key or token is',
        response: { 200: principal, ...problems(401, 429, 500, 503) },
      },
    },
    async (request) => {
      const { name, roles } = principalOf(request);
      return { name, roles };
    },
  );
};
