/** Processing of notifications, over HTTP from the simulated gateway to the ledger. A notification alone never fails a refund. */
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, describe, it } from 'vitest';
import { claimWebhooks } from '../../ledger/inbox/inbox.js';
import { unmatchedWebhooks, webhooksOf } from '../../ledger/inbox/webhooks.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import type { FaultRule } from '../../sandbox/gateway/faults.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import { eventually, NEVER, openHarness } from '../conformance/harness.js';
import { deliverNotifications, startReceiver, webhookAddress } from '../support/receiver.js';
import { CODEC_OFF } from '../../temporal/codec/settings.js';
import { openClient } from '../../temporal/connection.js';
import { seen } from '../support/seen.js';

const address = await webhookAddress();
const harness = await openHarness({ webhooks: address, gateway: { notifyPortalRefunds: true } });
const OTHER_ENTITY = 'e'.repeat(32);
const OTHER_KEY = randomBytes(32).toString('hex');
const entityId = harness.dependencies.defaultEntityId;
const receiver = await startReceiver(harness, address, {
  keys: new Map([
    [entityId, [address.key]],
    [OTHER_ENTITY, [OTHER_KEY]],
  ]),
});
afterAll(() => receiver.close());
const { engine } = harness.gateway;
const { ledger } = harness.dependencies;

/** Queries are so rare that only a notification causes one. */
const patient = harness.clientWith({ queryFirst: NEVER, queryMax: NEVER, caseAfterPending: 24 * NEVER });

const notifications = (payment: CreatedPayment, how: 'lost' | 'duplicate' | 'out_of_order', ms = 0): void =>
  harness.fault({ kind: 'webhook', how, ms }, { paymentType: 'RF', paymentId: payment.paymentId });

async function pendingRefund() {
  const payment = harness.newPayment();
  harness.onRefund(payment, { kind: 'pending' });
  const { id } = await harness.ask(payment, '60.00', { by: patient });
  const { attempts } = await harness.until(id, 'pending');
  return { payment, id, gatewayId: attempts[0]?.gatewayId ?? '' };
}

async function paid(payment: CreatedPayment, amount: string, ...effects: readonly FaultRule['effect'][]) {
  harness.onRefund(payment, ...effects);
  const { id } = await harness.ask(payment, amount, { by: patient });
  const { attempts } = await harness.until(id, 'succeeded');
  return { id, gatewayId: attempts.at(-1)?.gatewayId ?? '' };
}

const queriesOf = async (id: string): Promise<number> =>
  (await ledger.findRefund(id))?.attempts.reduce((sum, { queries }) => sum + queries, 0) ?? 0;

const factsOf = async (id: string): Promise<readonly string[]> =>
  (await harness.database.db.selectFrom('events').select('type').where('refund_id', '=', id).execute()).map(
    ({ type }) => type,
  );

/** Waits until every stored notification of this transaction is processed, and returns the results. */
const endsOf = (gatewayId: string, least = 1) =>
  eventually(`notices about ${gatewayId} are worked on`, async () => {
    const { rows } = await sql<{ state: string; why: string | null }>`
      SELECT state, why FROM webhooks WHERE gateway_id = ${gatewayId} ORDER BY id`.execute(
      harness.database.db,
    );
    return rows.length >= least && rows.every(({ state }) => state !== 'received')
      ? rows.map(({ state, why }) => `${state}: ${why ?? ''}`)
      : undefined;
  });

