/** `POST /v1/refunds`: idempotency, waiting, and invalid requests. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { problemOf, refundOf, startApi } from './harness.js';

const harness = await startApi();
afterAll(() => harness.close());
const { ask, call, stack } = harness;

describe('a refund request', () => {
  it('is accepted with 202 and paid; the same key and body get 200 and the same refund', async () => {
    const { paymentId } = stack.newPayment();
    const idempotencyKey = randomUUID();
    const first = await ask(paymentId, { idempotencyKey });
    expect(first.status).toBe(202);
    const { id } = refundOf(first);
    expect(first.headers.get('location')).toBe(`/v1/refunds/${id}`);

    const shown = await call('GET', `/v1/refunds/${id}?wait=30s`);
    expect(refundOf(shown)).toMatchObject({ id, status: 'succeeded', amount: '40.00', requestedBy: 'shop' });
    const again = await ask(paymentId, { idempotencyKey });
    expect(again.status).toBe(200);
    expect(refundOf(again)).toEqual(refundOf(shown));
    expect(stack.gateway.engine.books(paymentId)?.refunded).toBe(4000n);
  });

  it('creates one refund for 100 concurrent requests with the same key', async () => {
    const { paymentId } = stack.newPayment();
    const idempotencyKey = randomUUID();
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(paymentId, { idempotencyKey })));
    expect(new Set(answers.map((answer) => refundOf(answer).id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(99);
    await stack.client.waitFor(answers.map((answer) => refundOf(answer).id)[0] ?? '', 30_000);
    expect(stack.gateway.engine.books(paymentId)?.refunded).toBe(4000n);
  });

  it.each([
    ['order-4711', '"order-4711"'],
    ['"order-4712"', 'order-4712'],
    ['a"b', String.raw`"a\"b"`],
    ['order-4713', '  "order-4713" '],
  ])('creates one refund for the equivalent keys %j and %j', async (first, second) => {
    const { paymentId } = stack.newPayment();
    const one = await ask(paymentId, { idempotencyKey: first });
    const other = await ask(paymentId, { idempotencyKey: second });
    expect([one.status, other.status]).toEqual([202, 200]);
    expect(refundOf(other).id).toBe(refundOf(one).id);
    await stack.client.waitFor(refundOf(one).id, 30_000);
    expect(stack.gateway.engine.books(paymentId)?.refunded).toBe(4000n);
  });

  it.each(['"k', 'k"', '"k";a=1', '"a b"', '""', String.raw`"\"k\""`])(
    'is refused if its key is malformed quoted text: %j',
    async (idempotencyKey) => {
      const { paymentId } = stack.newPayment();
      const answer = await ask(paymentId, { idempotencyKey });
      expect(answer.status).toBe(422);
      expect(problemOf(answer).problems).toMatchObject([{ field: 'Idempotency-Key', code: 'invalid' }]);
    },
  );

  it('with `wait` is answered as soon as the refund is final', async () => {
    const { paymentId } = stack.newPayment();
    const answer = await call('POST', '/v1/refunds?wait=60s', {
      headers: { 'idempotency-key': randomUUID() },
      body: { paymentId, amount: '40.00', currency: 'EUR', reason: 'goods_returned' },
    });
    expect(answer.status).toBe(202);
    expect(refundOf(answer).status).toBe('succeeded');
  });
});

describe('an invalid refund request', () => {
  it('is refused with every problem, and nothing is stored', async () => {
    const answer = await call('POST', '/v1/refunds?wait=1h&later=1', {
      body: { paymentId: 'X', amount: '5,00', currency: 'EUR', reason: ' ', sum: 1 },
    });
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    const reported = problemOf(answer);
    expect(reported).toMatchObject({ code: 'invalid_request', status: 422 });
    expect(reported.problems?.map(({ field }) => field).toSorted()).toEqual(
      ['(request)', '(request)', 'Idempotency-Key', 'amount', 'paymentId', 'reason', 'wait'].toSorted(),
    );
  });

  it('over the balance gets the refundable amount', async () => {
    const { paymentId } = stack.newPayment({ amount: '39.99' });
    const answer = await ask(paymentId);
    expect(answer.status).toBe(409);
    expect(problemOf(answer)).toMatchObject({
      code: 'exceeds_refundable',
      refundable: '39.99',
      currency: 'EUR',
    });
  });

  it('is refused if its key was used for a different request', async () => {
    const { paymentId } = stack.newPayment();
    const idempotencyKey = randomUUID();
    const first = await ask(paymentId, { idempotencyKey });
    const other = await ask(paymentId, {
      idempotencyKey,
      body: { paymentId, amount: '40.01', currency: 'EUR', reason: 'goods_returned' },
    });
    expect(other.status).toBe(409);
    expect(problemOf(other)).toMatchObject({
      code: 'idempotency_key_reused',
      refundId: refundOf(first).id,
    });
    await stack.client.waitFor(refundOf(first).id, 30_000);
  });
});

describe('the OpenAPI document', () => {
  it('is version 3.1, and every reference resolves', async () => {
    const { status, body } = await call('GET', '/openapi.json', { key: null });
    expect(status).toBe(200);
    const text = JSON.stringify(body);
    expect(body).toMatchObject({ openapi: '3.1.0' });
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(body, name).toHaveProperty(['components', 'schemas', name]);
  });
});
