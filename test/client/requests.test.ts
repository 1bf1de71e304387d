/** Promises of the typed client about requests, against real servers. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { RefundsError, type RefundOrder } from '../../client/index.js';
import { startStack } from '../support/stack.js';

const stack = await startStack();
afterAll(() => stack.close());
const { client } = stack;
const { engine } = stack.gateway;

function order(paymentId: string, changes: Readonly<Record<string, unknown>> = {}): RefundOrder {
  return {
    clientId: 'shop',
    idempotencyKey: randomUUID(),
    requestedBy: 'clerk',
    request: { paymentId, amount: '40.00', currency: 'EUR', reason: 'goods_returned', ...changes },
  };
}

/** Returns the error of a request, and checks that nothing was stored. */
async function refused(asked: RefundOrder): Promise<RefundsError> {
  const before = await rows();
  const error = await client.requestRefund(asked).then(
    () => new Error('the request was accepted'),
    (thrown: unknown) => thrown,
  );
  expect(await rows(), 'rows in the ledger').toEqual(before);
  if (error instanceof RefundsError) return error;
  throw error;
}

async function rows(): Promise<Record<string, bigint>> {
  const tables = ['payments', 'captures', 'refunds', 'attempts', 'events', 'cases'] as const;
  const counts = tables.map(async (table) => {
    const counted = stack.database.db.selectFrom(table).select(({ fn }) => fn.countAll<bigint>().as('count'));
    return [table, (await counted.executeTakeFirstOrThrow()).count] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}

describe('a requested refund', () => {
  it('is paid once, and has all its ids', async () => {
    const { paymentId } = stack.newPayment();
    const accepted = await client.requestRefund(order(paymentId, { orderId: 'order-1' }));
    expect(accepted).toMatchObject({ paymentId, amount: '40.00', currency: 'EUR', orderId: 'order-1' });
    const paid = await client.waitFor(accepted.id, 20_000);
    expect(paid).toMatchObject({
      status: 'succeeded',
      state: 'succeeded',
      operation: 'refund',
      review: null,
      approval: null,
    });
    const [attempt, ...others] = paid.attempts;
    expect(others).toEqual([]);
    expect(attempt).toMatchObject({
      type: 'RF',
      amount: '40.00',
      state: 'succeeded',
      resultCode: '000.100.110',
    });
    const booked = engine
      .transactions()
      .filter(({ type, referencedId }) => type === 'RF' && referencedId === paymentId);
    expect(
      booked.map(({ id, merchantTransactionId, amount }) => [id, merchantTransactionId, amount]),
    ).toEqual([[attempt?.gatewayId, attempt?.merchantTransactionId, 4000n]]);
  });

  it('is the same refund when its key is repeated, also after it was paid', async () => {
    const { paymentId } = stack.newPayment();
    const same = order(paymentId);
    const first = await client.requestRefund(same);
    expect((await client.requestRefund(same)).id).toBe(first.id);
    await client.waitFor(first.id, 20_000);
    expect(await client.requestRefund(same)).toMatchObject({ id: first.id, status: 'succeeded' });
    expect(engine.books(paymentId)?.refunded).toBe(4000n);
  });

  it('is one refund if twenty requests use one key at once', async () => {
    const { paymentId } = stack.newPayment();
    const same = order(paymentId);
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.requestRefund(same)));
    const ids = new Set(answers.map(({ id }) => id));
    expect(ids.size).toBe(1);
    for (const id of ids) await client.waitFor(id, 20_000);
    expect(engine.books(paymentId)?.refunded).toBe(4000n);
  });

  it('is a separate refund under another key with the same amount', async () => {
    const { paymentId } = stack.newPayment();
    const [one, two] = await Promise.all([
      client.requestRefund(order(paymentId)),
      client.requestRefund(order(paymentId)),
    ]);
    expect(one.id).not.toBe(two.id);
    await Promise.all([client.waitFor(one.id, 20_000), client.waitFor(two.id, 20_000)]);
    expect(engine.books(paymentId)?.refunded).toBe(8000n);
  });

  it('can be followed from its start to its end', async () => {
    const { paymentId } = stack.newPayment();
    stack.fault({ kind: 'pending' }, { paymentId });
    const { id } = await client.requestRefund(order(paymentId));
    const reported: string[] = [];
    const states = new Set<string>();
    for await (const refund of client.watch(id, { until: 'final' })) {
      const { state, attempts } = refund;
      // Once, and not before it was seen: how soon the watch sees it, and what else it sees, depends on the machine.
      if (state === 'pending' && !states.has(state))
        engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
      states.add(state);
      reported.push(JSON.stringify(refund));
    }
    expect([...states].at(-1)).toBe('succeeded');
    expect(states).toContain('pending');
    expect(new Set(reported).size, 'each change is reported once').toBe(reported.length);
  });

  it('is waited for no longer than the given time', async () => {
    const { paymentId } = stack.newPayment();
    stack.fault({ kind: 'pending' }, { paymentId });
    const { id } = await client.requestRefund(order(paymentId));
    expect((await client.waitFor(id, 400)).status).toBe('pending');
    for (const { id: pending } of engine.transactions().filter(({ state }) => state === 'pending'))
      engine.finishPending({ id: pending, state: 'succeeded' });
    expect((await client.waitFor(id, 20_000)).status).toBe('succeeded');
  });
});

