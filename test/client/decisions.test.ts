/** Operators' decisions about refunds: effective with or without a run, refused with a code, and never paid twice. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, describe, expect, it } from 'vitest';
import { acceptRefund } from '../../activities/refund/accept.js';
import { createRefundsClient, type Refund, type RefundOrder } from '../../client/index.js';
import { taskQueues } from '../../temporal/task-queues.js';
import { refundWorkflowId } from '../../workflows/refund/contract.js';
import { paymentOf, startStack } from '../support/stack.js';
import { seen } from '../support/seen.js';

const stack = await startStack();
afterAll(() => stack.close());
const { client } = stack;
const { engine } = stack.gateway;

const BOSS = { by: 'boss', reason: 'checked' };
const NOT_LINKABLE = { kind: 'reject', code: '700.500.001' } as const;

const order = (paymentId: string, amount = '40.00'): RefundOrder => ({
  clientId: 'shop',
  idempotencyKey: randomUUID(),
  requestedBy: 'clerk',
  request: { paymentId, amount, currency: 'EUR', reason: 'goods_returned' },
});

/** Stores a refund without a run, as if the process had died right after storing it. */
async function acceptedOnly(): Promise<{ id: string; paymentId: string }> {
  const { paymentId } = stack.newPayment();
  const { refund } = await acceptRefund(stack.dependencies, order(paymentId));
  return { id: refund.id, paymentId };
}

async function until(id: string, state: string): Promise<Refund> {
  for await (const refund of client.watch(id, { signal: AbortSignal.timeout(20_000) }))
    if (refund.state === state) return refund;
  throw new Error('unreachable');
}

/** A refund that is declined as not linkable, above the limit for credits without a second approver. */
async function awaitingApproval(): Promise<Refund> {
  const { paymentId } = stack.newPayment({ amount: '800.00' });
  stack.fault(NOT_LINKABLE, { paymentId });
  const { id } = await client.requestRefund(order(paymentId, '800.00'));
  return until(id, 'awaiting_approval');
}

const paidOn = (paymentId: string, attempts: Refund['attempts'] = []): bigint =>
  engine
    .leftMerchant({
      originals: [paymentId],
      references: attempts.map(({ merchantTransactionId }) => merchantTransactionId),
    })
    .reduce((sum, { total }) => sum + total, 0n);

describe('an approval', () => {
  it('shows everything that it binds, and lets exactly one credit be paid', async () => {
    const waiting = await awaitingApproval();
    expect(waiting).toMatchObject({ status: 'pending', approval: { amount: '800.00', currency: 'EUR' } });
    expect((await client.listRefunds({ stuck: true })).map(({ id }) => id)).toContain(waiting.id);
    await client.approve(waiting.id, await seen(client, waiting.id, { ...BOSS, ticket: 'PAY-12' }));
    const paid = await client.waitFor(waiting.id, 20_000);
    expect(paid).toMatchObject({ status: 'succeeded', operation: 'credit', approval: null });
    expect(paid.attempts.map(({ type, state }) => [type, state])).toEqual([
      ['RF', 'rejected'],
      ['CD', 'succeeded'],
    ]);
  });

  it('counts once if it is sent ten times at once, and again later', async () => {
    const { id, approval } = await awaitingApproval();
    const note = { ...BOSS, instruction: approval?.instruction ?? '' };
    await Promise.all(Array.from({ length: 10 }, () => client.approve(id, note)));
    await client.waitFor(id, 20_000);
    const again = await client.approve(id, note);
    expect(again).toMatchObject({ id, status: 'succeeded' });
    expect(again.attempts.filter(({ type }) => type === 'CD')).toHaveLength(1);
  });

  it('has its effect without a run', async () => {
    const { id } = await awaitingApproval();
    await stack.temporal.workflow.getHandle(refundWorkflowId(id)).terminate('test');
    await client.approve(id, await seen(client, id, BOSS));
    expect(await client.waitFor(id, 20_000)).toMatchObject({ status: 'succeeded', operation: 'credit' });
  });

  it('is refused for the requester, for a changed instruction, and for a refund that does not wait', async () => {
    const { id } = await awaitingApproval();
    await expect(
      client.approve(id, await seen(client, id, { by: 'clerk', reason: 'mine' })),
    ).rejects.toMatchObject({
      code: 'requester_cannot_decide',
    });
    await expect(client.approve(id, { ...BOSS, instruction: '0'.repeat(32) })).rejects.toMatchObject({
      code: 'instruction_changed',
    });
    const ended = await client.reject(id, await seen(client, id, BOSS));
    expect(ended).toMatchObject({ status: 'failed', why: 'approval_refused' });
    expect(paidOn(paymentOf(ended), ended.attempts)).toBe(0n);
    await expect(client.approve(id, await seen(client, id, BOSS))).rejects.toMatchObject({
      code: 'not_awaiting_approval',
    });
  });

  it('needs a name and a reason', async () => {
    const { id } = await awaitingApproval();
    const error: unknown = await client
      .approve(id, { by: ' ', reason: 'a\u0000', instruction: '0' })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'invalid_request',
      problems: [{ field: 'by' }, { field: 'reason' }],
    });
    await client.reject(id, await seen(client, id, BOSS));
  });

  it('is refused for a refund that does not exist', async () => {
    for (const id of [randomUUID(), 'refund-1', ''])
      await expect(client.approve(id, { ...BOSS, instruction: '0' })).rejects.toMatchObject({
        code: 'refund_not_found',
      });
  });
});

