/** Operators' commands with evidence, through the typed client: with and without a run, two at once, never paid twice. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import type { Refund } from '../../client/index.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { refundWorkflowId } from '../../workflows/refund/contract.js';
import { startStack } from '../support/stack.js';
import { seen } from '../support/seen.js';

// Attempts stay open for the length of a test; the lag after which an operator may correct is short.
const stack = await startStack({
  timings: { sendWindow: 2_000, visibilityLag: 100, notFoundSpacing: 60_000 },
});
// Some corrections here are true by the acquirer's letter only.
afterAll(() => stack.close({ booksAgree: false }));
const { client, temporal } = stack;
const { engine } = stack.gateway;

const ANNA = { by: 'anna', reason: 'the customer called', ticket: 'PAY-12' };
const BERTA = { by: 'berta', reason: 'seen the letter' };
const LETTER = "acquirer's letter of 4 November";
const OPERATOR = { name: 'anna', roles: ['operate'] } as const;

async function ask(payment: CreatedPayment, amount: string): Promise<Refund> {
  return client.requestRefund({
    clientId: 'shop',
    idempotencyKey: randomUUID(),
    requestedBy: 'clerk',
    request: { paymentId: payment.paymentId, amount, currency: 'EUR', reason: 'goods_returned' },
  });
}

async function until(id: string, fact: (refund: Refund) => boolean): Promise<Refund> {
  for await (const refund of client.watch(id, { signal: AbortSignal.timeout(30_000) }))
    if (fact(refund)) return refund;
  throw new Error('unreachable');
}

/** A refund that never arrived, which the gateway cannot prove: a portal refund exists beside it. */
async function lostBeside(amount = '40.00') {
  const payment = stack.newPayment();
  stack.fault({ kind: 'drop_before_execute' }, { paymentId: payment.paymentId });
  const { id } = await ask(payment, amount);
  await until(id, ({ state }) => state === 'unknown');
  const portal = engine.refundInPortal({ paymentId: payment.paymentId, amount: 40_00n });
  return { id, payment, portal };
}

/** Repeats a command until the attempt can no longer be on its way. */
async function untilAccepted<T>(command: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;)
    try {
      return await command();
    } catch (error) {
      const isEarly = error instanceof Error && 'code' in error && error.code === 'too_early';
      if (!isEarly || performance.now() > deadline) throw error;
    }
}

const paidOn = ({ paymentId }: CreatedPayment): bigint =>
  engine.leftMerchant({ originals: [paymentId] }).reduce((sum, { total }) => sum + total, 0n);

/** A refund to a closed card: only an operator can name another destination. */
async function inReview() {
  const payment = stack.newPayment();
  stack.fault({ kind: 'reject', code: '800.100.171' }, { paymentId: payment.paymentId });
  const { id } = await ask(payment, '40.00');
  await until(id, ({ state }) => state === 'manual_review');
  return { id, payment, other: stack.newPayment().registrationId };
}

describe('linking', () => {
  it('makes a transaction of the portal the outcome of an attempt whose run is gone', async () => {
    const { id, payment, portal } = await lostBeside();
    await temporal.workflow.getHandle(refundWorkflowId(id)).terminate('test');
    const note = { ...ANNA, gatewayId: portal.id };
    const linked = await untilAccepted(() => client.link(id, note));
    expect(linked).toMatchObject({ status: 'succeeded', attempts: [{ gatewayId: portal.id }] });
    expect(await client.link(id, note), 'repeated').toMatchObject({ status: 'succeeded' });
    await expect(client.link(id, { ...note, ...BERTA })).rejects.toMatchObject({
      code: 'already_decided',
      details: { by: 'anna' },
    });
    expect(paidOn(payment)).toBe(40_00n);
    expect(await stack.dependencies.ledger.findPayment(payment.paymentId)).toMatchObject({
      succeededMinor: 40_00n,
      reservedMinor: 0n,
    });
  });

  it('by two operators at once counts once: the other one receives the first result', async () => {
    const { id, payment, portal } = await lostBeside();
    const both = await untilAccepted(async () => {
      const answer = [ANNA, BERTA].map((note) => client.link(id, { ...note, gatewayId: portal.id }));
      const results = await Promise.allSettled(answer);
      const early = results.find(
        (one): one is PromiseRejectedResult =>
          one.status === 'rejected' && (one.reason as { code?: unknown }).code === 'too_early',
      );
      if (early !== undefined) throw early.reason;
      return results;
    });
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both).toContainEqual(
      expect.objectContaining({ reason: expect.objectContaining({ code: 'already_decided' }) as unknown }),
    );
    expect((await stack.dependencies.ledger.findPayment(payment.paymentId))?.succeededMinor).toBe(40_00n);
  });

  it('is refused with a code if the transaction does not match, and changes nothing', async () => {
    const { id, payment } = await lostBeside();
    const tooMuch = engine.refundInPortal({ paymentId: payment.paymentId, amount: 41_00n });
    const theirs = stack.newPayment();
    const elsewhere = engine.refundInPortal({ paymentId: theirs.paymentId, amount: 40_00n });
    const foreign = engine.refundInPortal({
      paymentId: payment.paymentId,
      amount: 10_00n,
      merchantTransactionId: 'ANOTHER-ONE',
    });
    for (const [gatewayId, code] of [
      [tooMuch.id, 'amount_differs'],
      [elsewhere.id, 'original_differs'],
      [foreign.id, 'reference_differs'],
      [payment.paymentId, 'type_differs'],
      ['f'.repeat(32), 'not_at_gateway'],
    ] as const)
      await expect(client.link(id, { ...ANNA, gatewayId }), code).rejects.toMatchObject({ code });
    expect((await client.getRefund(id)).state).toBe('unknown');
    await expect(client.link(id, { ...ANNA, gatewayId: 'portal' })).rejects.toMatchObject({
      code: 'invalid_request',
      problems: [{ field: 'gatewayId' }],
    });
  });
});