describe('an invalid request', () => {
  const { paymentId } = stack.newPayment();

  it.each([
    ['amount', { amount: '0' }],
    ['amount', { amount: '0.00' }],
    ['amount', { amount: '-1' }],
    ['amount', { amount: '1.001' }],
    ['amount', { amount: '1.5' }],
    ['amount', { amount: '1e3' }],
    ['amount', { amount: ' 5' }],
    ['amount', { amount: '5,00' }],
    ['amount', { amount: '' }],
    ['amount', { amount: 5 }],
    ['amount', { amount: '12.00', currency: 'JPY' }],
    ['currency', { currency: 'ABC' }],
    ['currency', { currency: 'eur' }],
    ['currency', { currency: undefined }],
    ['paymentId', { paymentId: '' }],
    ['paymentId', { paymentId: 'A'.repeat(32) }],
    ['paymentId', { paymentId: 'a'.repeat(31) }],
    ['reason', { reason: '' }],
    ['reason', { reason: ' \t' }],
    ['reason', { reason: 'a\u0000b' }],
    ['entityId', { entityId: 'default' }],
    ['destination.registrationId', { destination: { registrationId: '../payments' } }],
    ['metadata.note', { metadata: { note: 'a\u0000b' } }],
    ['(request)', { amout: '1.00' }],
  ])('in its %s is refused by that name and stores nothing: %j', async (field, changes) => {
    const error = await refused(order(paymentId, changes));
    expect(error.code).toBe('invalid_request');
    expect([...new Set(error.problems.map((problem) => problem.field))]).toEqual([field]);
  });

  it('is answered with all problems at once', async () => {
    const error = await refused({
      clientId: ' ',
      idempotencyKey: 'a key',
      requestedBy: '',
      request: { amount: '1', extra: 1 },
    });
    expect(error.problems.map(({ field }) => field).toSorted()).toEqual(
      [
        '(request)',
        'clientId',
        'currency',
        'idempotencyKey',
        'paymentId',
        'reason',
        'requestedBy',
      ].toSorted(),
    );
  });

  it('is refused in another currency than that of the payment', async () => {
    expect((await refused(order(paymentId, { currency: 'USD' }))).code).toBe('currency_mismatch');
  });

  it('is refused for a payment that the gateway does not know', async () => {
    const error = await refused(order('0'.repeat(32)));
    expect(error.problems).toMatchObject([{ field: 'paymentId', code: 'not_found' }]);
  });

  it('is refused for more than is left, and the answer contains the rest', async () => {
    const payment = stack.newPayment();
    const first = await client.requestRefund(order(payment.paymentId, { amount: '70.00' }));
    await client.waitFor(first.id, 20_000);
    const error = await refused(order(payment.paymentId, { amount: '30.01' }));
    expect(error.code).toBe('exceeds_refundable');
    expect(error.details).toMatchObject({ refundable: '30.00' });
  });

  it('is refused if its key was used for another request', async () => {
    const payment = stack.newPayment();
    const first = order(payment.paymentId);
    const { id } = await client.requestRefund(first);
    await client.waitFor(id, 20_000);
    const other = { ...order(payment.paymentId, { amount: '1.00' }), idempotencyKey: first.idempotencyKey };
    const error = await refused(other);
    expect(error.code).toBe('idempotency_key_reused');
    expect(error.details).toMatchObject({ refundId: id });
  });

  it('can be repeated once the gateway answers again', async () => {
    const payment = stack.newPayment();
    const asked = order(payment.paymentId);
    engine.setFault({ effect: { kind: 'query', how: 'drop' }, times: 'always' });
    expect((await refused(asked)).code).toBe('gateway_unavailable');
    engine.clearFault();
    const { id } = await client.requestRefund(asked);
    expect((await client.waitFor(id, 20_000)).status).toBe('succeeded');
  });
});

describe('the list of refunds', () => {
  it('is newest first, by payment, by status and page by page', async () => {
    const { paymentId } = stack.newPayment();
    const ids: string[] = [];
    for (const amount of ['1.00', '2.00', '3.00'])
      ids.unshift((await client.requestRefund(order(paymentId, { amount }))).id);
    await Promise.all(ids.map((id) => client.waitFor(id, 20_000)));
    const listed = await client.listRefunds({ paymentId });
    expect(listed.map(({ id, amount }) => [id, amount])).toEqual([
      [ids[0], '3.00'],
      [ids[1], '2.00'],
      [ids[2], '1.00'],
    ]);
    expect((await client.listRefunds({ paymentId, limit: 1 })).map(({ id }) => id)).toEqual([ids[0]]);
    expect((await client.listRefunds({ paymentId, before: ids[1] ?? '' })).map(({ id }) => id)).toEqual([
      ids[2],
    ]);
    expect(await client.listRefunds({ paymentId, status: 'succeeded' })).toHaveLength(3);
    expect(await client.listRefunds({ paymentId, status: 'failed' })).toEqual([]);
    expect(await client.listRefunds({ paymentId, stuck: true })).toEqual([]);
    expect(await client.listRefunds({ status: 'succeeded', state: 'failed' })).toEqual([]);
  });

  it.each([{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { before: 'yesterday' }])(
    'refuses %j',
    async (filter) => {
      await expect(client.listRefunds(filter)).rejects.toMatchObject({ code: 'invalid_request' });
    },
  );
});
