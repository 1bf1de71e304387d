/** Appends events. Balances and reservations are sums of events. */
import { sql } from 'kysely';
import type { Tx } from '../db/database.js';

/** An event to append. Amounts are minor units by which the payment's balances change. */
export interface NewEvent {
  /** Natural key of the fact: the same fact twice is one row and changes the balances once. */
  readonly key: string;
  readonly type: string;
  readonly paymentId: string;
  readonly refundId?: string;
  readonly attemptId?: string;
  readonly reserved?: bigint;
  readonly succeeded?: bigint;
  readonly returned?: bigint;
  readonly disputed?: bigint;
  /** The part of `succeeded` or `returned` that was never captured and that a reversal released. */
  readonly released?: bigint;
  readonly fromOutside?: boolean;
  readonly actor?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Appends an event; a trigger updates the balances. Returns false if an event with this key exists. */
export async function append(tx: Tx, event: NewEvent): Promise<boolean> {
  const inserted = await tx
    .insertInto('events')
    .values({
      natural_key: event.key,
      type: event.type,
      payment_id: event.paymentId,
      refund_id: event.refundId ?? null,
      attempt_id: event.attemptId ?? null,
      reserved_delta: event.reserved ?? 0n,
      succeeded_delta: event.succeeded ?? 0n,
      returned_delta: event.returned ?? 0n,
      disputed_delta: event.disputed ?? 0n,
      released_delta: event.released ?? 0n,
      from_outside: event.fromOutside ?? false,
      actor: event.actor ?? 'system',
      data: JSON.stringify(event.data ?? {}),
    })
    .onConflict((conflict) => conflict.column('natural_key').doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

/**
 * Appends a fact that the gateway shows. The key names the gateway's transaction. If another payment has an event with this key, the payment's id
 * is added to the key, so that both payments have the fact.
 */
export async function appendOutside(tx: Tx, event: NewEvent): Promise<boolean> {
  const fact = { ...event, fromOutside: true, actor: 'gateway' };
  if (await append(tx, fact)) return true;
  const holder = await tx
    .selectFrom('events')
    .select('payment_id')
    .where('natural_key', '=', event.key)
    .executeTakeFirst();
  if (holder?.payment_id === event.paymentId) return false;
  return append(tx, { ...fact, key: `${event.key}:${event.paymentId}` });
}

/** Returns the amount that is reserved for a refund: the sum of its events. */
export async function reservedFor(tx: Tx, refundId: string): Promise<bigint> {
  const { held } = await tx
    .selectFrom('events')
    .select(sql<string>`coalesce(sum(reserved_delta), 0)::text`.as('held'))
    .where('refund_id', '=', refundId)
    .executeTakeFirstOrThrow();
  return BigInt(held);
}
