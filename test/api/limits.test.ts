/** `GET /v1/limits` and `oppwa-refunds limits`: limits of credits without an approval, and what is used of them. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { creditLimits } from '../../server/api/schemas.js';
import { command } from '../support/command.js';
import { dataOf, problemOf, refundOf, startApi } from './harness.js';

const harness = await startApi({
  policy: { creditLimitPerRequester: { EUR: '60000' }, creditLimitPerEntity: { EUR: '90000', USD: '90000' } },
});
afterAll(() => harness.close());
const { call, stack } = harness;
const reader = await harness.newKey('reader', 'read');
const anna = await harness.newKey('Anna', 'submit');
const entityId = stack.dependencies.defaultEntityId;

const read = (query = '') => call('GET', `/v1/limits${query}`, { key: reader });

async function credited(amount: string) {
  const { paymentId, registrationId } = stack.newPayment({ amount: '900.00' });
  const { id } = refundOf(
    await call('POST', '/v1/credits', {
      key: anna,
      headers: { 'idempotency-key': randomUUID() },
      body: { paymentId, amount, currency: 'EUR', reason: 'goodwill', destination: { registrationId } },
    }),
  );
  for await (const refund of stack.client.watch(id, { signal: AbortSignal.timeout(30_000) }))
    if (refund.approval !== null || refund.status === 'succeeded')
      return { refund, paymentId, registrationId };
  throw new Error('unreachable');
}

describe('the limits', () => {
  it('show what credits of one payment, destination, requester and entity have used', async () => {
    const before = {
      entityId,
      currency: 'EUR',
      single: '500.00',
      payment: { limit: '500.00', used: null, windowHours: null },
      destination: { limit: '500.00', used: null, windowHours: 24 },
      requester: { limit: '600.00', used: null, windowHours: 24 },
      entity: { limit: '900.00', used: '0.00', windowHours: 24 },
    };
    expect((await read()).body).toEqual({ data: [before] });

    const first = await credited('300.00');
    const second = await credited('200.00');
    expect([first, second].map(({ refund }) => refund.status)).toEqual(['succeeded', 'succeeded']);
    const about = `?paymentId=${first.paymentId}&registrationId=${first.registrationId}&requester=ANNA`;
    expect((await read(about)).body).toEqual({
      data: [
        {
          ...before,
          payment: { ...before.payment, used: '300.00' },
          destination: { ...before.destination, used: '300.00' },
          requester: { ...before.requester, used: '500.00' },
          entity: { ...before.entity, used: '500.00' },
        },
      ],
    });

    // The third credit of the requester is above the limit: nothing of it counts before or after an approval.
    const third = await credited('100.01');
    expect(third.refund.approval?.why).toEqual(['above_limit_of_requester']);
    const [now] = dataOf(await read('?requester=Anna'), creditLimits);
    expect(now?.requester.used).toBe('500.00');
    await call('POST', `/v1/refunds/${third.refund.id}/withdraw`, { body: { reason: 'not needed' } });

    const printed = await command(stack.env, 'limits', '--requester', 'anna', '--json');
    expect(JSON.parse(printed.stdout)).toMatchObject([{ single: '500.00', requester: { used: '500.00' } }]);
    const text = await command(stack.env, 'limits', '--payment', first.paymentId);
    expect(text.stdout).toMatch(/for each payment +300\.00 +500\.00 +EUR +all time/);
  });

  it('are those of one entity and currency, if they are named', async () => {
    expect((await read(`?entityId=${entityId}&currency=EUR`)).body).toMatchObject({ data: [{ entityId }] });
    expect((await read('?currency=USD')).body).toEqual({ data: [] });
    expect((await read(`?entityId=${'0'.repeat(32)}`)).body).toEqual({ data: [] });
  });

  it('are unused by a payment, a card and a requester that are not known', async () => {
    const [limits] = dataOf(
      await read(`?paymentId=${'a'.repeat(32)}&cardRef=${randomUUID()}&requester=nobody`),
      creditLimits,
    );
    expect([limits?.payment.used, limits?.destination.used, limits?.requester.used]).toEqual([
      '0.00',
      '0.00',
      '0.00',
    ]);
  });

  it.each([
    ['?currency=eur', 'currency'],
    ['?paymentId=1', 'paymentId'],
    [`?registrationId=${'a'.repeat(32)}&cardRef=${randomUUID()}`, 'cardRef'],
    ['?requester=%00', 'requester'],
  ])('refuse %s by its name', async (query, field) => {
    const answer = await read(query);
    expect(answer.status).toBe(422);
    expect(problemOf(answer).problems?.map((one) => one.field)).toEqual([field]);
  });

  it('need a key', async () => {
    expect((await call('GET', '/v1/limits', { key: null })).status).toBe(401);
  });
});
