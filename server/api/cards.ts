/** `/v1/cards`: seals card data, shows what a card is used for, and destroys it. No answer ever holds card data. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { cardRequestShape } from '../../domain/card/card-request.js';
import { CARD_ENDS } from '../../domain/card/sealed-card.js';
import { REFUND_STATES } from '../../domain/refund/states.js';
import { destroyCardByHand, showCard, type Cards } from '../../client/cards.js';
import type { ApiParts } from './route-dependencies.js';
import { principalOf } from './auth.js';
import { problems } from './problems.js';

const added = {
  cardRef: z.uuid().describe('Names the card in `destination: { cardRef }`'),
  brand: z.string(),
  last4: z.string(),
  expiresAt: z.iso.datetime().describe('The card is destroyed then at the latest'),
};
const addedCard = z.object(added).meta({ id: 'AddedCard' });
const card = z
  .object({
    ...added,
    createdAt: z.iso.datetime(),
    cvv: z
      .enum(['ready', 'used', 'none'])
      .describe('`used`: a credit carried it, or 24 hours are over; a credit to the card needs a new one'),
    destroyed: z.object({ at: z.iso.datetime(), by: z.string(), why: z.enum(CARD_ENDS) }).nullable(),
    refunds: z
      .array(z.object({ id: z.uuid(), state: z.enum(REFUND_STATES) }))
      .readonly()
      .describe('Refunds and credits that name the card, newest first'),
  })
  .meta({ id: 'Card' });
const params = z.strictObject({ ref: z.uuid().lowercase() });
const cvvRequest = z.looseObject({
  cvv: z.string().describe('3 digits, 4 for AMEX. Kept for 24 hours or until it is used').optional(),
});

/** `cards`: absent if no keys are configured. Then no card can be sealed, and `notAvailableRoutes` answers. */
export const cardRoutes: FastifyPluginAsyncZod<ApiParts & { readonly cards: Cards | undefined }> = async (
  app,
  { database, cards },
) => {
  app.get(
    '/v1/cards/:ref',
    {
      config: { role: 'read' },
      schema: {
        tags: ['cards'],
        summary: 'Show a card and what it is used for',
        params,
        response: { 200: card, ...problems(401, 403, 404, 422, 429, 500, 503) },
      },
    },
    (request) => showCard(database, request.params.ref),
  );

  app.delete(
    '/v1/cards/:ref',
    {
      config: { role: 'operate' },
      schema: {
        tags: ['cards'],
        summary: 'Destroy a card',
        description:
          'Destroys its keys: nothing opens it again. Refused while a refund with it is not final. Repeating it has no effect.',
        params,
        response: { 200: card, ...problems(401, 403, 404, 409, 422, 429, 500, 503) },
      },
    },
    (request) => destroyCardByHand(database, request.params.ref, principalOf(request).name),
  );
  if (cards === undefined) return;

  app.post(
    '/v1/cards',
    {
      config: { role: 'submit', problemsOfBody: (body) => cards.problemsOf(body) },
      schema: {
        tags: ['cards'],
        summary: 'Seal card data',
        description:
          'The card is encrypted with a key of its own before it is stored. Its reference is the destination of a refund or credit of the same client. A credit to a card always needs an approval.',
        body: cardRequestShape.meta({ id: 'CardRequest' }),
        response: { 201: addedCard, ...problems(400, 401, 403, 413, 415, 422, 429, 500, 503) },
      },
    },
    async (request, reply) => {
      const sealed = await cards.add(principalOf(request).name, request.body);
      return reply.code(201).header('location', `/v1/cards/${sealed.cardRef}`).send(sealed);
    },
  );

  app.post(
    '/v1/cards/:ref/cvv',
    {
      config: { role: ['submit', 'operate'] },
      schema: {
        tags: ['cards'],
        summary: 'Give a card a new CVV',
        description:
          'For a refund in review because its CVV was used (`cvv_needed`). Replay the refund afterwards. Operators may do this for any card, other clients for their own.',
        params,
        body: cvvRequest,
        response: { 200: card, ...problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503) },
      },
    },
    (request) => {
      const { name, roles } = principalOf(request);
      return cards.renewCvv(request.params.ref, request.body, roles.includes('operate') ? undefined : name);
    },
  );
};
