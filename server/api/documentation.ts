/** OpenAPI 3.1, generated from the validation schemas, and the `/docs` pages. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

/** Registers `/openapi.json` and `/docs`. Call it before the routes: they are collected as they are registered. */
export async function documentRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'oppwa-refunds',
        version: '1',
        description:
          'Durable refunds for the OPPWA payment gateway. Amounts are decimal strings. Times are ISO 8601 in UTC. Errors are RFC 9457 problem details with a stable `code`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key (`rk_…`) or a JWT' },
        },
      },
      tags: [
        { name: 'refunds', description: 'Create, read and search refunds and credits' },
        { name: 'cards', description: 'Seal cards as destinations of credits, and destroy them' },
        { name: 'operations', description: 'The queue, and what operators and approvers may do' },
        { name: 'payments', description: 'Balances and history of a payment' },
        { name: 'maintenance', description: 'Audits and outgoing events' },
        { name: 'access', description: 'The principal of an API key or token' },
        { name: 'platform', description: 'Health checks' },
      ],
    },
    transform: (document) => {
      const transformed = jsonSchemaTransform(document);
      const { role } = document.route.config ?? {};
      if (role === undefined) return { ...transformed, schema: { ...transformed.schema, hide: true } };
      return role === 'anyone'
        ? transformed
        : {
            ...transformed,
            schema: { ...transformed.schema, security: [{ bearer: [] }], 'x-role': role },
          };
    },
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