describe.concurrent('a notification of a refund in progress', () => {
  it('completes a matching success without a query', async ({ expect }) => {
    const { payment, id, gatewayId } = await pendingRefund();
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await deliverNotifications(harness);
    await harness.until(id, 'succeeded');
    expect(await harness.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(await queriesOf(id)).toBe(0);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
    expect(await endsOf(gatewayId, 2)).toContain('processed: completed');
  });

  it('of a decline is confirmed by a query first', async ({ expect }) => {
    const { id, gatewayId } = await pendingRefund();
    engine.finishPending({ id: gatewayId, state: 'rejected' });
    await deliverNotifications(harness);
    const { attempts } = await harness.until(id, 'succeeded');
    expect(attempts).toMatchObject([
      { type: 'RF', state: 'rejected', gatewayId },
      { type: 'CD', state: 'succeeded' },
    ]);
    expect(await queriesOf(id)).toBe(1);
    expect(await endsOf(gatewayId, 2)).toContain('processed: signaled');
  });

  it('of a false decline changes nothing, because the query does not confirm it', async ({ expect }) => {
    const { id, gatewayId } = await pendingRefund();
    const reference = (await ledger.findRefund(id))?.attempts[0]?.reference;
    const lie = { code: '800.100.152', description: 'declined' };
    const payload = { id: gatewayId, paymentType: 'RF', merchantTransactionId: reference, result: lie };
    await receiver.post({ type: 'PAYMENT', payload: { ...payload, authentication: { entityId } } });
    await eventually('it was looked up', async () => ((await queriesOf(id)) > 0 ? true : undefined));
    expect(await harness.client.getRefund(id)).toMatchObject({ state: 'pending' });
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await deliverNotifications(harness);
    await harness.until(id, 'succeeded');
  });

  it('that arrives before the lost response is recorded once', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'accept_then_drop', dropAfterMs: 700 });
    const { id } = await harness.ask(payment, '60.00', { by: patient });
    await harness.untilExecuted(payment);
    await deliverNotifications(harness);
    await harness.until(id, 'succeeded');
    expect(await harness.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect((await factsOf(id)).filter((type) => type === 'attempt.succeeded')).toHaveLength(1);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('that is delivered twice is recorded once', async ({ expect }) => {
    const { payment, id, gatewayId } = await pendingRefund();
    notifications(payment, 'duplicate', 20);
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await deliverNotifications(harness);
    await harness.until(id, 'succeeded');
    expect(await endsOf(gatewayId, 2)).toHaveLength(2);
    expect((await factsOf(id)).filter((type) => type === 'attempt.succeeded')).toHaveLength(1);
  });

  it('that arrives out of order (succeeded before pending) leaves the refund succeeded', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    notifications(payment, 'out_of_order');
    harness.onRefund(payment, { kind: 'pending' });
    const { id } = await harness.ask(payment, '60.00', { by: patient });
    const { attempts } = await harness.until(id, 'pending');
    const gatewayId = attempts[0]?.gatewayId ?? '';
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await deliverNotifications(harness);
    expect(await endsOf(gatewayId, 2)).toHaveLength(2);
    await harness.until(id, 'succeeded');
    expect(await factsOf(id)).not.toContain('attempt.returned');
  });

  it('from another entity with our reference is stored and changes nothing', async ({ expect }) => {
    const { id, gatewayId } = await pendingRefund();
    const reference = (await ledger.findRefund(id))?.attempts[0]?.reference;
    const before = await factsOf(id);
    const foreignId = randomBytes(16).toString('hex');
    const payload = {
      id: foreignId,
      paymentType: 'RF',
      amount: '60.00',
      currency: 'EUR',
      merchantTransactionId: reference,
      result: { code: '000.100.110', description: 'done' },
      authentication: { entityId: OTHER_ENTITY },
    };
    expect(await receiver.post({ type: 'PAYMENT', payload }, { key: OTHER_KEY })).toBe(200);
    expect(await endsOf(foreignId)).toEqual(['unmatched: no_matching_attempt']);
    expect(await factsOf(id)).toEqual(before);
    expect(await queriesOf(id)).toBe(0);
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await deliverNotifications(harness);
    await harness.until(id, 'succeeded');
  });
});

