/** The HTTP API as clients and operators use it: each with a key of their own. Checks every answer against the API's promises. */
import { z } from 'zod';
import { replayedRefund } from '../../server/api/command-schemas.js';
import { refund as refundSchema } from '../../server/api/schemas.js';
import type { Refund, RefundOrder, RefundsClient } from '../../client/index.js';
import type { ActionName } from '../../client/operator-actions.js';
import type { ReplayResult, ReplayNote } from '../../client/replay.js';
import { destinationOf, type Destination } from '../../domain/refund/destination.js';
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import type { Role } from '../../domain/principal.js';
import { createApiKey } from '../../ledger/access/api-keys.js';
import type { Database } from '../../ledger/db/database.js';
import { add, type Notes } from './notes.js';

/** Submits everything, over HTTP and through the typed client. Another principal has to approve. */
export const CLERK = 'clerk';
export const SECOND = 'second approver';
export const OPERATOR = 'operator';
export const SECOND_OPERATOR = 'second operator';

/** The clerk has the role to approve too, so a refusal of their own approval is not for want of the role. */
const ROLES: ReadonlyMap<string, readonly Role[]> = new Map([
  [CLERK, ['submit', 'approve']],
  [SECOND, ['approve']],
  [OPERATOR, ['operate']],
  [SECOND_OPERATOR, ['operate']],
]);

/** Operations that clients and operators have over HTTP as well as in the typed client. */
export type EntryPoint = Pick<
  RefundsClient,
  | ('requestRefund' | 'requestCredit')
  | ('approve' | 'reject' | 'withdraw' | 'sync')
  | ('link' | 'correct' | 'changeDestination')
> & { replay(id: string, note: ReplayNote): Promise<Pick<ReplayResult, 'outcome'>> };

export interface Sent {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Name of the principal whose key is sent; undefined sends no key. */
  readonly by?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent unchanged. */
  readonly body?: string;
}

interface Answered {
  readonly status: number;
  readonly body: unknown;
}

export interface Http extends EntryPoint {
  /** @throws `NoAnswer` */
  send(sent: Sent): Promise<Answered>;
}

/** Thrown when the API refused the connection, reset it, was too slow or answered 503. The call may have had an effect; repeating it is safe. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Thrown for a problem with a code. Nothing was changed. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly code: string;

  constructor(code: string, detail: string) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}

/** Longer than a healthy API takes on a busy machine, and shorter than the longest freeze. */
const ANSWER_WITHIN_MS = 10_000;
const problem = z.looseObject({ code: z.string(), detail: z.string(), status: z.int() });

/** Codes that no answer may have: no request of the run is malformed, foreign or too much. */
const NEVER: ReadonlySet<string> = new Set([
  ...(['unauthenticated', 'forbidden', 'not_found', 'bad_request', 'method_not_allowed'] as const),
  ...(['rate_limited', 'payload_too_large', 'unsupported_media_type', 'not_available', 'internal'] as const),
]);

/** Creates the API keys. */
export async function openHttp(url: string, database: Database, notes: Notes): Promise<Http> {
  const keys = new Map<string, string>();
  for (const [name, roles] of ROLES)
    keys.set(name, (await createApiKey(database, { name, roles })).text.reveal());

  async function send({ method, path, by, headers = {}, body }: Sent): Promise<Answered> {
    const key = by === undefined ? undefined : keys.get(by);
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      const text = await response.text();
      add(notes.apiAnswers, String(response.status));
      if (response.status >= 500 && response.status !== 503)
        notes.wrong.push(`${method} ${path} was answered ${response.status}: ${text}`);
      return { status: response.status, body: JSON.parse(text) };
    } catch (error) {
      add(notes.apiAnswers, 'none');
      throw new NoAnswer(error instanceof Error ? error.message : 'failed', { cause: error });
    }
  }

  async function ask<Shape extends z.ZodType>(
    path: string,
    by: string,
    body: unknown,
    shape: Shape,
    headers = {},
  ): Promise<{ status: number; read: z.infer<Shape> }> {
    const answered = await send({ method: 'POST', path, by, headers, body: JSON.stringify(body) });
    const { status } = answered;
    if (status === 200 || status === 202) return { status, read: shape.parse(answered.body) };
    const reported = problem.parse(answered.body);
    if (reported.status !== status)
      notes.wrong.push(`${path}: ${status} contains the status ${reported.status}`);
    if (status >= 500) throw new NoAnswer(`${status} ${reported.code}`);
    if (NEVER.has(reported.code))
      notes.wrong.push(`${path} by ${by}: ${status} ${reported.code}, ${reported.detail}`);
    throw new HttpRefusal(reported.code, reported.detail);
  }

  const command =
    (verb: Exclude<ActionName, 'replay'>) =>
    async (
      id: string,
      { by, ...note }: OperatorNote & { readonly destination?: Destination },
    ): Promise<Refund> =>
      (await ask(`/v1/refunds/${id}/${verb}`, by, note, refundSchema)).read;

  const requested =
    (path: string) =>
    async ({ requestedBy, idempotencyKey, request }: RefundOrder): Promise<Refund> => {
      const { status, read } = await ask(path, requestedBy, request, refundSchema, {
        'idempotency-key': idempotencyKey,
      });
      notes.promise(idempotencyKey, read.id, status === 202);
      return read;
    };

  return {
    send,
    requestRefund: requested('/v1/refunds'),
    requestCredit: requested('/v1/credits'),
    approve: command('approve'),
    reject: command('reject'),
    withdraw: command('withdraw'),
    sync: (id, note = { by: OPERATOR, reason: 'soak' }) => command('sync')(id, note),
    link: command('link'),
    correct: command('correct'),
    changeDestination: (id, { by, reason, ...destination }) =>
      command('change-destination')(id, { by, reason, destination: destinationOf(destination) }),
    replay: async (id, { by, ...note }) => {
      const { outcome } = (await ask(`/v1/refunds/${id}/replay`, by, note, replayedRefund)).read.replay;
      if (outcome === 'dry_run') throw new Error('a replay was answered as a dry run');
      return { outcome };
    },
  };
}
