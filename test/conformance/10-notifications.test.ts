/**
 * 10: notifications of the gateway are lost, doubled, reordered, early, or about an unknown refund.
 * Sources: juspay/hyperswitch#3751 and #5298, themeum/tutor#2360, lunora#547; the webhook processor of GOV.UK Pay's connector.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { afterAll, describe, it } from 'vitest';
import type { Outcome } from '../../domain/refund/outcome.js';
import { isGatewayId, type GatewayId } from '../../domain/ids.js';
import { encryptWebhook } from '../../sandbox/gateway/webhooks.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { unmatchedWebhooks, webhooksOf } from '../../ledger/inbox/webhooks.js';
import { gatewayNotification } from '../../workflows/refund/contract.js';
import { deliverNotifications, startReceiver, webhookAddress } from '../support/receiver.js';
import { eventually, NEVER, openHarness } from './harness.js';

const address = await webhookAddress();
const harness = await openHarness({
  webhooks: { ...address, wrapper: 'json' },
  gateway: { notifyPortalRefunds: true },
});
const receiver = await startReceiver(harness, address);
afterAll(() => receiver.close());
const { engine } = harness.gateway;
const { ledger } = harness.dependencies;

/** Queries so rarely that only a notification causes one. */
const patient = harness.clientWith({ queryFirst: NEVER, queryMax: NEVER, caseAfterPending: 24 * NEVER });

async function pendingRefund(by = patient) {
  const payment = harness.newPayment();
  harness.onRefund(payment, { kind: 'pending' });
  const { id } = await harness.ask(payment, '60.00', { by });
  await harness.until(id, 'pending');
  const [attempt] = (await ledger.findRefund(id))?.attempts ?? [];
  const gatewayId = attempt?.gatewayId ?? '';
  if (attempt === undefined || !isGatewayId(gatewayId)) throw new Error('pending without an id');
  return { payment, id, attemptId: attempt.id, gatewayId };
}

/** Records a notification without any check, as an unsafe receiver would. */
const reported = (attemptId: string, outcome: Outcome) =>
  ledger.record({ attemptId, source: 'notification', outcome });

const succeeded = (gatewayId: GatewayId): Outcome => ({ kind: 'succeeded', gatewayId, flagged: false });

const factsOf = (refundId: string) =>
  harness.database.db
    .selectFrom('events')
    .select(['type', 'reserved_delta', 'succeeded_delta'])
    .where('refund_id', '=', refundId)
    .orderBy('id')
    .execute();

