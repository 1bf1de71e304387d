/** Accounts without v3 reporting: refunds work with v1 queries within their limits; a decision that needs linked transactions is for an operator. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Refund } from '../../client/index.js';
import { buildApi } from '../../server/api/server.js';
import { readinessOf, reportingOf } from '../../client/readiness.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { createLog } from '../../settings/log.js';
import { command } from '../support/command.js';
import { startStack, type Stack } from '../support/stack.js';
import { eventually } from './harness.js';

const timings = {
  sendWindow: 1_500,
  answerWithin: 1_000,
  queryMax: 300,
  visibilityLag: 100,
  notFoundSpacing: 30,
  retryFirst: 50,
};
const stack = await startStack({ gateway: { reporting: 'v1' }, timings });
afterAll(() => stack.close({ booksAgree: false }));
afterEach(() => stack.gateway.engine.clearFault());

const refund = (on: Stack, paymentId: string, amount = '60.00'): Promise<Refund> =>
  on.client.requestRefund({
    clientId: 'shop',
    idempotencyKey: randomUUID(),
    requestedBy: 'clerk',
    request: { paymentId, amount, currency: 'EUR', reason: 'order_cancelled' },
  });

const until = (on: Stack, id: string, state: Refund['state']): Promise<Refund> =>
  eventually(`${id} is ${state}`, async () => {
    const found = await on.client.getRefund(id);
    return found.state === state ? found : undefined;
  });

const casesOf = async (id: string): Promise<readonly string[]> =>
  ((await stack.dependencies.ledger.findRefund(id))?.openCases ?? []).map(({ why }) => why);

const v3Queries = (on: Stack): number =>
  on.gateway.requests().filter(({ path }) => path.startsWith('/v3/')).length;

const refunded = ({ paymentId }: CreatedPayment): bigint | undefined =>
  stack.gateway.engine.books(paymentId)?.refunded;

describe('an account without v3 reporting', () => {
  it('has its refunds paid, and one v3 query', async () => {
    const payments = [stack.newPayment(), stack.newPayment(), stack.newPayment()];
    for (const payment of payments) {
      await until(stack, (await refund(stack, payment.paymentId)).id, 'succeeded');
      expect(refunded(payment)).toBe(60_00n);
    }
    expect(v3Queries(stack)).toBe(1);
    expect(Object.values(await reportingOf(stack.database))).toEqual(['v1']);
  });

  it('is shown by readiness and by verify', async () => {
    const [entity = ''] = Object.keys(await reportingOf(stack.database));
    const api = await buildApi({
      client: stack.client,
      ledger: stack.dependencies.ledger,
      database: stack.database,
      log: createLog({ role: 'api', to: { write: () => undefined } }),
      requestsPerMinute: 100,
      readiness: readinessOf(stack.database, stack.temporal),
      limits: stack.limits,
    });
    try {
      const ready = await api.inject({ method: 'GET', url: '/readyz' });
      expect([ready.statusCode, ready.json()]).toMatchObject([
        200,
        { status: 'ok', reporting: { [entity]: 'v1' } },
      ]);
    } finally {
      await api.close();
    }
    const verify = await command(stack.env, 'verify', '--json');
    expect(JSON.parse(verify.stdout)).toMatchObject({
      ok: true,
      withoutV3: [{ entityId: entity, code: '800.121.100' }],
    });
    const text = await command(stack.env, 'verify');
    expect(text.stdout).toContain(`entity ${entity} has no v3 reporting (800.121.100`);
  }, 120_000);

  it('has a refund with a lost answer, which a v1 query finds', async () => {
    const payment = stack.newPayment();
    stack.fault({ kind: 'accept_then_drop' }, { paymentType: 'RF', paymentId: payment.paymentId });
    const { id } = await refund(stack, payment.paymentId);
    const { attempts } = await until(stack, id, 'succeeded');
    expect(attempts).toHaveLength(1);
    expect(refunded(payment)).toBe(60_00n);
  });

  it('has an attempt that no query finds: it is never submitted again, and the case names the next step', async () => {
    const payment = stack.newPayment();
    stack.fault({ kind: 'drop_before_execute' }, { paymentType: 'RF', paymentId: payment.paymentId });
    const { id } = await refund(stack, payment.paymentId);
    const { attempts } = await until(stack, id, 'manual_review');
    expect(await casesOf(id)).toEqual(['links_not_shown']);
    expect(attempts.map(({ state }) => state)).toEqual(['unknown']);
    const orders = stack.gateway
      .requests()
      .filter(({ method, path }) => method === 'POST' && path.endsWith(payment.paymentId));
    expect(orders).toHaveLength(1);
  });

  it('has no credit: a refund that cannot be linked waits for an operator', async () => {
    const payment = stack.newPayment();
    stack.fault({ kind: 'reject', code: '700.500.001' }, { paymentType: 'RF', paymentId: payment.paymentId });
    const { id } = await refund(stack, payment.paymentId);
    await until(stack, id, 'manual_review');
    expect(await casesOf(id)).toEqual(['links_not_shown']);
    expect(stack.gateway.engine.transactions().filter(({ type }) => type === 'CD')).toEqual([]);
  });

  it('has the captures of one authorization refunded, each by its own id', async () => {
    const payment = stack.newPayment({ type: 'PA', amount: '100.00', captures: ['70.00', '30.00'] });
    const [first = '', second = ''] = payment.captureIds;
    await until(stack, (await refund(stack, first, '70.00')).id, 'succeeded');
    await until(stack, (await refund(stack, second, '30.00')).id, 'succeeded');
    expect(refunded(payment)).toBe(100_00n);
    await expect(refund(stack, second, '0.01')).rejects.toMatchObject({ code: 'exceeds_refundable' });
  });

  it('has refunds of an authorization rejected, because it does not show the captures', async () => {
    const { paymentId } = stack.newPayment({ type: 'PA', captures: ['70.00'] });
    await expect(refund(stack, paymentId)).rejects.toMatchObject({
      code: 'invalid_request',
      problems: [{ field: 'paymentId', code: 'not_refundable' }],
    });
  });
});

describe('reporting that is enabled later', () => {
  it('is found by a replay at once, of one refund and of many, and the waiting refunds continue', async () => {
    const later = await startStack({ gateway: { reporting: 'v1' }, timings });
    const note = { by: 'berta', reason: 'reporting is enabled' };
    async function unlinked(): Promise<string> {
      const { paymentId } = later.newPayment();
      later.fault({ kind: 'reject', code: '700.500.001' }, { paymentType: 'RF', paymentId });
      const { id } = await refund(later, paymentId);
      await until(later, id, 'manual_review');
      later.fault({ kind: 'reject', code: '700.500.001' }, { paymentType: 'RF', paymentId });
      return id;
    }
    try {
      const one = await unlinked();
      later.gateway.engine.changeSettings({ reporting: 'v3' });
      await later.client.replay(one, note);
      await until(later, one, 'succeeded');
      later.gateway.engine.changeSettings({ reporting: 'v1' });
      const many = [await unlinked(), await unlinked()];
      expect(Object.values(await reportingOf(later.database))).toEqual(['v1']);
      later.gateway.engine.changeSettings({ reporting: 'v3' });
      const replayed = await later.client.replayMany({ case: 'links_not_shown', ...note });
      expect(replayed).toMatchObject({ count: 2, replayed: 2, refused: [] });
      for (const id of many) await until(later, id, 'succeeded');
      expect(await reportingOf(later.database)).toEqual({});
    } finally {
      await later.close();
    }
  });
});

describe('the v1 limit of two queries per window', () => {
  it('holds while refunds are accepted and lost answers are queried, and all refunds become final', async () => {
    // The limit is two v1 queries in 31.5 s ÷ 30.
    const limited = await startStack({
      gateway: {
        reporting: 'v1',
        throttle: {
          windowMs: 1_000,
          v1Payment: 2,
          v1Query: 2,
          v3Query: 100,
          v3Search: 30,
          backoffice: 200,
          payRegistration: 200,
        },
      },
      searchesPerSecond: 30,
      timings,
    });
    try {
      for (let nth = 0; nth < 4; nth += 1) {
        const { paymentId } = limited.newPayment();
        if (nth % 2 === 0) limited.fault({ kind: 'accept_then_drop' }, { paymentType: 'RF', paymentId });
        await refund(limited, paymentId);
      }
      await limited.expectBooksAgree();
      const { rows } = await sql<{ throttled: boolean }>`
        select closed_until > '-infinity' as throttled from query_budgets`.execute(limited.database.db);
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.filter(({ throttled }) => throttled)).toEqual([]);
    } finally {
      await limited.close({ booksAgree: false });
    }
  });
});
