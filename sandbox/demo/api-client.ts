/** Calls the public HTTP API for the demonstration: one key requests refunds, another one approves or rejects. */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import type { Destination } from '../../domain/refund/destination.js';
import { problem, refund as refundSchema } from '../../server/api/schemas.js';
import { z } from 'zod';
import type { SandboxKeys } from '../api-keys.js';
import type { SampleCard } from './cases.js';

export type ApiRefund = z.infer<typeof refundSchema>;

/** The API refused the request; `code` is the stable code of the problem. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Amount {
  readonly amount: string;
  readonly currency: string;
  readonly reason: string;
}

export interface DemoApi {
  ask(idempotencyKey: string, body: Amount & { readonly paymentId: string }): Promise<ApiRefund>;
  askCredit(
    idempotencyKey: string,
    body: Amount & { readonly destination: Destination; readonly paymentId?: string },
  ): Promise<ApiRefund>;
  /** Returns the card's reference. */
  sealCard(card: SampleCard): Promise<string>;
  get(id: string): Promise<ApiRefund>;
  /** Returns the refund when it is final, or after a minute at the latest. */
  whenFinal(id: string): Promise<ApiRefund>;
  decide(id: string, verb: 'approve' | 'reject', instruction: string): Promise<ApiRefund>;
}

/** Milliseconds between two tries while the API is unavailable. A repeated request with the same key is safe. */
const AGAIN_AFTER = 300;
const TRIES = 20;

export function demoApi(url: string, keys: SandboxKeys): DemoApi {
  async function once<T>({ key, method, path, headers, body, answers }: Call<T>): Promise<T> {
    const answer = await request(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const content: unknown = await answer.body.json();
    if (answer.statusCode < 300) return answers.parse(content);
    const { code, detail } = problem.parse(content);
    if (answer.statusCode === 503 || answer.statusCode === 500) throw new Error(`${code}: ${detail}`);
    throw new Refused(code, detail);
  }

  async function call<T>(one: Call<T>): Promise<T> {
    for (let tries = 1; ; tries += 1)
      try {
        return await once(one);
      } catch (error) {
        if (error instanceof Refused || tries === TRIES) throw error;
        await sleep(AGAIN_AFTER);
      }
  }

  const submitted = (path: string, idempotencyKey: string, body: unknown): Promise<ApiRefund> =>
    call({
      ...{ key: keys.submit, method: 'POST', path, body, answers: refundSchema },
      headers: { 'idempotency-key': idempotencyKey },
    });
  const read = (path: string): Promise<ApiRefund> =>
    call({ key: keys.submit, method: 'GET', path, answers: refundSchema });

  return {
    ask: (idempotencyKey, body) => submitted('/v1/refunds', idempotencyKey, body),
    askCredit: (idempotencyKey, body) => submitted('/v1/credits', idempotencyKey, body),
    sealCard: async (card) =>
      (await call({ key: keys.submit, method: 'POST', path: '/v1/cards', body: card, answers: sealed }))
        .cardRef,
    get: (id) => read(`/v1/refunds/${id}`),
    whenFinal: (id) => read(`/v1/refunds/${id}?wait=60s`),
    decide: (id, verb, instruction) =>
      call({
        ...{ key: keys.approve, method: 'POST', path: `/v1/refunds/${id}/${verb}`, answers: refundSchema },
        body: { reason: 'demonstration', instruction },
      }),
  };
}

const sealed = z.object({ cardRef: z.string() });

interface Call<T> {
  readonly key: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly answers: z.ZodType<T>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
