/** `/v1/refunds` and `POST /v1/credits`: create, read and list refunds and credits. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { RefundOrder } from '../../activities/refund/accept.js';
import {
  readCreditRequest,
  readRefundRequest,
  type InputProblem,
  type Reading,
} from '../../domain/refund/request.js';
import type { ListFilter, Submitted } from '../../client/refunds-client.js';
import type { Refund } from '../../client/view.js';
import type { ApiParts } from './route-dependencies.js';
import { principalOf } from './auth.js';
import { reasonOf } from '../../temporal/search-attributes.js';
import { disconnectSignal } from './disconnect.js';
import { problems } from './problems.js';
import {
  refundParams,
  creditRequest,
  idempotencyHeaders,
  refundRequest,
  refundsQuery,
  waitQuery,
} from './request-schemas.js';
import { pageOf, refund } from './schemas.js';

const problemsIn =
  (read: (body: unknown) => Reading<unknown>) =>
  (body: unknown): readonly InputProblem[] => {
    const reading = read(body);
    return reading.ok ? [] : reading.problems;
  };

const ACCEPTED = {
  200: refund.describe('Already accepted with the same key and body'),
  202: refund.describe('Accepted'),
  ...problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503),
};

export const refundRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { client, closing, log }) => {
  /** Accepts the request. Returns the refund immediately, or with `wait` when it is final or the time is over. */
  async function accept(
    request: FastifyRequest,
    reply: FastifyReply,
    { key, wait }: { readonly key: string; readonly wait: string | undefined },
    submit: (order: RefundOrder) => Promise<Submitted>,
  ): Promise<Refund> {
    const { name } = principalOf(request);
    const {
      refund: accepted,
      isNew,
      startError,
    } = await submit({
      clientId: name,
      idempotencyKey: key,
      requestedBy: name,
      request: request.body,
    });
    const { id, paymentId } = accepted;
    if (startError !== null)
      log.warn('refund.not_started', { refundId: id, reason: reasonOf(startError.cause) }, startError);
    request.about = { refundId: id, ...(paymentId === null ? {} : { paymentId }) };
    void reply.code(isNew ? 202 : 200).header('location', `/v1/refunds/${id}`);
    if (wait === undefined) return accepted;
    return client.waitFor(id, Number.parseInt(wait, 10) * 1_000, disconnectSignal(request.raw, closing));
  }

  app.post(
    '/v1/refunds',
    {
      config: { role: 'submit', problemsOfBody: problemsIn(readRefundRequest) },
      schema: {
        tags: ['refunds'],
        summary: 'Create a refund',
        description:
          'The refund is stored and its amount reserved before the response. Repeating the request with the same key and body always returns the same refund.',
        headers: idempotencyHeaders,
        querystring: waitQuery,
        body: refundRequest,
        response: ACCEPTED,
      },
    },
    async (request, reply) => {
      const { headers, query } = request;
      const options = { key: headers['idempotency-key'], wait: query.wait };
      return accept(request, reply, options, (order) => client.submitRefund(order));
    },
  );

  app.post(
    '/v1/credits',
    {
      config: { role: 'submit', problemsOfBody: problemsIn(readCreditRequest) },
      schema: {
        tags: ['refunds'],
        summary: 'Create a standalone credit',
        description:
          'Pays out money that cannot be refunded to the original payment. With a `paymentId` the amount is reserved against that payment and all checks of a credit apply. Without one it is an unlinked credit, which always needs a second approver. Read, approve and withdraw it as a refund, under `/v1/refunds/{id}`.',
        headers: idempotencyHeaders,
        querystring: waitQuery,
        body: creditRequest,
        response: ACCEPTED,
      },
    },
    async (request, reply) => {
      const { headers, query } = request;
      const options = { key: headers['idempotency-key'], wait: query.wait };
      return accept(request, reply, options, (order) => client.submitCredit(order));
    },
  );

  app.get(
    '/v1/refunds',
    {
      config: { role: 'read' },
      schema: {
        tags: ['refunds'],
        summary: 'List refunds, newest first',
        querystring: refundsQuery,
        response: { 200: pageOf(refund), ...problems(401, 422, 429, 500, 503) },
      },
    },
    async ({ query }) => {
      const { status, state, paymentId, stuck, cursor, limit } = query;
      const filter: ListFilter = {
        ...(status === undefined ? {} : { status }),
        ...(state === undefined ? {} : { state }),
        ...(paymentId === undefined ? {} : { paymentId }),
        ...(stuck === 'true' ? { stuck: true } : {}),
        ...(cursor === undefined ? {} : { before: cursor }),
        // One extra row shows whether there is a next page.
        limit: limit + 1,
      };
      const refunds = await client.listRefunds(filter);
      const data = refunds.slice(0, limit);
      return { data, nextCursor: refunds.length > limit ? (data.at(-1)?.id ?? null) : null };
    },
  );

  app.get(
    '/v1/refunds/:id',
    {
      config: { role: 'read' },
      schema: {
        tags: ['refunds'],
        summary: 'Get a refund with its attempts',
        params: refundParams,
        querystring: waitQuery,
        response: { 200: refund, ...problems(401, 404, 422, 429, 500, 503) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { wait } = request.query;
      return wait === undefined
        ? client.getRefund(id)
        : client.waitFor(id, Number.parseInt(wait, 10) * 1_000, disconnectSignal(request.raw, closing));
    },
  );
};
