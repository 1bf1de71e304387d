/** Sums for the limits of credits: each is read from its own index, and the work does not grow with the history. */
import { sql, type Kysely } from 'kysely';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { SUMMED_BY } from '../../domain/refund/credit-limits.js';
import type { Tables } from '../../ledger/db/database.js';
import { creditSum } from '../../ledger/refunds/credit-sums.js';
import { postgresLedger } from './postgres.js';

const { database } = await postgresLedger();

const DAY = 86_400_000;
const OLD = 30_000;
const VALUES = { payment: 'payment 7', destination: 'destination', requester: 'anna', entity: 'entity' };

/** Inserts credits of one requester, destination and entity, of the days 2 to 400 ago, on many payments. */
async function insertHistory(db: Kysely<Tables>): Promise<void> {
  await sql`
    INSERT INTO attempts (id, refund_id, payment_id, number, operation, registration_id, destination_key, reference,
      amount_minor, state, currency, requester, entity_id, send_by, sent_at)
    SELECT gen_random_uuid(), gen_random_uuid(), 'payment ' || n % 5000, 1, 'credit', 'registration', 'destination', 'old ' || n,
      100, 'succeeded', 'EUR', 'anna', 'entity', now(), now() - interval '2 days' - n % 398 * interval '1 day'
    FROM generate_series(1, ${OLD}) AS n`.execute(db);
}

const planShape = z.array(
  z.object({ 'QUERY PLAN': z.array(z.object({ Plan: z.looseObject({ 'Shared Hit Blocks': z.int() }) })) }),
);

it('reads each sum from its own index, in few blocks, whatever the history is', async () => {
  await database.transaction(async (tx) => {
    await sql`SET LOCAL session_replication_role = replica`.execute(tx);
    await insertHistory(tx);
    await sql`
      INSERT INTO attempts (id, refund_id, payment_id, number, operation, registration_id, destination_key, reference,
        amount_minor, state, currency, requester, entity_id, send_by)
      VALUES (gen_random_uuid(), gen_random_uuid(), 'payment 7', 1, 'credit', 'registration', 'destination', 'new',
        77, 'succeeded', 'EUR', 'anna', 'entity', now())`.execute(tx);
  });
  await sql`ANALYZE attempts`.execute(database.db);

  for (const by of SUMMED_BY) {
    const sum = { by, value: VALUES[by], currency: 'EUR', windowMs: DAY };
    expect(await creditSum(database.db, sum), by).toBe(by === 'payment' ? 677n : 77n);
    const column = {
      payment: 'payment_id',
      destination: 'destination_key',
      requester: 'requester',
      entity: 'entity_id',
    }[by];
    const since = by === 'payment' ? new Date(0) : new Date(Date.now() - DAY);
    const { rows } = await sql`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
      SELECT sum(amount_minor) FROM attempts WHERE ${sql.ref(column)} = ${VALUES[by]} AND operation = 'credit' AND approved = false
        AND currency = 'EUR' AND sent_at > ${since} AND state IN ('submitting', 'unknown', 'pending', 'succeeded')`.execute(
      database.db,
    );
    const [plan] = planShape.parse(rows)[0]?.['QUERY PLAN'] ?? [];
    expect(JSON.stringify(plan)).toMatch(new RegExp(`"attempts(_credits)?_by_${by}"`));
    expect(plan?.Plan['Shared Hit Blocks']).toBeLessThan(30);
  }
});
