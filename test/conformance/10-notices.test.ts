/**
 * 10: notices of the gateway are lost, doubled, reordered, early, or about a refund that nobody knows.
 * Sources: juspay/hyperswitch#3751 and #5298, themeum/tutor#2360, lunora#547; the webhook processor of GOV.UK Pay's connector.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { afterAll, describe, it } from 'vitest';
import type { Outcome } from '../../domain/refund/outcome.js';
import { isGatewayId, type GatewayId } from '../../domain/ids.js';
import { encryptWebhook } from '../../sandbox/gateway/webhooks.js';
import type { CreatedPayment } from '../../sandbox/gateway/commands.js';
import { unmatchedWebhooks, webhooksOf } from '../../ledger/inbox/webhooks.js';
import { gatewayNotice } from '../../workflows/refund/contract.js';
import { deliverNotices, startReceiver, webhookAddress } from '../support/receiver.js';
import { eventually, NEVER, openWorld } from './world.js';

const address = await webhookAddress();
const world = await openWorld({
  webhooks: { ...address, wrapper: 'json' },
  gateway: { notifyPortalRefunds: true },
});
const receiver = await startReceiver(world, address);
afterAll(() => receiver.close());
const { engine } = world.gateway;
const { ledger } = world.dependencies;

/** Look-ups so rare that only a notice brings one about. */
const patient = world.clientWith({ lookUpFirst: NEVER, lookUpMax: NEVER, caseAfterPending: 24 * NEVER });

async function pendingRefund(by = patient) {
  const payment = world.newPayment();
  world.onRefund(payment, { kind: 'pending' });
  const { id } = await world.ask(payment, '60.00', { by });
  await world.until(id, 'pending');
  const [attempt] = (await ledger.findRefund(id))?.attempts ?? [];
  const gatewayId = attempt?.gatewayId ?? '';
  if (attempt === undefined || !isGatewayId(gatewayId)) throw new Error('pending without an id');
  return { payment, id, attemptId: attempt.id, gatewayId };
}

/** As a receiver of notices would record it, whatever it is worth. */
const told = (attemptId: string, outcome: Outcome) => ledger.record({ attemptId, source: 'notice', outcome });

const succeeded = (gatewayId: GatewayId): Outcome => ({ kind: 'succeeded', gatewayId, flagged: false });

const factsOf = (refundId: string) =>
  world.database.db
    .selectFrom('events')
    .select(['type', 'reserved_delta', 'succeeded_delta'])
    .where('refund_id', '=', refundId)
    .orderBy('id')
    .execute();

