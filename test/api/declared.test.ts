/** Refunds of a payment that the client declares: the gateway is not queried. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { payment as shape } from '../../server/api/schemas.js';
import { problemOf, refundOf, startApi } from './harness.js';

const harness = await startApi();
afterAll(() => harness.close());
const { call, stack } = harness;

const ask = (paymentId: string, payment: Readonly<Record<string, string>>, amount = '40.00', wait = 60) =>
  call('POST', `/v1/refunds?wait=${wait}s`, {
    headers: { 'idempotency-key': randomUUID() },
    body: { paymentId, amount, currency: 'EUR', reason: 'goods_returned', payment },
  });
const requestsAbout = (paymentId: string) =>
  stack.gateway.requests().filter(({ path }) => path.includes(paymentId));
const DECLARED = { type: 'DB', amount: '100.00', currency: 'EUR' };

describe('a refund on a declared payment', () => {
  it('sends one request to the gateway, the refund itself, and shows the payment as declared', async () => {
    const { paymentId } = stack.newPayment({ amount: '100.00' });
    const queriesBefore = stack.gateway.requests().filter(({ method }) => method === 'GET').length;
    const answer = await ask(paymentId, DECLARED);
    expect(answer.status).toBe(202);
    expect(refundOf(answer)).toMatchObject({ status: 'succeeded', operation: 'refund' });
    expect(requestsAbout(paymentId).map(({ method }) => method)).toEqual(['POST']);
    expect(stack.gateway.requests().filter(({ method }) => method === 'GET')).toHaveLength(queriesBefore);
    expect(stack.gateway.engine.books(paymentId)?.refunded).toBe(4000n);
    const shown = shape.parse((await call('GET', `/v1/payments/${paymentId}`)).body);
    expect(shown).toMatchObject({ declared: true, type: 'DB', captured: '100.00', refundable: '60.00' });
  });

  it('is limited by the declared amount, and by the first declaration', async () => {
    const { paymentId } = stack.newPayment({ amount: '100.00' });
    await ask(paymentId, DECLARED);
    const more = await ask(paymentId, DECLARED, '60.01');
    expect([more.status, problemOf(more)]).toMatchObject([
      409,
      { code: 'exceeds_refundable', refundable: '60.00' },
    ]);
    const other = await ask(paymentId, { ...DECLARED, amount: '200.00' });
    expect([other.status, problemOf(other)]).toMatchObject([
      409,
      { code: 'payment_differs', amount: '100.00' },
    ]);
    const wrong = await ask(paymentId, { ...DECLARED, type: 'RF' });
    expect(wrong.status).toBe(422);
    expect(problemOf(wrong).problems?.map(({ field }) => field)).toEqual(['payment.type']);
  });

  it('declared in the wrong currency is refunded in its own after the wrong refund is withdrawn', async () => {
    const { paymentId } = stack.newPayment({ amount: '100.00', currency: 'USD' });
    const wrong = refundOf(await ask(paymentId, DECLARED, '40.00', 1));
    await stack.client
      .withdraw(wrong.id, { by: 'anna', reason: 'it was paid in dollars' })
      .catch(() => undefined);
    const other = { paymentId, amount: '40.00', currency: 'USD', reason: 'goods_returned' };
    const answer = await call('POST', '/v1/refunds?wait=30s', {
      headers: { 'idempotency-key': randomUUID() },
      body: other,
    });
    expect(refundOf(answer)).toMatchObject({ status: 'succeeded', currency: 'USD' });
    expect(stack.gateway.engine.books(paymentId)?.refunded).toBe(4000n);
    const shown = shape.parse((await call('GET', `/v1/payments/${paymentId}`)).body);
    expect(shown).toMatchObject({ declared: false, currency: 'USD', refundable: '60.00' });
  });

  it('of an authorization above the declared amount queries it before the reversal, and releases no more', async () => {
    const { paymentId } = stack.newPayment({ type: 'PA', amount: '100.00' });
    const answer = await ask(paymentId, { ...DECLARED, type: 'PA', amount: '40.00' }, '40.00', 5);
    expect(refundOf(answer)).toMatchObject({
      status: 'review',
      review: { why: expect.stringContaining('never captured') as unknown },
    });
    expect(stack.gateway.engine.books(paymentId)?.reversed).toBe(0n);
    await stack.client.withdraw(refundOf(answer).id, { by: 'anna', reason: 'a test' });
  });

  it('of an authorization is a reversal', async () => {
    const { paymentId } = stack.newPayment({ type: 'PA', amount: '100.00' });
    const answer = await ask(paymentId, { ...DECLARED, type: 'PA' }, '100.00');
    expect(refundOf(answer)).toMatchObject({ status: 'succeeded', settledBy: 'reversal' });
    expect(stack.gateway.engine.books(paymentId)?.reversed).toBe(10000n);
  });

  it('is limited by the gateway if more was declared than captured', async () => {
    const { paymentId } = stack.newPayment({ amount: '30.00' });
    const answer = await ask(paymentId, DECLARED, '40.00', 3);
    expect(refundOf(answer).status).not.toBe('succeeded');
    expect(stack.gateway.engine.books(paymentId)?.refunded).toBe(0n);
  });
});
