/** What goes wrong, as RFC 9457 problem details: one stable code each, and never what somebody sent. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { InputProblem } from '../../domain/refund/request.js';
import { isDatabaseAway } from '../../ledger/db/away.js';
import type { Log } from '../../settings/log.js';
import { RefundsError, type RefundsErrorCode } from '../../client/errors.js';
import { methodsOf } from './methods.js';
import { problem as problemSchema } from './schemas.js';

/** Codes that only HTTP has. */
type HttpCode =
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'bad_request'
  | 'method_not_allowed'
  | 'rate_limited'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'not_available'
  | 'not_ready'
  | 'internal';
type ProblemCode = RefundsErrorCode | HttpCode;

/** Every code with its status and title; docs/reference/api.md says what to do. */
export const PROBLEMS: Readonly<Record<ProblemCode, readonly [status: number, title: string]>> = {
  invalid_request: [422, 'The request is wrong'],
  gateway_unavailable: [503, 'The payment could not be read at the gateway'],
  gateway_unreadable: [409, 'What the gateway answers cannot be read'],
  payment_unreadable: [409, 'The gateway shows the payment in a form that cannot be read'],
  temporal_unavailable: [503, 'Temporal could not be reached'],
  no_answer: [503, 'Nobody answered in time'],
  instruction_missing: [422, 'The instruction that is decided about is missing'],
  refund_not_found: [404, 'There is no such refund'],
  may_have_left: [409, 'Money may have left already'],
  final: [409, 'The refund has ended'],
  not_awaiting_approval: [409, 'The refund does not wait for this approval'],
  instruction_changed: [409, 'What is to be approved has changed'],
  own_request: [403, 'Whoever asked cannot decide'],
  own_proposal: [403, 'Whoever proposed it cannot confirm it'],
  already_decided: [409, 'Somebody else has decided already'],
  proposal_open: [409, 'A correction waits for a second person'],
  no_proposal: [409, 'Nothing is proposed with this instruction'],
  overtaken: [409, 'The refund has gone on since'],
  nothing_to_correct: [409, 'There is nothing to correct'],
  too_early: [409, 'It may still be on its way'],
  gateway_contradicts: [409, 'The gateway shows otherwise'],
  no_case: [409, 'No such case is open'],
  not_final: [409, 'The refund has not ended'],
  belongs_to_another: [409, 'The transaction is of another attempt'],
  attempt_is_over: [409, 'The attempt is over'],
  not_in_review: [409, 'The refund does not wait for a person'],
  same_destination: [409, 'It has this destination already'],
  nothing_sent: [409, 'Nothing was sent yet'],
  not_at_gateway: [409, 'The gateway does not show this transaction'],
  other_type: [409, 'The transaction is of another type'],
  other_reference: [409, 'The transaction carries another reference'],
  other_original: [409, 'The transaction refers to another payment'],
  other_amount: [409, 'The transaction is of another amount'],
  other_currency: [409, 'The transaction is in another currency'],
  not_conclusive: [409, 'The transaction says nothing certain'],
  case_not_replayable: [409, 'Its case does not allow a replay'],
  run_changed: [409, 'Another run is under way'],
  idempotency_key_reused: [409, 'This idempotency key was used for another request'],
  payment_differs: [409, 'The payment was declared otherwise before'],
  exceeds_refundable: [409, 'More than can be refunded'],
  currency_mismatch: [422, 'The payment is in another currency'],
  payment_not_refundable: [409, 'The payment cannot be refunded'],
  payment_unknown: [404, 'There is no such payment'],
  illegal_transition: [409, 'This is not possible in the state of the refund'],
  reference_taken: [409, 'The reference is taken'],
  unauthenticated: [401, 'A valid API key or token is needed'],
  forbidden: [403, 'The role for this is missing'],
  not_found: [404, 'There is nothing here'],
  bad_request: [400, 'The request cannot be read'],
  method_not_allowed: [405, 'This method is not allowed here'],
  rate_limited: [429, 'Too many requests'],
  payload_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The body must be JSON'],
  not_available: [501, 'This cannot be asked for yet'],
  not_ready: [503, 'The service is not ready'],
  internal: [500, 'Something is broken here'],
};