describe.concurrent('a notification of a final refund', () => {
  it('that repeats its outcome causes no query and no workflow run', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    await deliverNotifications(harness);
    await endsOf(gatewayId);
    // Delivered again, a minute later.
    const result = { code: '000.100.110', description: 'done' };
    const reference = (await ledger.findRefund(id))?.attempts[0]?.reference;
    const again = { id: gatewayId, paymentType: 'RF', amount: '60.00', currency: 'EUR', result };
    const timestamp = '2999-01-01 00:00:00+0000';
    const payload = { ...again, merchantTransactionId: reference, timestamp, authentication: { entityId } };
    expect(await receiver.post({ type: 'PAYMENT', payload })).toBe(200);
    expect((await endsOf(gatewayId, 2)).at(-1)).toBe('processed: known');
    expect(await queriesOf(id)).toBe(0);
    expect((await factsOf(id)).filter((type) => type === 'attempt.succeeded')).toHaveLength(1);
  });

  it('that returns it is confirmed by a query; the refund is reopened and needs an operator', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    await deliverNotifications(harness);
    expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'returned' });
    expect(await harness.balance(payment)).toMatchObject({ returnedMinor: 60_00n, reservedMinor: 60_00n });
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
    expect(await endsOf(gatewayId, 2)).toContain('processed: confirmed');
  });

  it('that turns its decline into a success pays it and ends the run that waits for an approval', async ({
    expect,
  }) => {
    const payment = harness.newPayment({ amount: '600.00' });
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id } = await harness.ask(payment, '600.00', { by: patient });
    const { attempts } = await harness.until(id, 'awaiting_approval');
    engine.succeedLate({ id: attempts[0]?.gatewayId ?? '' });
    await deliverNotifications(harness);
    await harness.until(id, 'succeeded');
    expect(await harness.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(harness.booked(payment)).toMatchObject({ out: '600.00' });
  });

  it('that returns a credit is confirmed by a query of its reference, because a credit is not linked to the payment', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00', { kind: 'reject', code: '700.500.001' });
    engine.failLate({ id: gatewayId });
    await deliverNotifications(harness);
    expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'returned' });
    expect(await harness.balance(payment)).toMatchObject({ returnedMinor: 60_00n });
  });

  it('that returns an unlinked credit is confirmed by a query of its reference, too', async ({ expect }) => {
    const { registrationId } = harness.newPayment();
    const { id } = await patient.requestCredit({
      clientId: 'shop',
      idempotencyKey: randomBytes(8).toString('hex'),
      requestedBy: 'clerk',
      request: { amount: '60.00', currency: 'EUR', reason: 'goodwill', destination: { registrationId } },
    });
    await harness.until(id, 'awaiting_approval');
    await patient.approve(id, await seen(patient, id, { by: 'boss', reason: 'agreed with the customer' }));
    const { attempts } = await harness.until(id, 'succeeded');
    engine.failLate({ id: attempts[0]?.gatewayId ?? '' });
    await deliverNotifications(harness);
    expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'returned' });
  });

  it('of a late failure that no query confirms changes nothing', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    const lie = { code: '100.397.102', description: 'came back' };
    await receiver.post({
      type: 'PAYMENT',
      payload: {
        id: gatewayId,
        paymentType: 'RF',
        result: lie,
        timestamp: '2999-01-01 00:00:00.000+0000',
        authentication: { entityId },
      },
    });
    await eventually('a look-up did not show it', async () => {
      const { rows } = await sql<{ notFoundCount: number }>`
        SELECT not_found_count AS "notFoundCount" FROM webhooks WHERE gateway_id = ${gatewayId} AND code = ${lie.code}`.execute(
        harness.database.db,
      );
      return (rows[0]?.notFoundCount ?? 0) > 0 ? true : undefined;
    });
    expect(await harness.client.getRefund(id)).toMatchObject({ state: 'succeeded' });
    expect(await harness.balance(payment)).toMatchObject({ returnedMinor: 0n });
  });
});

describe.concurrent('a notification of a payment', () => {
  it('that was charged back after its refund opens a case for a double payment', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id } = await paid(payment, '100.00');
    const { id: chargeback } = engine.chargeback({ paymentId: payment.paymentId });
    await deliverNotifications(harness);
    expect(await endsOf(chargeback)).toEqual(['processed: confirmed']);
    expect(await harness.openCases(id)).toEqual(['paid_twice']);
    expect(await harness.balance(payment)).toMatchObject({ disputedMinor: 100_00n, excessMinor: 100_00n });

    const { id: reversal } = engine.reverseChargeback(chargeback);
    await deliverNotifications(harness);
    expect(await endsOf(reversal)).toEqual(['processed: confirmed']);
    expect(await harness.balance(payment)).toMatchObject({ disputedMinor: 0n, excessMinor: 0n });
    const transaction = await webhooksOf(harness.database, { paymentId: payment.paymentId });
    expect(transaction.map(({ paymentType }) => paymentType).slice(-3)).toEqual([
      'refund',
      'chargeback',
      'chargeback_reversal',
    ]);
  });

  it('that was refunded in the portal reduces the refundable amount', async ({ expect }) => {
    const payment = harness.newPayment();
    await paid(payment, '10.00');
    const { id } = engine.refundInPortal({ paymentId: payment.paymentId, amount: 50_00n });
    await deliverNotifications(harness);
    expect(await endsOf(id)).toEqual(['processed: confirmed']);
    expect(await harness.balance(payment)).toMatchObject({ refundableMinor: 40_00n });
  });

  it('that is unknown is stored, and processed when a refund of it is accepted', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id } = engine.refundInPortal({ paymentId: payment.paymentId, amount: 30_00n });
    await deliverNotifications(harness);
    expect(await endsOf(id)).toEqual(['unmatched: no_matching_attempt']);
    expect((await unmatchedWebhooks(harness.database)).map(({ gatewayId }) => gatewayId)).toContain(id);

    await paid(payment, '70.00');
    await eventually('it is matched', async () =>
      (await webhooksOf(harness.database, { paymentId: payment.paymentId })).some(
        (one) => one.gatewayId === id && one.why === 'confirmed',
      )
        ? true
        : undefined,
    );
    expect(await harness.balance(payment)).toMatchObject({ succeededMinor: 100_00n, refundableMinor: 0n });
  });
});

