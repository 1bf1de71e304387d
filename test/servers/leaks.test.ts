/** Tests that the search for cards and secrets finds each of them in every store. */
import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { sql } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import { leaksIn, type Places } from '../support/leaks.js';
import { startStack } from '../support/stack.js';

const stack = await startStack();
afterAll(() => stack.close());
const { database, temporal, queues } = stack;
const SECRET = `whole-${randomUUID()}`;

const { id } = await stack.client.requestRefund({
  clientId: 'shop',
  idempotencyKey: randomUUID(),
  requestedBy: 'clerk',
  request: { paymentId: stack.newPayment().paymentId, amount: '60.00', currency: 'EUR', reason: 'goodwill' },
});
await stack.client.waitFor(id, 30_000);

const places = (change: Partial<Places> = {}): Places => ({
  database,
  logged: stack.logged,
  temporal,
  taskQueue: queues.refunds,
  workflowIds: [`refund-${id}`],
  ...change,
});

describe('the search for cards and secrets', () => {
  it('reads all stores, and finds nothing in clean ones', async () => {
    const { leaks, rows, runs } = await leaksIn(places(), [SECRET]);
    expect(leaks).toEqual([]);
    expect(rows).toBeGreaterThan(3);
    expect(runs).toBeGreaterThan(0);
  });

  it.each([
    ['a card', { note: 'paid with 4200000000000000' }],
    ['a card in groups', { note: '4111 1111 1111 1111' }],
    ['a card reversed', { note: '1111111111111114' }],
    ['a card in base64', { note: Buffer.from('a 5454545454545454').toString('base64') }],
    ['a card in gzip', { note: gzipSync('5454545454545454').toString('hex') }],
    ['a card verification value', { 'card.cvv': '737' }],
    ['a secret, in upper case', { note: SECRET.toUpperCase() }],
  ])('finds %s in a column', async (_name, metadata) => {
    await sql`UPDATE refunds SET metadata = ${JSON.stringify(metadata)}::jsonb WHERE id = ${id}`.execute(
      database.db,
    );
    try {
      expect((await leaksIn(places(), [SECRET])).leaks).toEqual(['refunds.metadata']);
    } finally {
      await sql`UPDATE refunds SET metadata = NULL WHERE id = ${id}`.execute(database.db);
    }
  });

  it('finds a secret in a line of the log', async () => {
    const logged = ['{"event":"fine"}', `{"event":"fine","detail":"${SECRET}"}`];
    expect((await leaksIn(places({ logged }), [SECRET])).leaks).toEqual(['log line 2']);
  });

  it('finds a card in the payload of a workflow of an unknown type', async () => {
    const workflowId = `leaky-${randomUUID()}`;
    const taskQueue = `no-worker-${randomUUID()}`;
    const args = [{ card: { number: '5454545454545454' } }];
    const handle = await temporal.workflow.start('anything', { workflowId, taskQueue, args });
    try {
      const { leaks } = await leaksIn(places({ workflowIds: [workflowId] }), []);
      expect(leaks).toEqual([`${workflowId}, event 1`]);
    } finally {
      await handle.terminate('a test');
    }
  });
});
