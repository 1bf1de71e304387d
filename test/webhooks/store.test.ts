/** Concurrent notifications are stored in one transaction, and each is acknowledged separately. */
import { sql } from 'kysely';
import { afterAll, expect, it } from 'vitest';
import { storeNotifications } from '../../server/webhooks/store.js';
import type { Notification } from '../../domain/refund/notification.js';
import { openDatabase } from '../../ledger/db/database.js';
import { freshDatabase } from '../support/database.js';

const url = await freshDatabase('migrated');
const inbox = openDatabase(url, { connections: 1 });
const other = openDatabase(url);
const store = storeNotifications(inbox);
afterAll(async () => {
  await inbox.close();
  await other.close();
});

const notification = (naturalKey: string): Notification => ({
  kind: 'PAYMENT',
  entityId: 'e'.repeat(32),
  naturalKey,
  transaction: { id: naturalKey, type: 'refund', result: { code: '000.100.110', description: '' } },
});
interface Kept {
  readonly id: string;
  readonly natural_key: string;
  readonly transaction: string;
}
/** Returns the stored notifications in order, each with the transaction that wrote it. */
const kept = async (prefix: string): Promise<readonly Kept[]> =>
  (
    await sql<Kept>`SELECT id::text, natural_key, xmin::text AS transaction FROM webhooks
      WHERE natural_key LIKE ${`${prefix}%`} ORDER BY webhooks.id`.execute(other.db)
  ).rows;

it('stores notifications that arrive during a transaction in the next one, in order', async () => {
  const stored = await Promise.all(['t1', 't2', 't3', 't4'].map((key) => store(notification(key))));
  const rows = await kept('t');
  expect(stored).toEqual(rows.map(({ id }) => ({ id, state: 'received' })));
  expect(rows.map((row) => row.natural_key)).toEqual(['t1', 't2', 't3', 't4']);
  const [first, ...more] = rows.map((row) => row.transaction);
  expect(new Set(more).size).toBe(1);
  expect(more).not.toContain(first);
});

it('stores a duplicate within one transaction once, and reports the second as repeated', async () => {
  const [, once, again] = await Promise.all(['d0', 'd1', 'd1'].map((key) => store(notification(key))));
  expect(once?.id).toEqual(expect.any(String));
  expect(again?.id).toBeNull();
  expect(await kept('d1')).toHaveLength(1);
});

it('stores the others of a batch if one cannot be stored', async () => {
  const answers = await Promise.allSettled(
    ['p0', 'p1', 'p\u0000', 'p2'].map((key) => store(notification(key))),
  );
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect((await kept('p')).map((row) => row.natural_key)).toEqual(['p0', 'p1', 'p2']);
});

it('refuses notifications above the limit while the database hangs', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const isLocked = new Promise<void>((locked, failed) => {
    other
      .transaction(async (tx) => {
        await sql`LOCK TABLE webhooks IN SHARE MODE`.execute(tx);
        locked();
        await held;
      })
      .catch(failed);
  });
  await isLocked;
  const answers = Array.from({ length: 5_001 }, (_, index) => store(notification(`w${index}`)));
  await expect(store(notification('w-refused'))).rejects.toMatchObject({ code: 'not_ready' });
  release();
  await Promise.all(answers);
  expect(await kept('w')).toHaveLength(5_001);
});
