/** Tests that the sweep checks waiting refunds more and more rarely, and changed ones at once. */
import { sql } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import { createSweepActivities, type SweepInput } from '../../activities/maintenance/sweep.js';
import { DEFAULT_POLICY, DEFAULT_TIMINGS } from '../../domain/refund/config.js';
import { openDatabase } from '../../ledger/db/database.js';
import { maintenanceAt } from '../../temporal/maintenance.js';
import { freshDatabase } from '../support/database.js';

/** docs/decisions/013 has the measurements of a hundred thousand refunds. */
const PARKED = 20_000;
const url = await freshDatabase('migrated');
const database = openDatabase(url);
afterAll(() => database.close());

/** Stores refunds that wait for an operator and have not changed for `age`. */
async function park(from: number, count: number, age: string): Promise<void> {
  await sql`
    insert into payments (id, entity_id, type, state, currency, authorized_minor, captured_minor)
    select md5(n::text), ${'e'.repeat(32)}, 'debit', 'succeeded', 'EUR', 0, 10000
    from generate_series(${from}::int, ${from + count - 1}::int) as n`.execute(database.db);
  await sql`
    insert into refunds (id, payment_id, client_id, idempotency_key, fingerprint, amount_minor, currency, reason,
      requested_by, state, state_since, created_at, updated_at)
    select md5('r' || n)::uuid, md5(n::text), 'shop', n::text, '', 100, 'EUR', 'goods_returned', 'anna', 'manual_review',
      now() - ${age}::interval, now() - ${age}::interval, now() - ${age}::interval
    from generate_series(${from}::int, ${from + count - 1}::int) as n`.execute(database.db);
  await sql`analyze refunds`.execute(database.db);
  await sql`analyze sweeps`.execute(database.db);
}

const started: string[] = [];
const { startIdleRefunds } = createSweepActivities(
  {
    database,
    start: {
      configFor: () => ({ timings: DEFAULT_TIMINGS, policy: DEFAULT_POLICY }),
      queryTaskQueue: 'queries',
    },
    startRefund: async ({ id }) => {
      started.push(id);
    },
  },
  () => new AbortController().signal,
);
const input: SweepInput = maintenanceAt(1).sweep;

/** Runs one sweep and returns the number of runs that it started. */
async function sweep(): Promise<number> {
  started.length = 0;
  await startIdleRefunds(input);
  expect(new Set(started).size).toBe(started.length);
  return started.length;
}

async function idOf(key: number): Promise<string> {
  const { id } = await database.db
    .selectFrom('refunds')
    .select('id')
    .where('idempotency_key', '=', String(key))
    .executeTakeFirstOrThrow();
  return id;
}

const letPass = (time: string): Promise<unknown> =>
  sql`update sweeps set due_at = due_at - ${time}::interval`.execute(database.db);

describe('many refunds that wait for operators', () => {
  it('get one run each, in sweeps of a bounded size', async () => {
    await park(1, PARKED, '2 days');
    const bound = input.page * input.pages;
    let all = 0;
    let sweeps = 0;
    for (let found = await sweep(); found > 0; found = await sweep()) {
      expect(found).toBeLessThanOrEqual(bound);
      all += found;
      sweeps += 1;
    }
    expect(all).toBe(PARKED);
    expect(sweeps).toBe(PARKED / bound);
  });

  it('need no start within an hour, and one each within six hours', async () => {
    await letPass('1 hour');
    expect(await sweep()).toBe(0);
    await letPass('5 hours');
    expect(await sweep()).toBe(input.page * input.pages);
    await letPass('-1 day');
  });

  it('do not delay a refund that was just accepted, or one that changed', async () => {
    await park(PARKED + 1, 1, '2 minutes');
    expect(await sweep()).toBe(1);
    await sql`
      update refunds set state = 'fallback_checking', version = version + 1, updated_at = now() - interval '2 minutes'
      where idempotency_key = '7'`.execute(database.db);
    expect(await sweep()).toBe(1);
    expect(await sweep()).toBe(0);
  });

  it('are checked again when the time since their last change has doubled', async () => {
    const key = PARKED + 2;
    await park(key, 1, '10 minutes');
    const id = await idOf(key);
    await sweep();
    expect(started).toContain(id);
    await letPass('9 minutes');
    await sweep();
    expect(started).not.toContain(id);
    await letPass('2 minutes');
    await sweep();
    expect(started).toContain(id);
  });

  it('are counted in a small part of the time between two sweeps', async () => {
    const startedAt = performance.now();
    expect(await sweep()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(maintenanceAt(1).sweepEvery / 10);
  });
});

describe('a refund that cannot be started', () => {
  it('does not block the others, and is reported', async () => {
    const keys = [PARKED + 3, PARKED + 4, PARKED + 5];
    await park(PARKED + 3, 3, '3 minutes');
    const [failing = '', ...others] = await Promise.all(keys.map(idOf));
    const begun: string[] = [];
    const reported: string[] = [];
    const { startIdleRefunds: sweepOnce } = createSweepActivities(
      {
        database,
        start: {
          configFor: () => ({ timings: DEFAULT_TIMINGS, policy: DEFAULT_POLICY }),
          queryTaskQueue: 'queries',
        },
        startRefund: async ({ id }) => {
          if (id === failing) throw new Error('too large');
          begun.push(id);
        },
        onFailure: (refundId) => reported.push(refundId),
      },
      () => new AbortController().signal,
    );
    expect(await sweepOnce(input)).toMatchObject({ failed: 1 });
    expect(begun).toEqual(expect.arrayContaining(others));
    expect(reported).toEqual([failing]);
  });
});
