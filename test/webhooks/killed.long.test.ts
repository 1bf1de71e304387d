/** The receiver as a separate process, killed with SIGKILL after it answered 2xx: each notification is stored and takes effect once. */
import { sql } from 'kysely';
import { afterAll, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { encryptWebhook } from '../../sandbox/gateway/webhooks.js';
import { startNodeProcess } from '../../sandbox/node-process.js';
import { eventually, NEVER, openHarness } from '../conformance/harness.js';
import { webhookAddress } from '../support/receiver.js';

const MINUTE = 60_000;
const address = await webhookAddress();
// Queries are disabled, so that only a stored notification can complete a refund.
const harness = await openHarness({
  timings: { queryFirst: NEVER, queryMax: NEVER, caseAfterPending: 24 * NEVER },
});
const { database } = harness;
const lines: string[] = [];
const api = await startNodeProcess({
  name: 'API',
  entry: 'server/api/main.ts',
  env: {
    ...harness.env,
    REFUNDS_PORT: String(address.port),
    REFUNDS_WORKFLOW_BUNDLE: inject('workflowBundle'),
    OPPWA_WEBHOOK_KEY: address.key,
  },
  print: (line) => lines.push(line),
  readyWithinMs: 2 * MINUTE,
});
afterAll(() => api.stop());
const pidOf = z.object({ pid: z.number() });

interface Pending {
  readonly id: string;
  readonly paymentId: string;
  readonly gatewayId: string;
  readonly reference: string;
}

async function pendingRefund(): Promise<Pending> {
  const payment = harness.newPayment();
  harness.onRefund(payment, { kind: 'pending' });
  const { id } = await harness.ask(payment, '60.00');
  await harness.until(id, 'pending');
  const attempt = (await harness.dependencies.ledger.findRefund(id))?.attempts[0];
  if (attempt?.gatewayId == null) throw new Error('a pending attempt without a gateway id');
  harness.gateway.engine.finishPending({ id: attempt.gatewayId, state: 'succeeded' });
  return { id, paymentId: payment.paymentId, gatewayId: attempt.gatewayId, reference: attempt.reference };
}

/** Sends the notification of the success, encrypted as the gateway does: the same content with a new IV at each delivery. */
async function deliver({ gatewayId, reference }: Pending): Promise<number> {
  const payload = {
    id: gatewayId,
    paymentType: 'RF',
    amount: '60.00',
    currency: 'EUR',
    merchantTransactionId: reference,
    result: { code: '000.100.110', description: 'done' },
    timestamp: '2026-09-01 10:22:16.123+0000',
    authentication: { entityId: harness.dependencies.defaultEntityId },
  };
  const { headers, body } = encryptWebhook(address.key, JSON.stringify({ type: 'PAYMENT', payload }));
  const answer = await fetch(address.url, { method: 'POST', headers, body });
  await answer.arrayBuffer();
  return answer.status;
}

const kept = async ({ gatewayId }: Pending) =>
  (
    await sql<{ state: string; why: string | null }>`
      SELECT state, why FROM webhooks WHERE gateway_id = ${gatewayId}`.execute(database.db)
  ).rows;

/** Runs `work` while a transaction locks the payment, so that no other process can record anything of it. */
const whileHeld = ({ paymentId }: Pending, work: () => Promise<void>): Promise<void> =>
  database.db.transaction().execute(async (transaction) => {
    await sql`SELECT 1 FROM payments WHERE id = ${paymentId} FOR UPDATE`.execute(transaction);
    await work();
  });

const isLockAwaited = (): Promise<true> =>
  eventually('a transaction waits for the payment’s lock', async () => {
    const { rows } = await sql`
      SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(database.db);
    return rows.length > 0 ? true : undefined;
  });

it(
  'every notification that was acknowledged before the kill is processed once by the next process',
  { timeout: 5 * MINUTE },
  async () => {
    const [caught, ...others] = await Promise.all([
      pendingRefund(),
      pendingRefund(),
      pendingRefund(),
      pendingRefund(),
    ]);
    const { pid } = pidOf.parse(api.ready());
    // One notification is being processed at the kill. The others have just been acknowledged.
    await whileHeld(caught, async () => {
      expect(await deliver(caught)).toBe(200);
      await isLockAwaited();
      expect(await Promise.all(others.map(deliver))).toEqual([200, 200, 200]);
      process.kill(pid, 'SIGKILL');
      await eventually('it is dead', () => (api.pid() === pid ? undefined : true));
    });
    expect(await kept(caught)).toEqual([{ state: 'received', why: null }]);
    expect(await harness.client.getRefund(caught.id)).toMatchObject({ state: 'pending' });
    for (const other of others) expect(await kept(other)).toHaveLength(1);

    await expect.poll(() => api.pid(), { timeout: 2 * MINUTE }).not.toBeOneOf([pid, undefined]);
    // The gateway delivers again, because the connections ended abnormally.
    const all = [caught, ...others];
    expect(await Promise.all(all.map(deliver))).toEqual([200, 200, 200, 200]);
    // Notifications that the dead process had claimed are free when its lease has expired.
    for (const one of all)
      await expect
        .poll(() => kept(one), { timeout: 2 * MINUTE, message: lines.join('\n') })
        .toEqual([{ state: 'processed', why: expect.stringMatching(/^(completed|known)$/) as unknown }]);
    expect(await kept(caught)).toEqual([{ state: 'processed', why: 'completed' }]);
    for (const { id, paymentId } of all) {
      expect(await harness.run(id).result()).toMatchObject({ state: 'succeeded' });
      const effects = await database.db
        .selectFrom('events')
        .select(['type', 'succeeded_delta'])
        .where('payment_id', '=', paymentId)
        .where('succeeded_delta', '<>', 0n)
        .execute();
      expect(effects).toEqual([{ type: 'attempt.succeeded', succeeded_delta: 60_00n }]);
      expect(await harness.dependencies.ledger.findPayment(paymentId)).toMatchObject({
        succeededMinor: 60_00n,
        reservedMinor: 0n,
      });
    }
    expect(api.restarts(), lines.join('\n')).toBe(1);
  },
);