describe('the processor', () => {
  it('takes over the notifications of a process that died', async ({ expect }) => {
    const { id, gatewayId } = await pendingRefund();
    const alone = await webhookAddress();
    const keeper = await startReceiver(harness, { ...alone, key: address.key }, { processor: false });
    await receiver.close();
    try {
      engine.finishPending({ id: gatewayId, state: 'succeeded' });
      const reference = (await ledger.findRefund(id))?.attempts[0]?.reference;
      const payload = {
        id: gatewayId,
        paymentType: 'RF',
        amount: '60.00',
        currency: 'EUR',
        merchantTransactionId: reference,
        result: { code: '000.100.110', description: 'done' },
        timestamp: '2026-09-01 10:22:16.123+0000',
        authentication: { entityId },
      };
      expect(await keeper.post({ type: 'PAYMENT', payload })).toBe(200);
      // Claimed by a process that then dies.
      const taken = await claimWebhooks(harness.database, 100, 500);
      expect(taken.map(({ transaction }) => transaction.id)).toContain(gatewayId);
      expect(await harness.client.getRefund(id)).toMatchObject({ state: 'pending' });
    } finally {
      await keeper.close();
    }
    const next = await startReceiver(harness, address);
    try {
      await harness.until(id, 'succeeded');
    } finally {
      await next.close();
    }
  });
});

describe('while Temporal is unavailable', () => {
  it('a notification is stored, retried, and processed when Temporal is available again', async ({
    expect,
  }) => {
    const { id, gatewayId } = await pendingRefund();
    await receiver.close();
    const absent = openClient({ TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` }, CODEC_OFF);
    const cutOff = await startReceiver({ ...harness, temporal: absent.temporal }, address);
    try {
      engine.finishPending({ id: gatewayId, state: 'rejected' });
      await deliverNotifications(harness);
      const isLogged = (event: string, about: string): true | undefined =>
        cutOff.logged.some((line) => line.includes(event) && line.includes(about)) ? true : undefined;
      await eventually('it is being tried', async () => {
        const { rows } = await sql`SELECT FROM webhooks WHERE gateway_id = ${gatewayId} AND state = 'received'
          AND code LIKE '100.%' AND tries > 0`.execute(harness.database.db);
        return rows.length === 1 ? true : undefined;
      });
      // A notification that does not need Temporal does not wait for one that does.
      const other = randomBytes(16).toString('hex');
      const result = { code: '000.100.110', description: 'paid' };
      const payload = { id: other, paymentType: 'DB', result, authentication: { entityId } };
      await cutOff.post({ type: 'PAYMENT', payload });
      await eventually('the other has been worked on', () => isLogged('webhook.processed', other));
      expect(isLogged('webhook.failed', gatewayId)).toBeUndefined();
      await eventually('it was tried', () => isLogged('webhook.failed', gatewayId));
    } finally {
      await cutOff.close();
      await absent.close();
    }
    expect(await harness.client.getRefund(id)).toMatchObject({ state: 'pending' });
    const next = await startReceiver(harness, address);
    try {
      const { attempts } = await harness.until(id, 'succeeded');
      expect(attempts).toMatchObject([{ type: 'RF', state: 'rejected' }, { type: 'CD' }]);
      expect(await endsOf(gatewayId, 2)).toContain('processed: signaled');
    } finally {
      await next.close();
    }
  });
});
