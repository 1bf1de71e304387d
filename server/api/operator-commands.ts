/** Operator commands: link, correct, change-destination and replay; and the actions that are available on a refund. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { looksLikeCard } from '../../domain/card/card-number.js';
import { IDEMPOTENCY_KEY_RULE, readIdempotencyKey } from '../../domain/refund/idempotency-key.js';
import { CARD_IN_TEXT, namedDestination } from '../../domain/refund/request-shape.js';
import type { OperatorNote } from '../../domain/refund/operator-note.js';
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
} from './command-schemas.js';
import { noteOf } from './approvals.js';
import type { ApiParts } from './route-dependencies.js';
import { problems, wrong } from './problems.js';
import { refundParams } from './request-schemas.js';
import { listOf, refund } from './schemas.js';

const OTHERS = problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503);
const OPERATE = { config: { role: 'operate' } } as const;

/**
 * Reads `Idempotency-Key` as the command's id, so that a command with an id is executed once. The id is stored with the result, so the
 * same rules apply as to the key of a refund request.
 */
function commandOf({ headers }: FastifyRequest): { readonly commandId?: string } {
  const given = headers['idempotency-key'];
  if (given === undefined) return {};
  const commandId = readIdempotencyKey(given);
  const field = 'Idempotency-Key';
  if (commandId === undefined) throw wrong([{ field, code: 'invalid', message: IDEMPOTENCY_KEY_RULE }]);
  if (looksLikeCard(commandId)) throw wrong([{ field, ...CARD_IN_TEXT }]);
  return { commandId };
}

/** Builds the note of a replay. Only a dry run may omit the reason, and a dry run records nothing. */
const replayNoteOf = (
  request: FastifyRequest,
  {
    reason = 'dry run',
    ticket,
  }: { readonly reason?: string | undefined; readonly ticket?: string | undefined },
): OperatorNote => noteOf(request, { reason, ticket });

export const repairRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { client }) => {
  app.post(
    '/v1/refunds/:id/link',
    {
      ...OPERATE,
      schema: {
        tags: ['operations'],
        summary: 'Link a gateway transaction to an attempt of this refund',
        description:
          'Queries the gateway for the transaction. Its type, amount, currency and original payment must match the attempt, and so must its reference if it has one. Its result becomes the outcome of the attempt. Submits nothing.',
        params: refundParams,
        body: linkBody,
        response: { 200: refund, ...OTHERS },
      },
    },
    async (request) =>
      client.link(request.params.id, {
        ...noteOf(request, request.body),
        gatewayId: request.body.gatewayId,
      }),
  );

  app.post(
    '/v1/refunds/:id/correct',
    {
      ...OPERATE,
      schema: {
        tags: ['operations'],
        summary: "Correct an attempt's outcome, or close cases, on evidence from outside the gateway",
        description:
          'If a second approver must confirm the correction, the response has a `proposal` to approve or reject. Refused if the gateway shows a different outcome.',
        params: refundParams,
        body: correctBody,
        response: { 200: refund, ...OTHERS },
      },
    },
    async (request) => {
      const { outcome, evidence, reference } = request.body;
      return client.correct(request.params.id, {
        ...noteOf(request, request.body),
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
        tags: ['operations'],
        summary: 'Change the destination of a credit in review',
        description:
          'All checks of a credit run again, and a second approver must approve it before it is submitted.',
        params: refundParams,
        body: changeDestinationBody,
        response: { 200: refund, ...OTHERS },
      },
    },
    async (request) =>
      client.changeDestination(request.params.id, {
        ...noteOf(request, request.body),
        ...namedDestination(request.body.destination),
      }),
  );

  app.post(
    '/v1/refunds/:id/replay',
    {
      ...OPERATE,
      schema: {
        tags: ['operations'],
        summary: 'Replay a refund after its cause is fixed',
        description:
          'A refund in review continues from its first step that was not submitted, with all checks and retry budgets anew. It is refused if money may have left. Any other refund gets a new workflow run if none is running; `restart` names a run to terminate first. `dryRun` changes nothing. The response is the refund, with a report in `replay`. A command with an `Idempotency-Key` is executed once.',
        params: refundParams,
        body: replayBody,
        response: { 200: replayedRefund, ...OTHERS },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { dryRun, restart } = request.body;
      const replay =
        dryRun === true
          ? { ...(await client.explainReplay(id)), outcome: 'dry_run' as const }
          : await client.replay(id, {
              ...replayNoteOf(request, request.body),
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
        tags: ['operations'],
        summary: 'Replay all refunds in review for one reason',
        description:
          'Each call replays a batch of up to 200 refunds: pass `nextCursor` to the next call until it is null. `dryRun` only counts them. After a failure, call again: it continues with the refunds that are still in review. A command with an `Idempotency-Key` is executed once.',
        body: bulkReplayBody,
        response: { 200: bulkReplayResult, ...OTHERS },
      },
    },
    async (request) => {
      const { since, dryRun, cursor } = request.body;
      return client.replayMany({
        ...replayNoteOf(request, request.body),
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
        tags: ['operations'],
        summary: 'List the actions on a refund: which are allowed now, and their money effect',
        params: refundParams,
        response: { 200: listOf(action), ...problems(401, 403, 404, 422, 429, 500, 503) },
      },
    },
    async (request) => ({ data: await client.actions(request.params.id, principalOf(request)) }),
  );
};
