/** OpenAPI 3.1 from the schemas that validate, and pages to read it. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

/** Before the routes: they are collected as they are registered. */
export async function documentRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'oppwa-refunds',
        version: '1',
        description:
          'Durable refunds for the OPPWA gateway. Amounts are decimal strings, times are UTC. Errors are RFC 9457 problem details with a stable `code`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key (`rk_…`) or a JWT' },
        },
      },
      tags: [
        { name: 'refunds', description: 'Asking and following' },
        { name: 'decisions', description: 'What people decide' },
        { name: 'payments', description: 'The money of one payment' },
        { name: 'upkeep', description: 'Audits, and events for the caller' },
        { name: 'keys', description: 'Who one is' },
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
