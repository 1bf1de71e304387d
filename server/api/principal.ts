/** `GET /v1/me`: the principal of the API key or token. */
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
        tags: ['access'],
        summary: 'Get the name and roles of your API key or token',
        response: { 200: principal, ...problems(401, 429, 500, 503) },
      },
    },
    async (request) => {
      const { name, roles } = principalOf(request);
      return { name, roles };
    },
  );
};