/** Seconds until it is worth asking again, where nothing better is known. */
const RETRY_AFTER = 2;

/** Thrown by routes; whatever else is thrown is translated. */
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

/** The answers of a route that are not its own, for the OpenAPI document. */
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
    /** Names what a schema alone cannot see in the body, so that one answer names everything. */
    readonly problemsOfBody?: (body: unknown) => readonly InputProblem[];
  }
}

export function answerProblems(app: FastifyInstance, log: Log): void {
  const methods = methodsOf(app);
  const nothingThere = (request: FastifyRequest): Problem => {
    const allowed = methods(request.url.split('?', 1)[0] ?? '').join(', ');
    return allowed === ''
      ? new Problem('not_found', 'there is nothing at this address; /docs lists what there is')
      : new Problem('method_not_allowed', `this address takes ${allowed}`, { headers: { allow: allowed } });
  };
  // Else the router would take the last segment for an id.
  app.addHook('onRequest', (request, _reply, done) => {
    const { routeOptions, method } = request;
    const allowed = methods(request.url.split('?', 1)[0] ?? '');
    const isHidden = routeOptions.url !== undefined && allowed.length > 0 && !allowed.includes(method);
    done(isHidden ? nothingThere(request) : undefined);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    // Where nothing is, it makes no difference what else is wrong; a part with files of its own says that itself.
    const isNothing = request.is404 && !(error instanceof Problem);
    const problem = isNothing ? nothingThere(request) : translate(error, request);
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
  app.setNotFoundHandler((request, reply) => send(reply, nothingThere(request)));
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
  // Text, not an object: a problem is the same on every route, whatever the route's own schemas are.
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
  if (isDatabaseAway(error))
    return new Problem(
      'not_ready',
      'the database does not answer; nothing is lost, send the same request again',
    );
  return fromFastify(error);
}

/** Whole seconds, rounded up: asked again earlier, it would be as it is now. */
function retryAfterOf({ retryAfter }: RefundsError): Readonly<Record<string, string>> {
  return retryAfter === undefined
    ? {}
    : { 'retry-after': String(Math.max(RETRY_AFTER, Math.ceil(retryAfter / 1_000))) };
}

export function wrong(found: readonly InputProblem[]): Problem {
  return new Problem(
    'invalid_request',
    found.map(({ field, message }) => `${field}: ${message}`).join('; ') || 'the request is wrong',
    { problems: found },
  );
}

function fromFastify(error: unknown): Problem {
  const status = z.object({ statusCode: z.number() }).safeParse(error).data?.statusCode ?? 500;
  switch (status) {
    case 413:
      return new Problem('payload_too_large', 'the body is larger than this address takes');
    case 415:
      return new Problem('unsupported_media_type', 'send the body as application/json');
    case 405:
      return new Problem('method_not_allowed', 'another method is needed at this address');
    default:
      return status >= 400 && status < 500
        ? new Problem(
            'bad_request',
            'the request could not be read: its body is not JSON, or its head is malformed',
          )
        : new Problem(
            'internal',
            'the request failed here and was logged; sending it again with the same key is safe',
          );
  }
}

const PARTS = ['params', 'querystring', 'headers', 'body'] as const;

/** The validator stops at the first part that is wrong; whoever asks is told about all of them at once. */
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
  const field = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys')
    return [
      {
        field: field || '(request)',
        code: 'unknown_field',
        message: `unknown: ${issue.keys.map(nameOf).join(', ')}`,
      },
    ];
  return [{ field: field || '(request)', code: 'invalid', message: issue.message }];
}

/** A name that a caller chose is repeated only if it reads like one. */
const nameOf = (key: string): string =>
  /^[\w-]{1,40}$/.test(key) && !/(?:\d[_-]*){10}/.test(key) ? key : '(a name)';

/** As the caller wrote it: the key is a header here. */
const asSent = (one: InputProblem): InputProblem =>
  one.field === 'idempotencyKey' || one.field === 'idempotency-key'
    ? { ...one, field: 'Idempotency-Key' }
    : one;
