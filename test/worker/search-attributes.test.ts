/** A Temporal server without search attributes: refunds report why they do not start, readiness names what is missing, and a worker creates it. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, describe, expect, it } from 'vitest';
import { readinessOf } from '../../client/readiness.js';
import { startTemporal } from '../../sandbox/servers/temporal.js';
import { missingSearchAttributes, provideSearchAttributes } from '../../temporal/search-attributes.js';
import { startStack } from '../support/stack.js';

const NAMES = ['RefundState', 'RefundNeedsOperator', 'PaymentId'];

const server = await startTemporal({ ownSearchAttributes: false });
const stack = await startStack({ worker: false, temporal: server });
afterAll(async () => {
  await stack.close();
  await server.stop();
});

const failing = async (): Promise<readonly string[]> => {
  const checks = Object.entries(readinessOf(stack.database, stack.temporal));
  const results = await Promise.allSettled(checks.map(([, check]) => check()));
  return checks.flatMap(([name], index) => (results[index]?.status === 'rejected' ? [name] : []));
};

/** A connection that may read, but is refused administrator calls. */
async function withoutRights(): Promise<{ temporal: Client; close(): Promise<void> }> {
  const connection = await Connection.connect({ address: server.address });
  const refused = Object.assign(new Error('not allowed'), {
    code: 7,
    details: 'Request unauthorized.',
    metadata: {},
  });
  const operatorService = { addSearchAttributes: () => Promise.reject(refused) };
  const temporal = new Client({
    connection: Object.assign(connection, { operatorService }),
    namespace: server.namespace,
  });
  return { temporal, close: () => connection.close() };
}

describe('a Temporal server without the search attributes', () => {
  it('refuses to start a refund, which says so and is stored', async () => {
    const payment = stack.newPayment();
    const asked = stack.client.requestRefund({
      clientId: 'shop',
      idempotencyKey: randomUUID(),
      requestedBy: 'clerk',
      request: { paymentId: payment.paymentId, amount: '1.00', currency: 'EUR', reason: 'order_cancelled' },
    });
    await expect(asked).rejects.toMatchObject({
      code: 'temporal_unavailable',
      message: expect.stringMatching(/refuses to start refund .*search attribute/u) as unknown,
    });
    const [refund] = await stack.client.listRefunds({ paymentId: payment.paymentId });
    expect(refund).toMatchObject({ state: 'reserved' });
    await expect(
      stack.client.replay(refund?.id ?? '', { by: 'anna', reason: 'it does not start' }),
    ).rejects.toThrow(/search attribute/u);
  });

  it('is named by readiness, each attribute by its own name', async () => {
    expect(await failing()).toEqual(NAMES.map((name) => `searchAttribute${name}`));
  });

  it('where the worker may create nothing: it ends with their names and the commands that create them', async () => {
    const { temporal, close } = await withoutRights();
    await expect(provideSearchAttributes(temporal, 1_000)).rejects.toThrow(
      /lacks the search attributes RefundState, RefundNeedsOperator, PaymentId.*Request unauthorized.*--name RefundNeedsOperator --type Bool/u,
    );
    await close();
  });

  it('where the worker may, they are created once, and the refund goes on', async () => {
    const both = await Promise.all([
      provideSearchAttributes(stack.temporal),
      provideSearchAttributes(stack.temporal),
    ]);
    expect(both.flat().length).toBeGreaterThanOrEqual(NAMES.length);
    expect(await missingSearchAttributes(stack.temporal)).toEqual([]);
    expect(await failing()).toEqual([]);
    await stack.startWorker();
    const [refund] = await stack.client.listRefunds({});
    await stack.client.replay(refund?.id ?? '', { by: 'anna', reason: 'created now' });
    await stack.untilAtRest();
    expect(await stack.client.getRefund(refund?.id ?? '')).toMatchObject({ state: 'succeeded' });
  });
});
