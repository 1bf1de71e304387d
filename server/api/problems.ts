/** Errors as RFC 9457 problem details, each with a stable code. They never repeat values that the client sent. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { InputProblem } from '../../domain/refund/request.js';
import { isDatabaseUnavailable } from '../../ledger/db/unavailable.js';
import { shownName } from '../../domain/card/shown-text.js';
import type { Log } from '../../settings/log.js';
import { RefundsError, type RefundsErrorCode } from '../../client/errors.js';
import { methodsOf } from './methods.js';
import { problem as problemSchema } from './schemas.js';

/** Codes of the HTTP layer; the client library has its own (`RefundsErrorCode`). */
type HttpCode =
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'payload_unreadable'
  | 'bad_request'
  | 'method_not_allowed'
  | 'rate_limited'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'not_available'
  | 'not_ready'
  | 'internal';
type ProblemCode = RefundsErrorCode | HttpCode;

/** Status and title of every code. docs/reference/api.md says what to do about each. */
export const PROBLEMS: Readonly<Record<ProblemCode, readonly [status: number, title: string]>> = {
  invalid_request: [422, 'The request is invalid'],
  gateway_unavailable: [503, 'The payment could not be read at the gateway'],
  gateway_unreadable: [409, 'The response of the gateway cannot be read'],
  payment_unreadable: [409, 'The gateway shows the payment in a form that cannot be read'],
  temporal_unavailable: [503, 'Temporal could not be reached'],
  no_answer: [503, 'There was no response in time'],
  instruction_missing: [422, 'The instruction is missing'],
  refund_not_found: [404, 'The refund does not exist'],
  may_have_left: [409, 'Money may have left already'],
  final: [409, 'The refund is already final'],
  not_awaiting_approval: [409, 'The refund does not need this approval'],
  instruction_changed: [409, 'The instruction has changed'],
  requester_cannot_decide: [403, 'The requester cannot approve or reject'],
  proposer_cannot_approve: [403, 'The proposer cannot approve'],
  already_decided: [409, 'Another approver has already decided'],
  proposal_open: [409, 'A correction needs a second approver first'],
  no_proposal: [409, 'There is no proposal with this instruction'],
  superseded: [409, 'The refund has changed since'],
  nothing_to_correct: [409, 'There is nothing to correct'],
  too_early: [409, 'The request may still be under way'],
  gateway_contradicts: [409, 'The gateway shows a different outcome'],
  no_case: [409, 'There is no such open case'],
  not_final: [409, 'The refund is not final'],
  linked_elsewhere: [409, 'The transaction belongs to another attempt'],
  attempt_final: [409, 'The attempt is already final'],
  not_in_review: [409, 'The refund is not in review'],
  same_destination: [409, 'The refund already has this destination'],
  nothing_submitted: [409, 'Nothing was submitted yet'],
  not_at_gateway: [409, 'The gateway does not have this transaction'],
  type_differs: [409, 'The transaction has a different type'],
  reference_differs: [409, 'The transaction has a different reference'],
  original_differs: [409, 'The transaction belongs to a different payment'],
  amount_differs: [409, 'The transaction has a different amount'],
  currency_differs: [409, 'The transaction has a different currency'],
  result_inconclusive: [409, 'The result of the transaction is not conclusive'],
  case_not_replayable: [409, 'An open case does not allow a replay'],
  run_changed: [409, 'A different workflow run is running'],
  idempotency_key_reused: [409, 'The idempotency key was used for a different request'],
  payment_differs: [409, 'The payment was declared differently before'],
  exceeds_refundable: [409, 'The amount exceeds what can be refunded'],
  currency_mismatch: [422, 'The payment has a different currency'],
  payment_not_refundable: [409, 'The payment cannot be refunded'],
  payment_unknown: [404, 'The payment does not exist'],
  card_unknown: [404, 'The card does not exist'],
  card_destroyed: [409, 'The keys of the card are destroyed'],
  card_in_use: [409, 'A refund with this card is not final'],
  key_provider_unavailable: [503, 'The keys of cards cannot be reached'],
  illegal_transition: [409, 'The state of the refund does not allow this'],
  reference_taken: [409, 'The reference is already in use'],
  unauthenticated: [401, 'A valid API key or token is required'],
  forbidden: [403, 'The required role is missing'],
  not_found: [404, 'Not found'],
  payload_unreadable: [400, 'The payload cannot be decoded'],
  bad_request: [400, 'The request is malformed'],
  method_not_allowed: [405, 'The method is not allowed'],
  rate_limited: [429, 'Too many requests'],
  payload_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The body must be JSON'],
  not_available: [501, 'This is not available yet'],
  not_ready: [503, 'The service is not ready'],
  internal: [500, 'Internal error'],
};

/** Seconds of `retry-after` with a 503, unless the error knows a longer time. */
const RETRY_AFTER = 2;

/** Thrown by routes and answered as it is. Every other error is translated into one. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly problems: readonly InputProblem[];
  readonly details: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    more: {
      readonly problems?: readonly InputProblem[];
      readonly details?: Readonly<Record<string, string>>;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(detail);
    this.code = code;
    this.problems = more.problems ?? [];
    this.details = more.details ?? {};
    this.headers = more.headers ?? {};
  }
}

/** Builds the problem responses of a route for the OpenAPI document, by status. */
export const problems = (...statuses: readonly number[]) =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: Object.values(PROBLEMS).find(([of]) => of === status)?.[1] ?? 'Problem',
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  );

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Returns every problem of the body, also those that a schema alone cannot find. */
    readonly problemsOfBody?: (body: unknown) => readonly InputProblem[];
  }
}