describe('correcting', () => {
  it('needs a second operator, who is shown its effect on the money', async () => {
    const { id, payment } = await lostBeside();
    const note = { ...ANNA, outcome: 'failed', evidence: LETTER } as const;
    const waiting = await untilAccepted(() => client.correct(id, note));
    expect(waiting).toMatchObject({
      state: 'unknown',
      proposal: { action: 'correct', by: 'anna', ticket: 'PAY-12' },
    });
    expect(waiting.proposal?.effect).toContain('40.00 EUR are not paid and no longer reserved');
    const instruction = waiting.proposal?.instruction ?? '';
    await expect(client.approve(id, { ...ANNA, instruction })).rejects.toMatchObject({
      code: 'proposer_cannot_approve',
    });
    await expect(client.approve(id, await seen(client, id, { ...BERTA, by: 'clerk' }))).rejects.toMatchObject(
      {
        code: 'requester_cannot_decide',
      },
    );
    expect(await client.approve(id, { ...BERTA, instruction })).toMatchObject({
      status: 'failed',
      why: 'corrected',
      proposal: null,
    });
    expect(await client.approve(id, { ...BERTA, instruction }), 'repeated').toMatchObject({
      status: 'failed',
    });
    await expect(client.approve(id, { by: 'carla', reason: 'me too', instruction })).rejects.toMatchObject({
      code: 'already_decided',
      details: { by: 'berta' },
    });
    expect(await stack.dependencies.ledger.findPayment(payment.paymentId)).toMatchObject({
      reservedMinor: 0n,
    });
  });

  it('is refused while the gateway shows the attempt alive', async () => {
    const payment = stack.newPayment();
    stack.fault({ kind: 'pending' }, { paymentId: payment.paymentId });
    const { id } = await ask(payment, '40.00');
    const { attempts } = await until(id, ({ state }) => state === 'pending');
    const note = { ...ANNA, outcome: 'failed', evidence: LETTER } as const;
    await expect(untilAccepted(() => client.correct(id, note))).rejects.toMatchObject({
      code: 'gateway_contradicts',
    });
    engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
    await client.sync(id, ANNA);
    expect(await client.waitFor(id, 20_000)).toMatchObject({ status: 'succeeded' });
  });

  it("is confirmed by the same operator's repeated command once the gateway can be queried again", async () => {
    const { id, payment } = await lostBeside();
    const { proposal } = await untilAccepted(() =>
      client.correct(id, { ...ANNA, outcome: 'failed', evidence: LETTER }),
    );
    const note = { ...BERTA, instruction: proposal?.instruction ?? '' };
    const { gateway } = stack.dependencies;
    const { findByReference } = gateway;
    gateway.findByReference = () => Promise.resolve({ kind: 'unavailable', why: 'timeout' });
    await expect(client.approve(id, note)).rejects.toMatchObject({ code: 'gateway_unavailable' });
    gateway.findByReference = findByReference;
    expect(await client.approve(id, note)).toMatchObject({ status: 'failed', why: 'corrected' });
    expect(paidOn(payment), 'the portal refund alone').toBe(40_00n);
  });

  it('accepts no card number, and names all problems', async () => {
    const { id } = await lostBeside();
    const error: unknown = await client
      .correct(id, { by: ' ', reason: 'x', outcome: 'succeeded', evidence: 'card 4200 0000 0000 0000' })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'invalid_request',
      problems: [{ field: 'by' }, { field: 'evidence', code: 'card_number' }],
    });
  });
});

