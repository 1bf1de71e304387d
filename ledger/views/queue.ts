/** Queue of refunds that wait for an operator, and search by id. Read for operators only. */
import { sql, type Kysely } from 'kysely';
import { isRefundId } from '../../domain/ids.js';
import type { RefundState } from '../../domain/refund/states.js';
import type { Database, Tables } from '../db/database.js';
import type { RefundRecord } from '../core/refund-record.js';
import { readRefunds, rootPaymentOf } from '../core/records.js';

export interface Waiting {
  readonly refund: RefundRecord;
  /** Whole seconds since it began to wait, by the database's clock. */
  readonly ageSeconds: number;
}

export interface WaitingPage {
  readonly items: readonly Waiting[];
  /** Cursor of the next page; null on the last page. */
  readonly next: WaitingPlace | null;
}

/** A cursor in the queue: the time at which the last item began to wait, and its refund id. */
export interface WaitingPlace {
  /** Microseconds since 1970, in digits. */
  readonly since: string;
  readonly id: string;
}

/**
 * Returns a page of the queue, oldest first. A refund waits since it entered one of `states`, since its oldest open case was opened, or
 * since a correction was proposed that a second operator has to confirm.
 */
export async function waitingForOperator(
  { db }: Database,
  states: readonly RefundState[],
  { limit, after }: { readonly limit: number; readonly after?: WaitingPlace },
): Promise<WaitingPage> {
  const rows = await db
    .selectFrom(waiting(db, states))
    .select([
      'id',
      sql<string>`(extract(epoch from since) * 1000000)::bigint::text`.as('since'),
      sql<number>`greatest(0, floor(extract(epoch from now() - since)))::int`.as('age'),
    ])
    .$if(after !== undefined, (query) =>
      query.where(
        sql<boolean>`(since, id) > (timestamptz 'epoch' + ${after?.since}::bigint * interval '1 microsecond', ${after?.id}::uuid)`,
      ),
    )
    .orderBy('waiting.since')
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const shown = rows.slice(0, limit);
  const refunds = await readRefunds(
    db,
    shown.map(({ id }) => id),
  );
  const last = shown.at(-1);
  return {
    items: refunds.map((refund) => ({
      refund,
      ageSeconds: shown.find(({ id }) => id === refund.id)?.age ?? 0,
    })),
    next: rows.length > limit && last !== undefined ? { since: last.since, id: last.id } : null,
  };
}

/** Builds the union of all reasons for waiting. The literals match small partial indexes, so finished refunds are not read. */
const waiting = (db: Kysely<Tables>, states: readonly RefundState[]) =>
  db
    .selectFrom(
      db
        .selectFrom('refunds')
        .select(['id', 'state_since as since'])
        .where(sql<boolean>`state in (${sql.join(states.map((state) => sql.lit(state)))})`)
        .unionAll(
          db
            .selectFrom('cases')
            .select(['refund_id as id', 'opened_at as since'])
            .where('closed_at', 'is', null),
        )
        .unionAll(
          db
            .selectFrom('command_results')
            .select(['refund_id as id', 'at as since'])
            .where(sql<boolean>`state = 'open'`),
        )
        .as('reasons'),
    )
    .select(['id', sql<Date>`min(since)`.as('since')])
    .groupBy('id')
    .as('waiting');

export interface Match {
  readonly kind: 'refund' | 'payment';
  readonly id: string;
  readonly matched:
    'refundId' | 'paymentId' | 'merchantTransactionId' | 'gatewayId' | 'orderId' | 'idempotencyKey';
}

/** Maximum number of matches for each kind of id. */
const MOST_MATCHES = 50;

/** Returns the payments and refunds that have exactly this id, under any of the kinds of ids that clients and operators know. */
export async function searchById({ db }: Database, id: string): Promise<readonly Match[]> {
  const found: Match[] = [];
  const refund = (matched: Match['matched']) => (row: { readonly id: string }) => {
    found.push({ kind: 'refund', id: row.id, matched });
  };
  if (isRefundId(id)) (await refunds(db, 'id', id)).forEach(refund('refundId'));
  const payment = await rootPaymentOf(db, id);
  if (payment !== undefined) found.push({ kind: 'payment', id: payment, matched: 'paymentId' });
  (await attempts(db, 'reference', id)).forEach(refund('merchantTransactionId'));
  (await attempts(db, 'gateway_id', id)).forEach(refund('gatewayId'));
  (await refunds(db, 'order_id', id)).forEach(refund('orderId'));
  (await refunds(db, 'idempotency_key', id)).forEach(refund('idempotencyKey'));
  return found;
}

const refunds = (db: Kysely<Tables>, column: 'id' | 'order_id' | 'idempotency_key', id: string) =>
  db
    .selectFrom('refunds')
    .select('id')
    .where(column, '=', id)
    .orderBy('id', 'desc')
    .limit(MOST_MATCHES)
    .execute();

const attempts = (db: Kysely<Tables>, column: 'reference' | 'gateway_id', id: string) =>
  db.selectFrom('attempts').select('refund_id as id').where(column, '=', id).limit(MOST_MATCHES).execute();
