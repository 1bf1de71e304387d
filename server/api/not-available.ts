/** What the contract names and this version refuses, so that nobody sends a card number into nothing. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { Problem, problems } from './problems.js';

export const notAvailableRoutes: FastifyPluginAsyncZod = async (app) => {
  // The body may hold a card: it is not even read.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    done(null);
  });
  app.post(
    '/v1/cards',
    {
      config: { role: 'submit' },
      schema: {
        tags: ['refunds'],
        summary: 'Seal card data (not available yet)',
        response: problems(401, 403, 429, 501),
      },
    },
    () => {
      throw new Problem(
        'not_available',
        'card data cannot be sealed here yet and must not be sent here; a credit goes to a registration: of the payment, or destination.registrationId of POST /v1/refunds and POST /v1/credits',
      );
    },
  );
};