describe('changing the destination', () => {
  it('pays another registration once a second approver has approved it', async () => {
    const { id, payment, other } = await inReview();
    await client.changeDestination(id, { ...ANNA, registrationId: other });
    const { approval } = await until(id, ({ state }) => state === 'awaiting_approval');
    expect(approval).toMatchObject({ destination: { registrationId: other }, amount: '40.00' });
    await expect(client.approve(id, await seen(client, id, ANNA))).rejects.toMatchObject({
      code: 'proposer_cannot_approve',
    });
    await client.approve(id, await seen(client, id, BERTA));
    const paid = await client.waitFor(id, 20_000);
    expect(paid).toMatchObject({
      status: 'succeeded',
      operation: 'credit',
      destination: { registrationId: other },
    });
    expect(paid.attempts.filter(({ state }) => state === 'succeeded')).toHaveLength(1);
    expect(paidOn(payment)).toBe(0n);
  });

  it('has its effect without a run, and only once from two operators', async () => {
    const { id, other } = await inReview();
    await temporal.workflow.getHandle(refundWorkflowId(id)).terminate('test');
    const note = { registrationId: other };
    const both = await Promise.allSettled([
      client.changeDestination(id, { ...ANNA, ...note }),
      client.changeDestination(id, { ...BERTA, ...note }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await until(id, ({ state }) => state === 'awaiting_approval');
    await client.reject(id, await seen(client, id, { by: 'carla', reason: 'not this account' }));
    expect((await client.getRefund(id)).status).toBe('failed');
  });
});

describe('replaying a refund', () => {
  it('has a dry run, and starts a run if none exists', async () => {
    const { id, payment } = await lostBeside();
    await temporal.workflow.getHandle(refundWorkflowId(id)).terminate('test');
    const before = await stack.dependencies.ledger.snapshot(id);
    const report = await client.explainReplay(id);
    expect(report).toMatchObject({
      state: 'unknown',
      step: { kind: 'query_outcome' },
      run: { isAlive: false, status: 'TERMINATED' },
    });
    expect(report.gateway).toContain('unexplained');
    expect(report.stuck).toContain('A replay starts one');
    expect((await stack.dependencies.ledger.snapshot(id)).version, 'nothing was changed').toBe(
      before.version,
    );

    expect(await client.replay(id, ANNA)).toMatchObject({ outcome: 'started', run: { isAlive: true } });
    const alive = await client.replay(id, BERTA);
    expect(alive).toMatchObject({ outcome: 'alive' });
    await expect(client.replay(id, { ...BERTA, restart: { runId: randomUUID() } })).rejects.toMatchObject({
      code: 'run_changed',
    });
    const again = await client.replay(id, { ...BERTA, restart: { runId: alive.run?.runId ?? '' } });
    expect(again).toMatchObject({ outcome: 'restarted', run: { isAlive: true } });
    expect(again.run?.runId).not.toBe(alive.run?.runId);
    expect(paidOn(payment), 'the portal refund alone').toBe(40_00n);
  });

  it('does nothing for a final refund', async () => {
    const payment = stack.newPayment();
    const { id } = await ask(payment, '40.00');
    await client.waitFor(id, 20_000);
    expect(await client.replay(id, ANNA)).toMatchObject({ outcome: 'over', step: { kind: 'finish' } });
    expect(paidOn(payment)).toBe(40_00n);
  });
});

describe('the commands that an operator may run', () => {
  it('are shown with their effects, or with the reason why not', async () => {
    const { id } = await inReview();
    const actions = await client.actions(id, OPERATOR);
    const of = (name: string) => actions.find(({ action }) => action === name);
    expect(actions).toHaveLength(8);
    expect(of('change-destination')).toMatchObject({
      allowed: true,
      needsApprover: true,
      input: ['destination.registrationId'],
    });
    expect(of('change-destination')?.effect).toContain('40.00 EUR');
    expect(of('withdraw')).toMatchObject({ allowed: true, why: null });
    expect(of('approve')).toMatchObject({ allowed: false, why: 'The role approve is needed.' });
    const own = await client.actions(id, { name: 'clerk', roles: ['approve'] });
    expect(own.find(({ action }) => action === 'approve')).toMatchObject({ allowed: false });
    expect(own.find(({ action }) => action === 'withdraw')?.why).toBe('The role operate is needed.');
  });
});
