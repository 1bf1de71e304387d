/** What the contract names and this version refuses, so that nobody sends a card number into nothing. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { Problem, problems } from './problems.js';

const REFUSED = [
  {
    url: '/v1/cards',
    summary: 'Seal card data (not available yet)',
    detail:
      'card data cannot be sealed here yet and must not be sent here; a credit goes to the registration of the payment, or to destination.registrationId of a refund',
  },
  {
    url: '/v1/credits',
    summary: 'A standalone credit asked for directly (not available yet)',
    detail:
      'a credit cannot be asked for directly yet; ask for a refund with POST /v1/refunds, which credits where a refund is proven impossible',
  },
];

export const notAvailableRoutes: FastifyPluginAsyncZod = async (app) => {
  // A body may hold a card: it is not even read.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    done(null);
  });
  for (const { url, summary, detail } of REFUSED)
    app.post(
      url,
      {
        config: { role: 'submit' },
        schema: { tags: ['refunds'], summary, response: problems(401, 403, 429, 501) },
      },
      () => {
        throw new Problem('not_available', detail);
      },
    );
};
