/** `POST /v1/cards`: answers 501 without reading the body, because this version cannot seal card data. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { Problem, problems } from './problems.js';

export const notAvailableRoutes: FastifyPluginAsyncZod = async (app) => {
  // The body may contain a card number: it is discarded unread.
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
        summary: 'Seal card data (not available)',
        response: problems(401, 403, 429, 501),
      },
    },
    () => {
      throw new Problem(
        'not_available',
        'sealing card data is not available; do not send card data. A credit goes to a registration: that of the payment, or destination.registrationId in POST /v1/refunds and POST /v1/credits',
      );
    },
  );
};
