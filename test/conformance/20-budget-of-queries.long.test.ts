/** One budget of queries: the sweep adds none, a backlog does not delay operators, the gateway's limits hold. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Refund } from '../../client/index.js';
import { maintenanceAt } from '../../temporal/maintenance.js';
import { startStack, type Stack } from '../support/stack.js';
import { eventually } from './harness.js';

const NEVER = 3_600_000;
const patient = { sendWindow: 5_000, answerWithin: 5_000, caseAfterPending: NEVER, caseAfterUnknown: NEVER };

const refund = (stack: Stack, paymentId: string, by = 'clerk'): Promise<Refund> =>
  stack.client.requestRefund({
    clientId: 'shop',
    idempotencyKey: randomUUID(),
    requestedBy: by,
    request: { paymentId, amount: '1.00', currency: 'EUR', reason: 'order_cancelled' },
  });

const queriesOf = (stack: Stack): number =>
  stack.gateway.requests().filter(({ path }) => path.includes('/query')).length;

async function pendingRefund(stack: Stack): Promise<Refund> {
  const { paymentId } = stack.newPayment();
  stack.fault({ kind: 'pending' }, { paymentType: 'RF', paymentId });
  const { id } = await refund(stack, paymentId);
  return eventually('pending', async () => {
    const found = await stack.client.getRefund(id);
    return found.state === 'pending' ? found : undefined;
  });
}

describe('the sweep', () => {
  it('adds no query to those of the pending refund itself', async () => {
    const everySecond = maintenanceAt(0.001);
    const stack = await startStack({
      timings: { ...patient, queryFirst: NEVER, queryMax: NEVER },
      maintenance: {
        ...everySecond,
        sweepEvery: 1_000,
        sweep: {
          ...everySecond.sweep,
          patience: { quiet: 1_000, longest: 1_000, longestInReview: 1_000 },
        },
      },
    });
    try {
      const { id } = await pendingRefund(stack);
      const before = queriesOf(stack);
      await eventually('swept three times', async () => {
        const { rows } = await sql<{ n: number }>`
          select count(*)::int as n from sweeps where refund_id = ${id} and swept_at > now() - interval '30 s'`.execute(
          stack.database.db,
        );
        const history = await stack.temporal.workflow.getHandle(`refund-${id}`).fetchHistory();
        const reported = (history.events ?? []).filter(
          (event) => event.workflowExecutionSignaledEventAttributes != null,
        );
        return rows[0]?.n === 1 && reported.length >= 3 ? true : undefined;
      });
      expect(queriesOf(stack)).toBe(before);
    } finally {
      await stack.close({ booksAgree: false });
    }
  });
});

describe('the budget of one entity', () => {
  it('holds for the worker and for acceptance together during a backlog, and a query of an operator is answered meanwhile', async () => {
    // Searches: 5 in 10.5 s ÷ 4; the gateway's own limits are those of a minute ÷ 8.
    const stack = await startStack({
      timings: { ...patient, queryFirst: 50, queryGrowth: 1, queryMax: 200 },
      gateway: {
        throttle: {
          windowMs: 15_000,
          v1Payment: 2,
          v1Query: 2,
          v3Query: 100,
          v3Search: 30,
          backoffice: 200,
          payRegistration: 200,
        },
      },
      searchesPerSecond: 2,
    });
    try {
      const backlog: Refund[] = [];
      // Accepted as fast as the limit of queries by id allows.
      while (backlog.length < 15) backlog.push(await pendingRefund(stack));
      const [one] = backlog;
      const from = performance.now();
      for (let nth = 0; nth < 3; nth += 1)
        await stack.client.sync(one?.id ?? '', { by: 'berta', reason: 'the customer asks' });
      const took = performance.now() - from;
      // Each answer had to come within the 30 s that a command waits; each window has one query reserved for operators.
      expect(took).toBeLessThan(3 * 15_000);
      await pause(5_000);
      const { rows } = await sql<{ endpoint: string; throttled: boolean }>`
        select endpoint, closed_until > '-infinity' as throttled from query_budgets`.execute(
        stack.database.db,
      );
      expect(rows.filter(({ throttled }) => throttled)).toEqual([]);
      // All of it was used, so the budget was the limiting factor.
      expect(queriesOf(stack)).toBeGreaterThan(20);
    } finally {
      await stack.close({ booksAgree: false });
    }
  }, 180_000);
});

describe('a budget that is exhausted for a day', () => {
  it('turns refunds that wait for a query into cases when their time is up, and they continue by themselves', async () => {
    const stack = await startStack({
      timings: { caseAfterUnknown: 1_500, caseAfterPending: 1_500, queryFirst: 50, queryMax: 200 },
    });
    // The budget is blocked again and again, because a waiting task retries after about a second.
    const close = () =>
      sql`
        insert into query_budgets (entity_id, endpoint, closed_until)
        select ${stack.dependencies.defaultEntityId}, endpoint, now() + interval '1.2 seconds'
        from unnest(array['v3_search', 'v3_query', 'v1_search', 'v1_payment']) as endpoint
        on conflict (entity_id, endpoint) do update set closed_until = excluded.closed_until`.execute(
        stack.database.db,
      );
    /** Refunds that were accepted without a query, and need one afterwards. */
    async function fixture(effect: Parameters<Stack['fault']>[0]): Promise<string> {
      const { paymentId } = stack.newPayment();
      stack.fault(effect, { paymentType: 'RF', paymentId });
      const { id } = await stack.client.requestRefund({
        clientId: 'shop',
        idempotencyKey: randomUUID(),
        requestedBy: 'clerk',
        request: {
          ...{ paymentId, amount: '1.00', currency: 'EUR', reason: 'order_cancelled' },
          payment: { type: 'DB', amount: '100.00', currency: 'EUR' },
        },
      });
      return id;
    }
    const reviewOf = (id: string) =>
      eventually('it is with an operator', async () => {
        const { state, cases } = await stack.client.getRefund(id);
        return state === 'manual_review' ? cases.map(({ why }) => why) : undefined;
      });
    await close();
    const closing = setInterval(() => void close().catch(() => undefined), 100);
    try {
      const lost = await fixture({ kind: 'accept_then_drop' });
      const unclear = await fixture({ kind: 'reject', code: '700.400.200' });
      const unlinked = await fixture({ kind: 'reject', code: '700.500.001' });
      expect(await reviewOf(lost)).toEqual(['outcome_unknown']);
      expect(await reviewOf(unclear)).toEqual(['original_unreadable']);
      expect(await reviewOf(unlinked)).toEqual(['original_unreadable']);
      expect(queriesOf(stack)).toBe(0);
      clearInterval(closing);

      const until = (id: string, state: Refund['state']) =>
        eventually(`${id} is ${state}`, async () =>
          (await stack.client.getRefund(id)).state === state ? true : undefined,
        );
      await until(lost, 'succeeded');
      await until(unlinked, 'succeeded');
      await eventually('it was compared', async () =>
        (await stack.client.getRefund(unclear)).cases.map(({ why }) => why).join() === 'decline_unclear'
          ? true
          : undefined,
      );
    } finally {
      clearInterval(closing);
      await stack.close({ booksAgree: false });
    }
  }, 180_000);
});
