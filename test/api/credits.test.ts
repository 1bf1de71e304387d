/** `POST /v1/credits`: credits reserved against a payment, and unlinked credits, which need a second approver. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
import { timelineEntry } from '../../server/api/schemas.js';
import { dataOf, problemOf, refundOf, startApi } from './harness.js';

const harness = await startApi();
afterAll(() => harness.close());
const { call, stack } = harness;
const { engine } = stack.gateway;
const boss = await harness.newKey('boss', 'approve');

const credit = (registrationId: string, body: Readonly<Record<string, unknown>> = {}) => ({
  amount: '40.00',
  currency: 'EUR',
  reason: 'goodwill',
  destination: { registrationId },
  ...body,
});
const ask = (body: unknown, idempotencyKey: string = randomUUID()) =>
  call('POST', '/v1/credits', { headers: { 'idempotency-key': idempotencyKey }, body });
const end = (id: string) => stack.client.waitFor(id, 30_000);
const credits = (registrationId: string) =>
  engine.transactions().filter((one) => one.type === 'CD' && one.registrationId === registrationId);
const ordersOn = (paymentId: string) =>
  engine.transactions().filter((one) => one.referencedId === paymentId && one.type !== 'CB');

async function waiting(id: string) {
  for await (const refund of stack.client.watch(id, { signal: AbortSignal.timeout(30_000) }))
    if (refund.approval !== null) return refund;
  throw new Error('unreachable');
}
const approve = (id: string, instruction: string, key = boss) =>
  call('POST', `/v1/refunds/${id}/approve`, {
    key,
    body: { instruction, reason: 'agreed with the customer' },
  });

describe('a credit against a payment', () => {
  it('is accepted with 202, reserved against the balance and paid once, without a refund of the payment', async () => {
    const { paymentId, registrationId } = stack.newPayment();
    const idempotencyKey = randomUUID();
    const first = await ask(credit(registrationId, { paymentId }), idempotencyKey);
    expect(first.status).toBe(202);
    const { id } = refundOf(first);
    expect(first.headers.get('location')).toBe(`/v1/refunds/${id}`);
    expect(refundOf(first)).toMatchObject({ askedFor: 'credit', paymentId });
    expect(await end(id)).toMatchObject({
      status: 'succeeded',
      operation: 'credit',
      attempts: [{ type: 'CD' }],
    });
    expect(credits(registrationId)).toMatchObject([{ amount: 4000n, state: 'succeeded' }]);
    expect(ordersOn(paymentId)).toEqual([]);

    const again = await ask(credit(registrationId, { paymentId }), idempotencyKey);
    expect([again.status, refundOf(again).id]).toEqual([200, id]);
    const rest = await ask(credit(registrationId, { paymentId, amount: '60.01' }));
    expect(rest.status).toBe(409);
    expect(problemOf(rest)).toMatchObject({ code: 'exceeds_refundable', refundable: '60.00' });
    const payment = await call('GET', `/v1/payments/${paymentId}`);
    expect(payment.body).toMatchObject({ credited: '40.00', refunded: '0.00', refundable: '60.00' });
  });

  it('needs a second approver to another registration, and above the limit', async () => {
    const { paymentId, registrationId } = stack.newPayment({ amount: '900.00' });
    const { registrationId: other } = stack.newPayment();
    const elsewhere = await waiting(refundOf(await ask(credit(other, { paymentId }))).id);
    const dear = await waiting(
      refundOf(await ask(credit(registrationId, { paymentId, amount: '800.00' }))).id,
    );
    expect(elsewhere.approval).toMatchObject({
      destination: { registrationId: other },
      why: ['other_destination'],
    });
    expect(dear.approval).toMatchObject({ destination: { registrationId }, why: ['above_limit'] });
    expect([...credits(other), ...credits(registrationId)]).toEqual([]);
    for (const { id, approval } of [elsewhere, dear])
      expect((await approve(id, approval?.instruction ?? '')).status).toBe(200);
    for (const { id } of [elsewhere, dear]) expect((await end(id)).status).toBe('succeeded');
    expect([credits(other).length, credits(registrationId).length]).toEqual([1, 1]);
  });

  it('is refused if the payment was charged back', async () => {
    const { paymentId, registrationId } = stack.newPayment();
    engine.chargeback({ paymentId });
    const answer = await ask(credit(registrationId, { paymentId }));
    expect([answer.status, problemOf(answer).code]).toEqual([409, 'exceeds_refundable']);
    expect(credits(registrationId)).toEqual([]);
  });

  it('releases its reservation when the gateway declines it', async () => {
    const { paymentId, registrationId } = stack.newPayment();
    stack.fault({ kind: 'reject', code: '800.100.152' }, { paymentType: 'CD', registrationId });
    const { id } = refundOf(await ask(credit(registrationId, { paymentId })));
    expect(await end(id)).toMatchObject({ status: 'failed', why: 'credit_declined' });
    const payment = await call('GET', `/v1/payments/${paymentId}`);
    expect(payment.body).toMatchObject({ credited: '0.00', reserved: '0.00', refundable: '100.00' });
  });

  it('whose response is lost is queried by its reference and never submitted again', async () => {
    const { paymentId, registrationId } = stack.newPayment();
    stack.fault({ kind: 'accept_then_drop' }, { paymentType: 'CD', registrationId });
    const { id } = refundOf(await ask(credit(registrationId, { paymentId })));
    expect(await end(id)).toMatchObject({ status: 'succeeded', attempts: [{ type: 'CD' }] });
    expect(credits(registrationId)).toHaveLength(1);
  });
});

describe('an unlinked credit', () => {
  it('always needs a second approver, and then is paid once', async () => {
    const { registrationId } = stack.newPayment();
    const answer = await ask(credit(registrationId, { amount: '0.01' }));
    expect(answer.status).toBe(202);
    expect(refundOf(answer)).toMatchObject({ askedFor: 'credit', paymentId: null });
    const { id, approval } = await waiting(refundOf(answer).id);
    expect(approval).toMatchObject({
      amount: '0.01',
      destination: { registrationId },
      why: ['unlinked'],
    });
    const instruction = approval?.instruction ?? '';
    const own = await harness.newKey('shop', 'approve');
    const mine = await approve(id, instruction, own);
    expect([mine.status, problemOf(mine).code]).toEqual([403, 'requester_cannot_decide']);
    const changed = await approve(id, '0'.repeat(32));
    expect([changed.status, problemOf(changed).code]).toEqual([409, 'instruction_changed']);
    expect(credits(registrationId)).toEqual([]);
    expect((await approve(id, instruction)).status).toBe(200);
    expect((await approve(id, instruction)).status, 'said again').toBe(200);
    expect(await end(id)).toMatchObject({ status: 'succeeded', operation: 'credit' });
    expect(credits(registrationId)).toMatchObject([{ amount: 1n }]);
  });

  it('ends unpaid when the approver rejects it', async () => {
    const { registrationId } = stack.newPayment();
    const { id, approval } = await waiting(refundOf(await ask(credit(registrationId))).id);
    const body = { instruction: approval?.instruction, reason: 'not owed' };
    expect((await call('POST', `/v1/refunds/${id}/reject`, { key: boss, body })).status).toBe(200);
    expect(await end(id)).toMatchObject({ status: 'failed', why: 'approval_refused', attempts: [] });
    expect(credits(registrationId)).toEqual([]);
  });

  it('whose response is lost is found by its reference', async () => {
    const { registrationId } = stack.newPayment();
    stack.fault({ kind: 'accept_then_drop' }, { paymentType: 'CD', registrationId });
    const { id, approval } = await waiting(refundOf(await ask(credit(registrationId))).id);
    await approve(id, approval?.instruction ?? '');
    expect(await end(id)).toMatchObject({ status: 'succeeded' });
    expect(credits(registrationId)).toHaveLength(1);
  });

  it('is shown in its timeline, the list and the search, but not as a payment', async () => {
    const { registrationId } = stack.newPayment();
    const { id } = await waiting(refundOf(await ask(credit(registrationId))).id);
    const reported = dataOf(await call('GET', `/v1/refunds/${id}/timeline`), timelineEntry);
    expect(reported.map(({ type }) => type)).toContain('refund.awaiting_approval');
    const hits = (await call('GET', `/v1/search?q=${id}`)).body;
    expect(JSON.stringify(hits)).toContain('"askedFor":"credit"');
    const row = id.replaceAll('-', '');
    const payment = await call('GET', `/v1/payments/${row}`);
    expect([payment.status, problemOf(payment).code]).toEqual([404, 'payment_unknown']);
    const refund = await harness.ask(row);
    expect([refund.status, problemOf(refund).code]).toEqual([422, 'invalid_request']);
    const withdrawn = await call('POST', `/v1/refunds/${id}/withdraw`, { body: { reason: 'a test' } });
    expect(withdrawn.status).toBe(200);
  });

  it('is created once for 50 concurrent requests with the same key', async () => {
    const { registrationId } = stack.newPayment();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(credit(registrationId), key)));
    expect(new Set(answers.map((answer) => refundOf(answer).id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    const { rows } = await sql<{ id: string }>`
      select id from payments p where type = 'credit' and not exists (select from refunds where payment_id = p.id)`.execute(
      stack.database.db,
    );
    expect(rows).toEqual([]);
    const { id } = refundOf(answers[0] ?? expect.fail('no answer'));
    await waiting(id);
    await call('POST', `/v1/refunds/${id}/withdraw`, { body: { reason: 'a test' } });
  });
});

describe('an invalid credit request', () => {
  it('is refused with every problem, and nothing is stored', async () => {
    const answer = await call('POST', '/v1/credits', {
      body: { paymentId: 'X', amount: '5,00', currency: 'EUR', reason: ' ', destination: { cardRef: 'c' } },
    });
    expect(answer.status).toBe(422);
    const { problems } = problemOf(answer);
    expect(problems?.map(({ field }) => field).toSorted()).toEqual(
      ['Idempotency-Key', 'amount', 'destination.cardRef', 'paymentId', 'reason'].toSorted(),
    );
  });

  it.each<[string, string, Readonly<Record<string, unknown>>]>([
    ['without a destination', 'destination', { destination: undefined }],
    ['of an entity that is not configured', 'entityId', { entityId: 'f'.repeat(32) }],
    ['of a payment that the gateway does not have', 'paymentId', { paymentId: 'f'.repeat(32) }],
    ['that holds a card', 'reason', { reason: 'to 4111 1111 1111 1111' }],
    ['of nothing', 'amount', { amount: '0.00' }],
  ])('%s is refused', async (_what, field, change) => {
    const answer = await ask({ ...credit('a'.repeat(32)), ...change });
    expect([answer.status, problemOf(answer).problems?.map((one) => one.field)]).toEqual([422, [field]]);
  });

  it('needs the role submit', async () => {
    const reader = await harness.newKey('reader', 'read');
    const headers = { 'idempotency-key': randomUUID() };
    const answer = await call('POST', '/v1/credits', { key: reader, headers, body: credit('a'.repeat(32)) });
    expect(answer.status).toBe(403);
  });

  it('is refused if its key was used for a refund, and vice versa', async () => {
    const { paymentId, registrationId } = stack.newPayment();
    const idempotencyKey = randomUUID();
    const first = await harness.ask(paymentId, { idempotencyKey });
    const answer = await ask(credit(registrationId, { paymentId }), idempotencyKey);
    expect(problemOf(answer)).toMatchObject({ code: 'idempotency_key_reused', refundId: refundOf(first).id });
    await end(refundOf(first).id);
  });
});
