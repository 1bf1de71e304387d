/** What persons do with evidence in hand, what a run would do now, and what each person may do about a refund. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { looksLikeCard } from '../../domain/card/card-number.js';
import { IDEMPOTENCY_KEY_RULE, readIdempotencyKey } from '../../domain/refund/idempotency-key.js';
import { CARD_IN_TEXT } from '../../domain/refund/request-shape.js';
import type { OperatorNote } from '../../domain/refund/people.js';
import { principalOf } from './auth.js';
import {
  action,
  bulkReplayBody,
  bulkReplayResult,
  changeDestinationBody,
  correctBody,
  linkBody,
  replayBody,
  replayedRefund,
} from './decision-schemas.js';
import { wordOf } from './decisions.js';
import type { ApiParts } from './parts.js';
import { problems, wrong } from './problems.js';
import { byRefund, listOf, refund } from './schemas.js';

const OTHERS = problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503);
const OPERATE = { config: { role: 'operate' } } as const;

/** A command that names itself is carried out once. Its name is kept with what it did, so it is read as strictly as that of a request. */
function commandOf({ headers }: FastifyRequest): { readonly commandId?: string } {
  const given = headers['idempotency-key'];
  if (given === undefined) return {};
  const commandId = readIdempotencyKey(given);
  const field = 'Idempotency-Key';
  if (commandId === undefined) throw wrong([{ field, code: 'invalid', message: IDEMPOTENCY_KEY_RULE }]);
  if (looksLikeCard(commandId)) throw wrong([{ field, ...CARD_IN_TEXT }]);
  return { commandId };
}

/** The schema lets the reason be left out of a dry run, of which nothing is kept. */
const dryWordOf = (
  request: FastifyRequest,
  {
    reason = 'dry run',
    ticket,
  }: { readonly reason?: string | undefined; readonly ticket?: string | undefined },
): OperatorNote => wordOf(request, { reason, ticket });

export const repairRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { client }) => {
  app.post(
    '/v1/refunds/:id/link',
    {
      ...OPERATE,
      schema: {
        tags: ['decisions'],
        summary: 'Link a gateway transaction: it is what became of an attempt of this refund',
        description:
          'The gateway is asked: type, amount, currency and original have to agree, and another reference than the attempt’s is refused. What it shows becomes the outcome; nothing is sent.',
        params: byRefund,
        body: linkBody,
        response: { 200: refund, ...OTHERS },
      },
    },
    async (request) =>
      client.adopt(request.params.id, {
        ...wordOf(request, request.body),
        gatewayId: request.body.gatewayId,
      }),
  );

  app.post(
    '/v1/refunds/:id/correct',
    {
      ...OPERATE,
      schema: {
        tags: ['decisions'],
        summary: 'Say what became of an attempt where the gateway cannot be asked, or that cases are settled',
        description:
          'Answers with `proposal` where a second person has to confirm it with approve or reject. Refused where the gateway shows otherwise.',
        params: byRefund,
        body: correctBody,
        response: { 200: refund, ...OTHERS },
      },
    },
    async (request) => {
      const { outcome, evidence, reference } = request.body;
      return client.correct(request.params.id, {
        ...wordOf(request, request.body),
        outcome,
        evidence,
        ...(reference === undefined ? {} : { reference }),
        ...(request.body.case === undefined ? {} : { case: request.body.case }),
      });
    },
  );

  app.post(
    '/v1/refunds/:id/change-destination',
    {
      ...OPERATE,
      schema: {
        tags: ['decisions'],
        summary: 'Change the destination of the credit of a refund that waits for an operator',
        description: 'Everything is proven anew, and a second person has to approve before anything is sent.',
        params: byRefund,
        body: changeDestinationBody,
        response: { 200: refund, ...OTHERS },
      },
    },
    async (request) =>
      client.redirect(request.params.id, {
        ...wordOf(request, request.body),
        registrationId: request.body.destination.registrationId,
      }),
  );

  app.post(
    '/v1/refunds/:id/replay',
    {
      ...OPERATE,
      schema: {
        tags: ['decisions'],
        summary: 'The cause is fixed: let the refund go on, or say what it would do',
        description:
          'A refund in review goes back to its first unsent step, proven anew and with fresh budgets, unless something of it may have left. Any other is given a run where none is alive; `restart` names one that is to be ended. With `dryRun` nothing is changed. Answers the refund, with what was found and done as `replay`. `Idempotency-Key` names the command: the same one twice is carried out once.',
        params: byRefund,
        body: replayBody,
        response: { 200: replayedRefund, ...OTHERS },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { dryRun, restart } = request.body;
      const replay =
        dryRun === true
          ? { ...(await client.foresee(id)), outcome: 'dry_run' as const }
          : await client.replay(id, {
              ...dryWordOf(request, request.body),
              ...commandOf(request),
              ...(restart === undefined ? {} : { restart }),
            });
      return { ...(await client.getRefund(id)), replay };
    },
  );

  app.post(
    '/v1/refunds/replay',
    {
      ...OPERATE,
      schema: {
        tags: ['decisions'],
        summary: 'Replay every refund that is in review for one reason, once its cause is fixed',
        description:
          'A batch of up to 200 in each call: give `nextCursor` to the next one until it is null. With `dryRun` they are only counted. Calling it again after a failure goes on with those that are still in review. `Idempotency-Key` names the command: the same one twice is carried out once.',
        body: bulkReplayBody,
        response: { 200: bulkReplayResult, ...OTHERS },
      },
    },
    async (request) => {
      const { since, dryRun, cursor } = request.body;
      return client.replayMany({
        ...dryWordOf(request, request.body),
        case: request.body.case,
        ...commandOf(request),
        ...(since === undefined ? {} : { since: new Date(since) }),
        ...(dryRun === undefined ? {} : { dryRun }),
        ...(cursor === undefined ? {} : { cursor }),
      });
    },
  );

  app.get(
    '/v1/refunds/:id/actions',
    {
      config: { role: 'read' },
      schema: {
        tags: ['decisions'],
        summary: 'What you may do about this refund now, and what each would do to the money',
        params: byRefund,
        response: { 200: listOf(action), ...problems(401, 403, 404, 422, 429, 500, 503) },
      },
    },
    async (request) => ({ data: await client.actions(request.params.id, principalOf(request)) }),
  );
};
