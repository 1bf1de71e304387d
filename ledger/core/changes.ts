/** Reads the events of the ledger in the order of their numbers, for streams of changes. */
import { sql } from 'kysely';
import type { RefundState } from '../../domain/refund/states.js';
import type { Database } from '../db/database.js';
import { paymentOf } from '../refunds/unlinked-credit.js';

export interface Change {
  /** The event's number. A number is assigned before its transaction commits, so a lower number may become visible later. */
  readonly id: bigint;
  readonly at: Date;
  readonly type: string;
  readonly refundId: string | null;
  /** Null for an unlinked credit. */
  readonly paymentId: string | null;
  /** The refund's current state, which may be newer than the event. */
  readonly state: RefundState | null;
}

/** Returns events with a number above `after` or listed in `late`, oldest first, at most `limit`. */
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

/** Returns the highest visible event number; 0 if there is none. */
export async function newestChange({ db }: Database): Promise<bigint> {
  const { newest } = await db
    .selectFrom('events')
    .select(sql<string>`coalesce(max(id), 0)::text`.as('newest'))
    .executeTakeFirstOrThrow();
  return BigInt(newest);
}
