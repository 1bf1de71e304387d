/** The events of the ledger as they become visible, for whoever wants to be told of changes. */
import { sql } from 'kysely';
import type { RefundState } from '../../domain/refund/states.js';
import type { Database } from '../db/database.js';
import { paymentOf } from '../refunds/free-standing.js';

export interface Change {
  /** The event's number. Numbers are given before they are visible: a lower one may come later. */
  readonly id: bigint;
  readonly at: Date;
  readonly type: string;
  readonly refundId: string | null;
  /** Null where the refund is a credit that is linked to no payment. */
  readonly paymentId: string | null;
  /** Of the refund now, which may be later than the event. */
  readonly state: RefundState | null;
}

/** Those above `after`, and those of `late`, oldest first. */
export async function changesAfter(
  { db }: Database,
  after: bigint,
  { limit, late = [] }: { readonly limit: number; readonly late?: readonly bigint[] },
): Promise<readonly Change[]> {
  const rows = await db
    .selectFrom('events')
    .leftJoin('refunds', 'refunds.id', 'events.refund_id')
    .select([
      'events.id',
      'events.at',
      'events.type',
      'events.refund_id',
      'events.payment_id',
      'refunds.state',
    ])
    .where(
      sql<boolean>`(events.id > ${after.toString()}::bigint or events.id = any (${late.map(String)}::bigint[]))`,
    )
    .orderBy('events.id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: BigInt(row.id),
    at: row.at,
    type: row.type,
    refundId: row.refund_id,
    paymentId: row.refund_id === null ? row.payment_id : paymentOf(row.refund_id, row.payment_id),
    state: row.state,
  }));
}

/** The newest number that is visible; 0 where nothing has happened. */
export async function newestChange({ db }: Database): Promise<bigint> {
  const { newest } = await db
    .selectFrom('events')
    .select(sql<string>`coalesce(max(id), 0)::text`.as('newest'))
    .executeTakeFirstOrThrow();
  return BigInt(newest);
}
