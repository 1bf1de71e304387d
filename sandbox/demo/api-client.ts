/** Calls the public HTTP API for the demonstration: one key requests refunds, another one approves or rejects. */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { problem, refund as refundSchema } from '../../server/api/schemas.js';
import type { z } from 'zod';
import type { SandboxKeys } from '../api-keys.js';

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
    body: Amount & { readonly destination: { readonly registrationId: string }; readonly paymentId?: string },
  ): Promise<ApiRefund>;
  get(id: string): Promise<ApiRefund>;
  /** Returns the refund when it is final, or after a minute at the latest. */
  whenFinal(id: string): Promise<ApiRefund>;
  decide(id: string, verb: 'approve' | 'reject', instruction: string): Promise<ApiRefund>;
}

/** Milliseconds between two tries while the API is unavailable. A repeated request with the same key is safe. */
const AGAIN_AFTER = 300;
const TRIES = 20;

export function demoApi(url: string, keys: SandboxKeys): DemoApi {
  async function once(key: string, method: 'GET' | 'POST', path: string, more: More): Promise<ApiRefund> {
    const answer = await request(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...more.headers,
      },
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
    });
    const content: unknown = await answer.body.json();
    if (answer.statusCode < 300) return refundSchema.parse(content);
    const { code, detail } = problem.parse(content);
    if (answer.statusCode === 503 || answer.statusCode === 500) throw new Error(`${code}: ${detail}`);
    throw new Refused(code, detail);
  }

  async function call(
    key: string,
    method: 'GET' | 'POST',
    path: string,
    more: More = {},
  ): Promise<ApiRefund> {
    for (let tries = 1; ; tries += 1)
      try {
        return await once(key, method, path, more);
      } catch (error) {
        if (error instanceof Refused || tries === TRIES) throw error;
        await sleep(AGAIN_AFTER);
      }
  }

  return {
    ask: (idempotencyKey, body) =>
      call(keys.submit, 'POST', '/v1/refunds', { headers: { 'idempotency-key': idempotencyKey }, body }),
    askCredit: (idempotencyKey, body) =>
      call(keys.submit, 'POST', '/v1/credits', { headers: { 'idempotency-key': idempotencyKey }, body }),
    get: (id) => call(keys.submit, 'GET', `/v1/refunds/${id}`),
    whenFinal: (id) => call(keys.submit, 'GET', `/v1/refunds/${id}?wait=60s`),
    decide: (id, verb, instruction) =>
      call(keys.approve, 'POST', `/v1/refunds/${id}/${verb}`, {
        body: { reason: 'demonstration', instruction },
      }),
  };
}

interface More {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
