/** PostgreSQL failover: responses of the API while its address leads to a standby, and recovery afterwards. */
import { sql } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../ledger/db/database.js';
import { freshDatabase } from '../support/database.js';
import { startReceiver, webhookAddress } from '../support/receiver.js';
import { startFailoverPair } from '../support/standby.js';
import { startApi } from './harness.js';

const pair = await startFailoverPair();
const api = await startApi({ databaseUrl: pair.url, worker: false });
const address = await webhookAddress();
const receiver = await startReceiver(api.stack, address, { processor: false });
afterAll(async () => {
  await receiver.close();
  await api.close();
  await pair.close();
});

const accept = async (): Promise<number> => (await api.ask(api.stack.newPayment().paymentId)).status;
const sixAtOnce = () => Promise.all(Array.from({ length: 6 }, accept));
const notify = () => receiver.post({ type: 'PAYMENT', payload: { id: 'a'.repeat(32) } });
const readiness = async () => (await api.call('GET', '/readyz', { key: null })).status;

describe('a primary that became a standby', () => {
  it('is answered with 503, and its connections are not reused after the address has moved', async () => {
    expect(await sixAtOnce(), 'before').toEqual([202, 202, 202, 202, 202, 202]);
    expect(await readiness()).toBe(200);

    await pair.failOver();
    expect(await sixAtOnce(), 'a standby at the address').toEqual([503, 503, 503, 503, 503, 503]);
    expect(await notify(), 'a notification: the gateway sends it again').toBe(503);
    expect(await readiness()).toBe(503);

    pair.moveAddress();
    expect(await sixAtOnce(), 'the new primary at the address').toEqual([202, 202, 202, 202, 202, 202]);
    expect(await notify()).toBe(200);
    expect(await readiness()).toBe(200);
  }, 120_000);
});

describe('a server that stops taking writes while connections to it are open', () => {
  it('fails one statement; then every connection is replaced', async () => {
    const url = await freshDatabase('empty');
    const { db, close } = openDatabase(url, { connections: 6 });
    const backend = async () =>
      (await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(db)).rows[0]?.pid;
    const six = () => Promise.all(Array.from({ length: 6 }, backend));
    try {
      await sql`CREATE TABLE facts (id integer)`.execute(db);
      const before = await six();
      await sql`SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY`.execute(db);
      const write = () => sql`INSERT INTO facts VALUES (1)`.execute(db);
      const outcomes = await Promise.allSettled(Array.from({ length: 6 }, write));
      expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
      const after = await six();
      expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    } finally {
      await close();
    }
  });
});
