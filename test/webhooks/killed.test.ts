/** The receiver as a process of its own, killed with -9 after it has answered 2xx: what was answered is kept, and takes effect once. */
import { sql } from 'kysely';
import { afterAll, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { encryptWebhook } from '../../sandbox/gateway/webhooks.js';
import { startNodeProcess } from '../../sandbox/node-process.js';
import { eventually, NEVER, openHarness } from '../conformance/world.js';
import { webhookAddress } from '../support/receiver.js';

const MINUTE = 60_000;
const address = await webhookAddress();
// No look-up ends any of them: only a notice that survived does.
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
  if (attempt?.gatewayId == null) throw new Error('pending without an id');
  harness.gateway.engine.finishPending({ id: attempt.gatewayId, state: 'succeeded' });
  return { id, paymentId: payment.paymentId, gatewayId: attempt.gatewayId, reference: attempt.reference };
}

/** That it was paid, sealed as the gateway does: the same notice at every delivery, each time under another IV. */
async function tell({ gatewayId, reference }: Pending): Promise<number> {
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

/** As somebody who works on the payment: nobody else records anything of it meanwhile. */
const whileHeld = ({ paymentId }: Pending, work: () => Promise<void>): Promise<void> =>
  database.db.transaction().execute(async (transaction) => {
    await sql`SELECT 1 FROM payments WHERE id = ${paymentId} FOR UPDATE`.execute(transaction);
    await work();
  });

const somebodyWaits = (): Promise<true> =>
  eventually('somebody waits for the payment', async () => {
    const { rows } = await sql`
      SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(database.db);
    return rows.length > 0 ? true : undefined;
  });

it(
  'every notice that was answered before the kill is worked on once by the process after it',
  { timeout: 5 * MINUTE },
  async () => {
    const [caught, ...others] = await Promise.all([
      pendingRefund(),
      pendingRefund(),
      pendingRefund(),
      pendingRefund(),
    ]);
    const { pid } = pidOf.parse(api.ready());
    // One is killed in the middle of its work, the others right after their answers, wherever that finds them.
    await whileHeld(caught, async () => {
      expect(await tell(caught)).toBe(200);
      await somebodyWaits();
      expect(await Promise.all(others.map(tell))).toEqual([200, 200, 200]);
      process.kill(pid, 'SIGKILL');
      await eventually('it is dead', () => (api.pid() === pid ? undefined : true));
    });
    expect(await kept(caught)).toEqual([{ state: 'received', why: null }]);
    expect(await harness.client.getRefund(caught.id)).toMatchObject({ state: 'pending' });
    for (const other of others) expect(await kept(other)).toHaveLength(1);

    await expect.poll(() => api.pid(), { timeout: 2 * MINUTE }).not.toBeOneOf([pid, undefined]);
    // The gateway did not see the connection end well, and delivers once more.
    const all = [caught, ...others];
    expect(await Promise.all(all.map(tell))).toEqual([200, 200, 200, 200]);
    // What the dead process had taken is free again when its lease has ended.
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