describe('withdrawing', () => {
  it('succeeds before anything was sent, also if it starts the run', async () => {
    const { id, paymentId } = await acceptedOnly();
    const ended = await client.withdraw(id, BOSS);
    expect(ended).toMatchObject({ status: 'canceled', state: 'canceled', why: 'checked', attempts: [] });
    expect(paidOn(paymentId)).toBe(0n);
    expect((await stack.dependencies.ledger.findPayment(paymentId))?.reservedMinor).toBe(0n);
    expect(await client.withdraw(id, BOSS), 'repeated').toMatchObject({ status: 'canceled' });
  });

  it('ends a refund that waits for an approval', async () => {
    const { id } = await awaitingApproval();
    const ended = await client.withdraw(id, BOSS);
    expect(ended.state).toBe('canceled');
    expect(paidOn(paymentOf(ended), ended.attempts)).toBe(0n);
  });

  it('is refused while money may have left, and when it has', async () => {
    const { paymentId } = stack.newPayment();
    stack.fault({ kind: 'pending' }, { paymentId });
    const { id } = await client.requestRefund(order(paymentId));
    const pending = await until(id, 'pending');
    await expect(client.withdraw(id, BOSS)).rejects.toMatchObject({ code: 'may_have_left' });
    engine.finishPending({ id: pending.attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    await client.sync(id);
    await until(id, 'succeeded');
    await expect(client.withdraw(id, BOSS)).rejects.toMatchObject({ code: 'final' });
  });
});

describe('a check with the gateway', () => {
  it('finds the outcome of a lost answer, and sends nothing', async () => {
    const patient = createRefundsClient({
      ...stack,
      start: {
        ...stack.start,
        configFor: () => ({ ...stack.config, timings: { ...stack.config.timings, queryFirst: 3_600_000 } }),
      },
    });
    const { paymentId } = stack.newPayment();
    stack.fault({ kind: 'accept_then_drop' }, { paymentId });
    const { id } = await patient.requestRefund(order(paymentId));
    await until(id, 'unknown');
    expect(await patient.sync(id)).toMatchObject({ status: 'succeeded' });
    expect(paidOn(paymentId)).toBe(4000n);
  });
});

describe('an unreachable Temporal server', () => {
  it('leaves the refund stored, which is paid once it is resumed', async () => {
    const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: 500 });
    const cutOff = createRefundsClient({
      ...stack,
      temporal: new Client({ connection }),
      answerWithin: 1_000,
    });
    const { paymentId } = stack.newPayment();
    const error: unknown = await cutOff.requestRefund(order(paymentId)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'temporal_unavailable' });
    const [stored] = await client.listRefunds({ paymentId });
    expect(error).toMatchObject({ details: { refundId: stored?.id } });
    expect(paidOn(paymentId)).toBe(0n);
    expect(await client.resume()).toBe(1);
    expect(await client.waitFor(stored?.id ?? '', 20_000)).toMatchObject({ status: 'succeeded' });
    await connection.close();
  });

  it('is distinguished from a missing worker', async () => {
    const unheard = createRefundsClient({
      ...stack,
      queues: taskQueues(`nobody-${randomUUID()}`),
      answerWithin: 1_000,
    });
    const { id } = await acceptedOnly();
    await expect(unheard.withdraw(id, BOSS)).rejects.toMatchObject({ code: 'no_answer' });
    await stack.temporal.workflow.getHandle(refundWorkflowId(id)).terminate('test');
    expect(await client.withdraw(id, BOSS)).toMatchObject({ status: 'canceled' });
  });
});

describe('resuming', () => {
  it('starts every refund that is not final, and starting twice pays once', async () => {
    const waiting = await Promise.all([acceptedOnly(), acceptedOnly(), acceptedOnly()]);
    expect(await client.resume()).toBe(3);
    await client.resume();
    for (const { id, paymentId } of waiting) {
      expect(await client.waitFor(id, 20_000)).toMatchObject({ status: 'succeeded' });
      expect(paidOn(paymentId)).toBe(4000n);
    }
    expect(await client.resume()).toBe(0);
  });
});