describe.concurrent('notices about a refund', () => {
  it('are all lost: it ends as it would have with them', async ({ expect }) => {
    const [polled, noticed] = await Promise.all([pendingRefund(world.client), pendingRefund()]);
    for (const { gatewayId } of [polled, noticed])
      engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await world.run(noticed.id).signal(gatewayNotice);
    const [withoutNotice, withNotice] = await Promise.all(
      [polled, noticed].map(({ id }) => world.until(id, 'succeeded')),
    );
    expect(await factsOf(polled.id)).toEqual(await factsOf(noticed.id));
    expect(withoutNotice?.attempts[0]?.resultCode).toBe(withNotice?.attempts[0]?.resultCode);
    for (const { payment } of [polled, noticed])
      expect(world.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('come five times at once: one fact', async ({ expect }) => {
    const { payment, id, gatewayId } = await pendingRefund();
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    const run = world.run(id);
    await Promise.allSettled(Array.from({ length: 5 }, () => run.signal(gatewayNotice)));
    await world.until(id, 'succeeded');
    expect((await factsOf(id)).filter(({ type }) => type === 'attempt.succeeded')).toHaveLength(1);
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('come before the answer does, and are remembered', async ({ expect }) => {
    const payment = world.newPayment();
    world.onRefund(payment, { kind: 'accept_then_drop', dropAfterMs: 500 });
    const { id } = await world.ask(payment, '60.00', { by: patient });
    await world.untilExecuted(payment);
    await world.run(id).signal(gatewayNotice);
    expect(await world.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('come although nothing has happened (somebody forged them): nothing changes', async ({ expect }) => {
    const { payment, id, gatewayId } = await pendingRefund();
    const before = await factsOf(id);
    for (let times = 1; times <= 3; times += 1) {
      await world.run(id).signal(gatewayNotice);
      await eventually(`look-up ${times}`, async () =>
        ((await ledger.findRefund(id))?.attempts[0]?.lookUps ?? 0) >= times ? true : undefined,
      );
    }
    expect(await world.client.getRefund(id)).toMatchObject({ state: 'pending' });
    expect(await factsOf(id)).toEqual(before);
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await world.run(id).signal(gatewayNotice);
    await world.until(id, 'succeeded');
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('come after it is over: nobody is there, and nothing changes', async ({ expect }) => {
    const payment = world.newPayment();
    const { id } = await world.ask(payment, '60.00');
    await world.run(id).result();
    const before = await factsOf(id);
    // That run: another one may be started by whoever starts everything.
    const { workflowId, runId } = await world.run(id).describe();
    const run = world.temporal.workflow.getHandle(workflowId, runId);
    await run.result();
    await expect(run.signal(gatewayNotice)).rejects.toBeInstanceOf(WorkflowNotFoundError);
    expect(await factsOf(id)).toEqual(before);
  });

  it('are about a refund that nobody knows: nothing is stored and nothing starts', async ({ expect }) => {
    const unknown = world.run(randomUUID());
    await expect(unknown.signal(gatewayNotice)).rejects.toBeInstanceOf(WorkflowNotFoundError);
    await expect(unknown.describe()).rejects.toBeInstanceOf(WorkflowNotFoundError);
    expect(await ledger.findRefund(unknown.workflowId.slice('refund-'.length))).toBeNull();
  });
});

describe.concurrent('what notices say, recorded', () => {
  it('twice, and then by the look-up, is one fact', async ({ expect }) => {
    const { payment, id, attemptId, gatewayId } = await pendingRefund();
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await told(attemptId, succeeded(gatewayId));
    await told(attemptId, succeeded(gatewayId));
    await world.run(id).signal(gatewayNotice);
    expect(await world.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect((await factsOf(id)).filter(({ type }) => type === 'attempt.succeeded')).toHaveLength(1);
    expect(await world.balance(payment)).toMatchObject({ succeededMinor: 60_00n, reservedMinor: 0n });
  });

  it('in the wrong order, first "done" and then "pending" and "refused", stays done', async ({ expect }) => {
    const { payment, id, attemptId, gatewayId } = await pendingRefund();
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await told(attemptId, succeeded(gatewayId));
    expect(await told(attemptId, { kind: 'pending', gatewayId })).toMatchObject({ state: 'succeeded' });
    const refused: Outcome = { kind: 'rejected', class: 'not_linkable', gatewayId };
    expect(await told(attemptId, refused)).toMatchObject({ state: 'succeeded' });
    await world.run(id).signal(gatewayNotice);
    await world.run(id).result();
    expect(world.booked(payment)).toMatchObject({ out: '60.00', credited: '0.00' });
    expect(await world.balance(payment)).toMatchObject({ returnedMinor: 0n, succeededMinor: 60_00n });
  });
});

/** What the gateway's notices become on their way. */
type Weather = 'as they are' | 'lost' | 'doubled' | 'out of order' | 'delayed';
const FAULTS = {
  lost: { how: 'lost', ms: 0 },
  doubled: { how: 'duplicate', ms: 30 },
  'out of order': { how: 'out_of_order', ms: 0 },
  delayed: { how: 'delay', ms: 400 },
} as const;

/** The life of a refund of 60.00 as its history at the gateway makes it, up to its end. */
interface Story {
  readonly name: string;
  readonly atFirst: 'pending' | 'accept_then_drop' | 'answered';
  /** What the gateway decides afterwards. */
  readonly then?: 'succeeded' | 'rejected';
}
const STORIES: readonly Story[] = [
  { name: 'answered at once', atFirst: 'answered' },
  { name: 'answer lost', atFirst: 'accept_then_drop' },
  { name: 'pending, then done', atFirst: 'pending', then: 'succeeded' },
  { name: 'pending, then refused and credited', atFirst: 'pending', then: 'rejected' },
];

describe.concurrent(
  'encrypted, over HTTP, each fact has one effect and the end is that of the poll alone',
  () => {
    const STILL: readonly string[] = [
      'unknown',
      'submitting',
      'pending',
      'rejected',
      'reserved',
      'fallback_checking',
    ];

    async function live(
      { atFirst, then }: Story,
      weather: Weather,
    ): Promise<CreatedPayment & { id: string }> {
      const payment = world.newPayment();
      if (weather !== 'as they are')
        for (let times = 0; times < 2; times += 1)
          world.fault(
            { kind: 'webhook', ...FAULTS[weather] },
            { paymentType: 'RF', paymentId: payment.paymentId },
          );
      if (atFirst !== 'answered') world.onRefund(payment, { kind: atFirst });
      const { id } = await world.ask(payment, '60.00', { by: world.client });
      if (then !== undefined) {
        const { attempts } = await world.until(id, ({ state }) => state === 'pending');
        const code = then === 'rejected' ? { code: '700.500.001' } : {};
        engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: then, ...code });
      }
      await world.untilExecuted(payment);
      await deliverNotices(world);
      await world.until(id, ({ state }) => !STILL.includes(state));
      return { ...payment, id };
    }

    const endOf = async (payment: CreatedPayment & { id: string }) => ({
      refund: await world.client.getRefund(payment.id).then(({ state, operation, why, attempts }) => ({
        state,
        operation,
        why,
        attempts: attempts.map((attempt) => ({
          type: attempt.type,
          state: attempt.state,
          code: attempt.resultCode,
        })),
      })),
      money: await world
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
      booked: world.booked(payment),
    });

    for (const story of STORIES)
      for (const weather of ['as they are', 'doubled', 'out of order', 'delayed'] as const)
        it(`${story.name}; notices ${weather}`, async ({ expect }) => {
          const [polled, noticed] = await Promise.all([live(story, 'lost'), live(story, weather)]);
          expect(await endOf(noticed)).toEqual(await endOf(polled));
        });
  },
);

describe.concurrent('notices that are none, and those that come too early', () => {
  it('sealed with a wrong key, or with a broken tag, are refused and change nothing', async ({ expect }) => {
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
        authentication: { entityId: world.dependencies.defaultEntityId },
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
    engine.forgeWebhook(world.dependencies.defaultEntityId, content, 'wrong');
    await deliverNotices(world);
    expect(await factsOf(id)).toEqual(before);
    expect(await webhooksOf(world.database, { refundId: id })).not.toContainEqual(
      expect.objectContaining({ resultCode: '000.100.110' }),
    );
    expect((await ledger.findRefund(id))?.attempts[0]).toMatchObject({ id: attemptId, state: 'pending' });
    engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await deliverNotices(world);
    await world.until(id, 'succeeded');
  });

  it('about a transaction that nobody knows are kept, and matched when a refund of its payment is asked for', async ({
    expect,
  }) => {
    const payment = world.newPayment();
    const { id: elsewhere } = engine.refundInPortal({ paymentId: payment.paymentId, amount: 30_00n });
    await deliverNotices(world);
    await eventually('it is set aside', async () =>
      (await unmatchedWebhooks(world.database)).find(({ gatewayId }) => gatewayId === elsewhere),
    );
    const { id } = await world.ask(payment, '60.00', { by: patient });
    await world.until(id, 'succeeded');
    await eventually('it is matched', async () =>
      (await webhooksOf(world.database, payment)).find(
        ({ gatewayId, state }) => gatewayId === elsewhere && state === 'processed',
      ),
    );
    expect(await world.balance(payment)).toMatchObject({ refundableMinor: 10_00n, reservedMinor: 0n });
  });
});
