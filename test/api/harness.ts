/** Harness of the API tests: the API over real HTTP, with PostgreSQL, Temporal, a worker and the simulated gateway. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { buildApi, type ApiOptions } from '../../server/api/server.js';
import { problem, refund } from '../../server/api/schemas.js';
import { createCards } from '../../client/cards.js';
import { readinessOf } from '../../client/readiness.js';
import type { Role } from '../../domain/principal.js';
import { createApiKey } from '../../ledger/access/api-keys.js';
import { createLog } from '../../settings/log.js';
import { startStack, type Stack, type StackOptions } from '../support/stack.js';

const DAY = 24 * 3_600_000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface Call {
  /** API key; null sends none. Default: a key with every role. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a string as it is. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface ApiHarness {
  readonly stack: Stack;
  readonly app: FastifyInstance;
  readonly url: string;
  /** Log lines of the API. */
  readonly logged: readonly string[];
  /** Creates an API key and returns its text. */
  newKey(name: string, ...roles: readonly Role[]): Promise<string>;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** Requests a refund of 40.00 EUR, unless `body` says otherwise. */
  ask(paymentId: string, more?: Call & { readonly idempotencyKey?: string }): Promise<Answer>;
  /** Stops everything. Expects the ledger to agree with the gateway's books unless `booksAgree` is false. */
  close(how?: { readonly booksAgree?: boolean }): Promise<void>;
}

/** Starts the harness. Call it at the top level of a test file, and `afterAll(() => world.close())`. */
export async function startApi(
  options: StackOptions & { readonly api?: Partial<ApiOptions> } = {},
): Promise<ApiHarness> {
  const stack = await startStack(options);
  const logged: string[] = [];
  const app = await buildApi({
    client: stack.client,
    ledger: stack.dependencies.ledger,
    database: stack.database,
    log: createLog({ role: 'api', to: { write: (line) => logged.push(line) } }),
    requestsPerMinute: 100_000,
    cards: createCards({
      database: stack.database,
      sealer: stack.sealer,
      graceMs: 7 * DAY,
      maxAgeMs: 90 * DAY,
      isLive: false,
    }),
    readiness: readinessOf(stack.database, stack.temporal),
    limits: stack.limits,
    ...options.api,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  const secrets: string[] = [];
  async function newKey(name: string, ...roles: readonly Role[]): Promise<string> {
    const text = (await createApiKey(stack.database, { name, roles })).text.reveal();
    // The first two parts of a key are not secret.
    secrets.push(text.split('_').slice(2).join('_'));
    return text;
  }
  const everything = await newKey('shop', 'submit', 'read', 'operate', 'approve');

  async function call(method: string, path: string, { key = everything, headers, body, signal }: Call = {}) {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const read: unknown = isJson ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body: read };
  }

  return {
    stack,
    app,
    url,
    logged,
    newKey,
    call,
    ask: (paymentId, { idempotencyKey = randomUUID(), headers, body, ...more } = {}) =>
      call('POST', '/v1/refunds', {
        headers: { 'idempotency-key': idempotencyKey, ...headers },
        body: body ?? { paymentId, amount: '40.00', currency: 'EUR', reason: 'goods_returned' },
        ...more,
      }),
    async close(how) {
      await app.close();
      stack.logged.push(...logged);
      try {
        await stack.expectNoLeaks(secrets);
      } finally {
        await stack.close(how);
      }
    },
  };
}

export const refundOf = ({ body }: Answer) => refund.parse(body);
export const problemOf = ({ body }: Answer) => problem.parse(body);
export const dataOf = <Item extends z.ZodType>({ body }: Answer, item: Item) =>
  z.object({ data: z.array(item) }).parse(body).data;