/** Registers the error handlers, so that every error is answered as a problem. Logs those with a status of 500 or more. */
export function answerProblems(app: FastifyInstance, log: Log): void {
  const methods = methodsOf(app);
  const noRoute = (request: FastifyRequest): Problem => {
    const allowed = methods(request.url.split('?', 1)[0] ?? '').join(', ');
    return allowed === ''
      ? new Problem('not_found', 'no such path; /docs lists all of them')
      : new Problem('method_not_allowed', `this path supports ${allowed}`, { headers: { allow: allowed } });
  };
  // Otherwise the router would read the last segment of a static path as an id.
  app.addHook('onRequest', (request, _reply, done) => {
    const { routeOptions, method } = request;
    const allowed = methods(request.url.split('?', 1)[0] ?? '');
    const isHidden = routeOptions.url !== undefined && allowed.length > 0 && !allowed.includes(method);
    done(isHidden ? noRoute(request) : undefined);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    // Without a route, other errors of the request do not matter. The console answers its own 404 with a `Problem`.
    const isUnknownPath = request.is404 && !(error instanceof Problem);
    const problem = isUnknownPath ? noRoute(request) : translate(error, request);
    if (PROBLEMS[problem.code][0] >= 500)
      log[problem.code === 'internal' ? 'error' : 'warn'](
        'http.failed',
        {
          requestId: request.id,
          method: request.method,
          route: request.routeOptions.url,
          code: problem.code,
        },
        error,
      );
    return send(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => send(reply, noRoute(request)));
}

function send(reply: FastifyReply, { code, message, problems, details, headers }: Problem): FastifyReply {
  const [status, title] = PROBLEMS[code];
  const body = {
    type: `urn:oppwa-refunds:problem:${code}`,
    title,
    status,
    code,
    detail: message,
    ...(problems.length === 0 ? {} : { problems }),
    ...details,
  };
  if (status === 503) void reply.header('retry-after', String(RETRY_AFTER));
  // Text instead of an object, because the route's response schemas do not apply to problems.
  return reply.code(status).headers(headers).type('application/problem+json').send(JSON.stringify(body));
}

function translate(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof RefundsError)
    return new Problem(error.code, error.message, {
      problems: error.problems.map(asSent),
      details: error.details,
      headers: retryAfterOf(error),
    });
  if (hasZodFastifySchemaValidationErrors(error)) return wrong(everyProblem(request));
  if (isDatabaseUnavailable(error))
    return new Problem(
      'not_ready',
      'the database is unavailable; nothing is lost, send the same request again',
    );
  return fromFastify(error);
}

/** Returns `retry-after` in whole seconds, rounded up, so that the client does not retry too early. */
function retryAfterOf({ retryAfter }: RefundsError): Readonly<Record<string, string>> {
  return retryAfter === undefined
    ? {}
    : { 'retry-after': String(Math.max(RETRY_AFTER, Math.ceil(retryAfter / 1_000))) };
}

/** Builds the 422 problem that lists every invalid field. */
export function wrong(found: readonly InputProblem[]): Problem {
  return new Problem(
    'invalid_request',
    found.map(({ field, message }) => `${field}: ${message}`).join('; ') || 'the request is invalid',
    { problems: found },
  );
}

function fromFastify(error: unknown): Problem {
  const status = z.object({ statusCode: z.number() }).safeParse(error).data?.statusCode ?? 500;
  switch (status) {
    case 413:
      return new Problem('payload_too_large', 'the body is too large for this path');
    case 415:
      return new Problem('unsupported_media_type', 'send the body as application/json');
    case 405:
      return new Problem('method_not_allowed', 'the method is not supported at this path');
    default:
      return status >= 400 && status < 500
        ? new Problem(
            'bad_request',
            'the request could not be read: the body is not JSON, or the headers are malformed',
          )
        : new Problem(
            'internal',
            'the request failed because of an internal error, which was logged; sending it again with the same key is safe',
          );
  }
}

const PARTS = ['params', 'querystring', 'headers', 'body'] as const;

/** Validates every part of the request again, because the validator stops at the first invalid one. */
function everyProblem(request: FastifyRequest): InputProblem[] {
  const { schema, config } = request.routeOptions;
  const found = PARTS.flatMap((part): readonly InputProblem[] => {
    const given = part === 'querystring' ? request.query : request[part];
    if (part === 'body' && config.problemsOfBody !== undefined) return config.problemsOfBody(given);
    const expected = schema?.[part];
    const reading = expected instanceof z.ZodType ? expected.safeParse(given) : undefined;
    return reading?.error?.issues.flatMap(problemsOf) ?? [];
  });
  return found.map(asSent);
}

function problemsOf(issue: z.core.$ZodIssue): InputProblem[] {
  const field = issue.path.map((part) => shownName(String(part))).join('.');
  if (issue.code === 'unrecognized_keys')
    return [
      {
        field: field || '(request)',
        code: 'unknown_field',
        message: `unknown: ${issue.keys.map(shownName).join(', ')}`,
      },
    ];
  return [{ field: field || '(request)', code: 'invalid', message: issue.message }];
}

/** Names the field as the client sent it: over HTTP the key is a header. */
const asSent = (one: InputProblem): InputProblem =>
  one.field === 'idempotencyKey' || one.field === 'idempotency-key'
    ? { ...one, field: 'Idempotency-Key' }
    : one;
