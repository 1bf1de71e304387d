/** `POST /v1/cards` without keys of cards: answers 501 without reading the body. */
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
        tags: ['cards'],
        summary: 'Seal card data (no keys are configured)',
        response: problems(401, 403, 429, 501),
      },
    },
    () => {
      throw new Problem(
        'not_available',
        'no key seals cards here; do not send card data. Set REFUNDS_CARDS_KEYS_FILE or REFUNDS_CARDS_KMS_KEY_ID, and REFUNDS_CARDS_FINGERPRINT_KEY_FILE. Without them a credit goes to a registration: that of the payment, or destination.registrationId',
      );
    },
  );
};