describe.concurrent('notifications about a refund', () => {
  it('are all lost: the refund ends as it does with them', async ({ expect }) => {
    const [polled, notified] = await Promise.all([pendingRefund(harness.client), pendingRefund()]);
    for (const { gatewayId } of [polled, notified])
      engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await harness.run(notified.id).signal(gatewayNotification);
    const [withoutNotification, withNotification] = await Promise.all(
      [polled, notified].map(({ id }) => harness.until(id, 'succeeded')),
    );
    // On a slow machine an order may miss its deadline before a byte leaves, and is submitted again: compared from `pending` on.
    const sincePending = async (id: string) => {
      const facts = await factsOf(id);
      return facts.slice(facts.findIndex(({ type }) => type === 'refund.pending'));
    };
    expect(await sincePending(polled.id)).toEqual(await sincePending(notified.id));
    expect((await sincePending(polled.id)).map(({ type }) => type)).toContain('refund.succeeded');
    expect(withoutNotification?.attempts[0]?.resultCode).toBe(withNotification?.attempts[0]?.resultCode);
    for (const { payment } of [polled, notified])
      expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('arrive five times at once: one fact', async ({ expect }) => {
    const { payment, id, gatewayId } = await pendingRefund();
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    const run = harness.run(id);
    await Promise.allSettled(Array.from({ length: 5 }, () => run.signal(gatewayNotification)));
    await harness.until(id, 'succeeded');
    expect((await factsOf(id)).filter(({ type }) => type === 'attempt.succeeded')).toHaveLength(1);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('arrive before the answer, and are stored', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'accept_then_drop', dropAfterMs: 500 });
    const { id } = await harness.ask(payment, '60.00', { by: patient });
    await harness.untilExecuted(payment);
    await harness.run(id).signal(gatewayNotification);
    expect(await harness.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('arrive although nothing has happened (they are forged): nothing changes', async ({ expect }) => {
    const { payment, id, gatewayId } = await pendingRefund();
    const before = await factsOf(id);
    for (let times = 1; times <= 3; times += 1) {
      await harness.run(id).signal(gatewayNotification);
      await eventually(`query ${times}`, async () =>
        ((await ledger.findRefund(id))?.attempts[0]?.queries ?? 0) >= times ? true : undefined,
      );
    }
    expect(await harness.client.getRefund(id)).toMatchObject({ state: 'pending' });
    expect(await factsOf(id)).toEqual(before);
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await harness.run(id).signal(gatewayNotification);
    await harness.until(id, 'succeeded');
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('arrive after it is final: no run is there to receive them, and nothing changes', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id } = await harness.ask(payment, '60.00');
    await harness.run(id).result();
    const before = await factsOf(id);
    // This run only: a sweep may start another one.
    const { workflowId, runId } = await harness.run(id).describe();
    const run = harness.temporal.workflow.getHandle(workflowId, runId);
    await run.result();
    await expect(run.signal(gatewayNotification)).rejects.toBeInstanceOf(WorkflowNotFoundError);
    expect(await factsOf(id)).toEqual(before);
  });

  it('are about an unknown refund: nothing is stored and nothing starts', async ({ expect }) => {
    const unknown = harness.run(randomUUID());
    await expect(unknown.signal(gatewayNotification)).rejects.toBeInstanceOf(WorkflowNotFoundError);
    await expect(unknown.describe()).rejects.toBeInstanceOf(WorkflowNotFoundError);
    expect(await ledger.findRefund(unknown.workflowId.slice('refund-'.length))).toBeNull();
  });
});

describe.concurrent('a fact that notifications report', () => {
  it('twice, and that a query then confirms, is recorded once', async ({ expect }) => {
    const { payment, id, attemptId, gatewayId } = await pendingRefund();
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await reported(attemptId, succeeded(gatewayId));
    await reported(attemptId, succeeded(gatewayId));
    await harness.run(id).signal(gatewayNotification);
    expect(await harness.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect((await factsOf(id)).filter(({ type }) => type === 'attempt.succeeded')).toHaveLength(1);
    expect(await harness.balance(payment)).toMatchObject({ succeededMinor: 60_00n, reservedMinor: 0n });
  });

  it('in the wrong order, first "succeeded" and then "pending" and "declined", stays succeeded', async ({
    expect,
  }) => {
    const { payment, id, attemptId, gatewayId } = await pendingRefund();
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await reported(attemptId, succeeded(gatewayId));
    expect(await reported(attemptId, { kind: 'pending', gatewayId })).toMatchObject({ state: 'succeeded' });
    const refused: Outcome = { kind: 'rejected', class: 'not_linkable', gatewayId };
    expect(await reported(attemptId, refused)).toMatchObject({ state: 'succeeded' });
    await harness.run(id).signal(gatewayNotification);
    await harness.run(id).result();
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', credited: '0.00' });
    expect(await harness.balance(payment)).toMatchObject({ returnedMinor: 0n, succeededMinor: 60_00n });
  });
});

/** The ways in which notifications can be disturbed on their way. */
type Disturbance = 'as they are' | 'lost' | 'doubled' | 'out of order' | 'delayed';
const FAULTS = {
  lost: { how: 'lost', ms: 0 },
  doubled: { how: 'duplicate', ms: 30 },
  'out of order': { how: 'out_of_order', ms: 0 },
  delayed: { how: 'delay', ms: 400 },
} as const;

/** The history of a refund of 60.00 at the gateway, up to its end. */
interface GatewayHistory {
  readonly name: string;
  readonly atFirst: 'pending' | 'accept_then_drop' | 'answered';
  /** The gateway's final decision on a pending refund. */
  readonly then?: 'succeeded' | 'rejected';
}
const HISTORIES: readonly GatewayHistory[] = [
  { name: 'answered at once', atFirst: 'answered' },
  { name: 'answer lost', atFirst: 'accept_then_drop' },
  { name: 'pending, then succeeded', atFirst: 'pending', then: 'succeeded' },
  { name: 'pending, then declined and credited', atFirst: 'pending', then: 'rejected' },
];

describe.concurrent(
  'encrypted, over HTTP: each fact has one effect, and the result equals that of polling alone',
  () => {
    const STILL: readonly string[] = [
      'unknown',
      'submitting',
      'pending',
      'rejected',
      'reserved',
      'fallback_checking',
    ];

    async function run(
      { atFirst, then }: GatewayHistory,
      disturbance: Disturbance,
    ): Promise<CreatedPayment & { id: string }> {
      const payment = harness.newPayment();
      if (disturbance !== 'as they are')
        for (let times = 0; times < 2; times += 1)
          harness.fault(
            { kind: 'webhook', ...FAULTS[disturbance] },
            { paymentType: 'RF', paymentId: payment.paymentId },
          );
      if (atFirst !== 'answered') harness.onRefund(payment, { kind: atFirst });
      const { id } = await harness.ask(payment, '60.00', { by: harness.client });
      if (then !== undefined) {
        const { attempts } = await harness.until(id, ({ state }) => state === 'pending');
        const code = then === 'rejected' ? { code: '700.500.001' } : {};
        engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: then, ...code });
      }
      await harness.untilExecuted(payment);
      await deliverNotifications(harness);
      await harness.until(id, ({ state }) => !STILL.includes(state));
      return { ...payment, id };
    }

    const endOf = async (payment: CreatedPayment & { id: string }) => ({
      refund: await harness.client.getRefund(payment.id).then(({ state, operation, why, attempts }) => ({
        state,
        operation,
        why,
        attempts: attempts.map((attempt) => ({
          type: attempt.type,
          state: attempt.state,
          code: attempt.resultCode,
        })),
      })),
      money: await harness
        .balance(payment)
        .then((balance) => [
          balance.reservedMinor,
          balance.succeededMinor,
          balance.returnedMinor,
          balance.disputedMinor,
        ]),
      effects: (await factsOf(payment.id)).filter(
        ({ succeeded_delta, reserved_delta }) => succeeded_delta !== 0n || reserved_delta !== 0n,
      ),
      booked: harness.booked(payment),
    });

    for (const history of HISTORIES)
      for (const disturbance of ['as they are', 'doubled', 'out of order', 'delayed'] as const)
        it(`${history.name}; notifications ${disturbance}`, async ({ expect }) => {
          const [polled, notified] = await Promise.all([run(history, 'lost'), run(history, disturbance)]);
          expect(await endOf(notified)).toEqual(await endOf(polled));
        });
  },
);

describe.concurrent('invalid notifications, and those that arrive too early', () => {
  it('with a wrong key or a broken tag are rejected and change nothing', async ({ expect }) => {
    const { id, attemptId, gatewayId } = await pendingRefund();
    const reference = (await ledger.findRefund(id))?.attempts[0]?.reference;
    const content = {
      type: 'PAYMENT',
      payload: {
        id: gatewayId,
        paymentType: 'RF',
        amount: '60.00',
        currency: 'EUR',
        merchantTransactionId: reference,
        result: { code: '000.100.110', description: 'done' },
        authentication: { entityId: harness.dependencies.defaultEntityId },
      },
    };
    const clear = JSON.stringify(content);
    const before = await factsOf(id);
    const right = encryptWebhook(address.key, clear);
    const tag = right.headers['x-authentication-tag'] ?? '';
    const broken = `${tag.startsWith('0') ? '1' : '0'}${tag.slice(1)}`;
    for (const forged of [
      encryptWebhook(randomBytes(32).toString('hex'), clear),
      { ...right, headers: { ...right.headers, 'x-authentication-tag': broken } },
    ])
      expect((await receiver.postSealed(forged)).status).toBe(400);
    engine.forgeWebhook(harness.dependencies.defaultEntityId, content, 'wrong');
    await deliverNotifications(harness);
    expect(await factsOf(id)).toEqual(before);
    expect(await webhooksOf(harness.database, { refundId: id })).not.toContainEqual(
      expect.objectContaining({ resultCode: '000.100.110' }),
    );
    expect((await ledger.findRefund(id))?.attempts[0]).toMatchObject({ id: attemptId, state: 'pending' });
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await deliverNotifications(harness);
    await harness.until(id, 'succeeded');
  });

  it('about an unknown transaction are stored, and matched when a refund of its payment is requested', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    const { id: elsewhere } = engine.refundInPortal({ paymentId: payment.paymentId, amount: 30_00n });
    await deliverNotifications(harness);
    await eventually('it is set aside', async () =>
      (await unmatchedWebhooks(harness.database)).find(({ gatewayId }) => gatewayId === elsewhere),
    );
    const { id } = await harness.ask(payment, '60.00', { by: patient });
    await harness.until(id, 'succeeded');
    await eventually('it is matched', async () =>
      (await webhooksOf(harness.database, payment)).find(
        ({ gatewayId, state }) => gatewayId === elsewhere && state === 'processed',
      ),
    );
    expect(await harness.balance(payment)).toMatchObject({ refundableMinor: 10_00n, reservedMinor: 0n });
  });
});
