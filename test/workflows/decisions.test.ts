/** Decisions of an approver about a credit: bound to the exact instruction, effective once, and never by the requester. */
import { describe, expect, it } from 'vitest';
import { openHarness, type RefundHandle } from './harness.js';
import {
  decideUpdate,
  syncUpdate,
  withdrawUpdate,
  type DecisionMessage,
} from '../../workflows/refund/contract.js';

const harness = await openHarness();

interface Waiting {
  readonly paymentId: string;
  readonly refundId: string;
  readonly instruction: string;
  readonly handle: RefundHandle;
  decide(message: Partial<Record<keyof DecisionMessage, unknown>>): Promise<unknown>;
}

/** A refund above the limit whose payment takes no linked refund: its credit waits for an approval. */
async function creditThatWaits(): Promise<Waiting> {
  const { paymentId } = harness.newPayment({ amount: '800.00' });
  harness.fault({ kind: 'reject', code: '700.500.001' }, { paymentId });
  const { refundId, handle } = await harness.pay(paymentId, '800.00');
  const { instruction } = await harness.untilState(refundId, 'awaiting_approval');
  if (instruction === null) throw new Error('nothing to approve');
  expect(instruction).toMatchObject({
    operation: 'credit',
    amountMinor: '80000',
    currency: 'EUR',
    why: ['above_limit'],
  });
  const usual = {
    verdict: 'approved',
    instruction: instruction.hash,
    by: 'supervisor',
    reason: 'known customer',
  };
  return {
    paymentId,
    refundId,
    instruction: instruction.hash,
    handle,
    // By name, as another program would: the message's types bind only our own code.
    decide: (message) => handle.executeUpdate(decideUpdate.name, { args: [{ ...usual, ...message }] }),
  };
}

describe('an approval', () => {
  it('lets exactly one credit be sent', async () => {
    const { refundId, handle, decide } = await creditThatWaits();
    expect(await decide({})).toMatchObject({ kind: 'decided', snapshot: { state: 'fallback_checking' } });
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    const { attempts } = await harness.refund(refundId);
    expect(attempts.map(({ operation, state, submissions }) => [operation, state, submissions])).toEqual([
      ['refund', 'rejected', 1],
      ['credit', 'succeeded', 1],
    ]);
  });

  it('given twice pays once', async () => {
    const { refundId, handle, decide } = await creditThatWaits();
    const answers = await Promise.all([decide({}), decide({})]);
    for (const answer of answers) expect(answer).toMatchObject({ kind: 'decided' });
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect((await harness.refund(refundId)).attempts).toHaveLength(2);
  });

  it('of another instruction is refused, and the credit keeps waiting', async () => {
    const { refundId, handle, decide } = await creditThatWaits();
    expect(await decide({ instruction: '0'.repeat(32) })).toMatchObject({
      kind: 'refused',
      why: 'instruction_changed',
    });
    expect((await harness.refund(refundId)).state).toBe('awaiting_approval');
    await handle.executeUpdate(withdrawUpdate, { args: [{ by: 'clerk', reason: 'paid in cash' }] });
    expect(await handle.result()).toMatchObject({ state: 'canceled' });
  });

  it('by the requester of the refund is refused', async () => {
    const { handle, decide } = await creditThatWaits();
    expect(await decide({ by: 'clerk' })).toMatchObject({ kind: 'refused', why: 'requester_cannot_decide' });
    await decide({ verdict: 'refused' });
    expect(await handle.result()).toMatchObject({ state: 'failed', why: 'approval_refused' });
  });

  it('that comes after the end is refused', async () => {
    const { refundId, instruction, handle, decide } = await creditThatWaits();
    await decide({ verdict: 'refused' });
    await handle.result();
    const late = {
      refundId,
      verdict: 'approved',
      instruction,
      by: 'supervisor',
      reason: 'second thoughts',
    } as const;
    expect(await harness.dependencies.ledger.decide(late)).toMatchObject({
      kind: 'refused',
      why: 'not_awaiting_approval',
    });
    // The message gets a run of its own: the client starts one for a refund that is final.
    const again = await harness.drive(refundId);
    expect(await again.result()).toMatchObject({ state: 'failed' });
  });
});

describe('a rejection', () => {
  it('ends the refund, releases the money and sends nothing', async () => {
    const { paymentId, refundId, handle, decide } = await creditThatWaits();
    expect(await decide({ verdict: 'refused', reason: 'not this customer' })).toMatchObject({
      kind: 'decided',
      snapshot: { state: 'failed' },
    });
    expect(await handle.result()).toEqual({
      refundId,
      state: 'failed',
      status: 'failed',
      why: 'approval_refused',
      amount: '800.00',
      currency: 'EUR',
      settledBy: null,
      settledAmount: '0.00',
      settlements: [],
    });
    expect(await harness.dependencies.ledger.findPayment(paymentId)).toMatchObject({
      reservedMinor: 0n,
      refundableMinor: 800_00n,
    });
  });
});

describe('an invalid message', () => {
  it.for([
    { reason: '' },
    { by: undefined },
    { instruction: 7 },
    { verdict: 'perhaps' },
    { reason: 'a\0b' },
    { ticket: '' },
  ])('is refused at the door, and the refund lives on: %j', async (wrong) => {
    const { handle, decide } = await creditThatWaits();
    await expect(decide(wrong)).rejects.toMatchObject({ cause: { type: 'invalid_input' } });
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await decide({ verdict: 'refused' });
    expect(await handle.result()).toMatchObject({ state: 'failed' });
  });
});

describe('a check with the gateway', () => {
  it('returns the state of the refund, and sends nothing', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'pending' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00');
    const { attempts } = await harness.untilState(refundId, 'pending');
    expect(await handle.executeUpdate(syncUpdate, { args: [undefined] })).toMatchObject({
      state: 'pending',
      refundId,
    });
    harness.gateway.engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect((await harness.refund(refundId)).attempts).toMatchObject([{ submissions: 1 }]);
  });
});
