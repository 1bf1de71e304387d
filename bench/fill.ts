/** Fills a ledger with completed refunds by copying rows in PostgreSQL, for measurements on a large ledger. */
import { sql } from 'kysely';
import { isGatewayId } from '../domain/ids.js';
import { storedMoney } from '../domain/money/money.js';
import { DEFAULT_POLICY, DEFAULT_TIMINGS } from '../domain/refund/config.js';
import type { Database } from '../ledger/db/database.js';
import { createLedger } from '../ledger/postgres.js';

/** The tables with rows of a refund that succeeded at once, each before the tables that refer to it. */
const TABLES = ['payments', 'captures', 'refunds', 'attempts', 'events'] as const;
const BATCH = 20_000;

const hex = (digit: string): string => digit.repeat(32);

/** Creates one refund with the ledger's own functions, then `count` copies of its rows, numbered from `first`, with new ids. */
export async function fill(
  database: Database,
  { first = 1, count, onProgress }: { first?: number; count: number; onProgress?: (done: number) => void },
): Promise<void> {
  const template = await oneRefund(database);
  for (let from = first; from < first + count; from += BATCH) {
    const to = Math.min(from + BATCH, first + count) - 1;
    await database.db.connection().execute(async (db) => {
      // Without triggers: the copied payments already have their balances.
      await sql`set session_replication_role = replica; set statement_timeout = 0`.execute(db);
      try {
        for (const table of TABLES) await copy(db, table, template, from, to);
      } finally {
        await sql`reset session_replication_role; reset statement_timeout`.execute(db);
      }
    });
    onProgress?.(to - first + 1);
  }
  for (const table of TABLES) await sql`analyze ${sql.table(table)}`.execute(database.db);
}

interface Template {
  readonly paymentId: string;
  readonly refundId: string;
  readonly attemptId: string;
  readonly reference: string;
  readonly gatewayId: string;
  readonly key: string;
}

async function oneRefund(database: Database): Promise<Template> {
  const ledger = createLedger(database);
  const [paymentId, gatewayId, key] = [hex('a'), hex('b'), 'template-key'];
  if (!isGatewayId(gatewayId)) throw new Error(gatewayId);
  const { refund } = await ledger.accept(
    {
      ...{ clientId: 'bench', idempotencyKey: key, requestedBy: 'bench' },
      request: {
        paymentId,
        money: storedMoney(1_000n, 'EUR'),
        reason: 'goods_returned',
        payment: { type: 'debit', money: storedMoney(1_000n, 'EUR') },
      },
    },
    { entityId: hex('e'), facts: null },
  );
  const known = await database.db
    .selectFrom('attempts')
    .selectAll()
    .where('refund_id', '=', refund.id)
    .executeTakeFirst();
  if (known === undefined) {
    const opened = await ledger.openLinked(refund.id, DEFAULT_TIMINGS, DEFAULT_POLICY);
    if (opened.kind !== 'send') throw new Error('the ledger opened no attempt');
    const { attemptId, send } = opened.order;
    const outcome = { kind: 'succeeded', gatewayId, flagged: false } as const;
    await ledger.record({
      attemptId,
      send,
      source: 'answer',
      outcome,
      code: '000.000.000',
      description: 'ok',
    });
  }
  const { id: attemptId, reference } = await database.db
    .selectFrom('attempts')
    .select(['id', 'reference'])
    .where('refund_id', '=', refund.id)
    .executeTakeFirstOrThrow();
  return { paymentId, refundId: refund.id, attemptId, reference, gatewayId, key };
}

/** Copies the template's rows of one table, with each id replaced by one that is derived from the copy's number. */
async function copy(
  db: Database['db'],
  table: (typeof TABLES)[number],
  { paymentId, refundId, attemptId, reference, gatewayId, key }: Template,
  from: number,
  to: number,
): Promise<void> {
  const { rows: columns } = await sql<{ readonly name: string }>`
    select column_name as name from information_schema.columns
    where table_schema = current_schema() and table_name = ${table}
      and is_generated = 'NEVER' and is_identity = 'NO'`.execute(db);
  const names = sql.join(columns.map(({ name }) => sql.ref(name)));
  const copied = sql.join(columns.map(({ name }) => sql`copy.${sql.ref(name)}`));
  const owner = sql.ref(table === 'payments' ? 'id' : 'payment_id');
  await sql`
    with row as materialized (select * from ${sql.table(table)} where ${owner} = ${paymentId})
    insert into ${sql.table(table)} (${names})
    select ${copied}
    from generate_series(${from}::int, ${to}::int) as n,
      row,
      lateral jsonb_populate_record(null::${sql.table(table)},
        replace(replace(replace(replace(replace(replace(to_jsonb(row)::text,
          ${paymentId}::text, md5('payment' || n)),
          ${refundId}::text, md5('refund' || n)::uuid::text),
          ${attemptId}::text, md5('attempt' || n)::uuid::text),
          ${reference}::text, upper(substr(md5('reference' || n), 1, 16))),
          ${gatewayId}::text, md5('gateway' || n)),
          ${key}::text, 'key-' || n)::jsonb) as copy`.execute(db);
}
