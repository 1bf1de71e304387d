/** Sums of credits without an approval, for the limits that a split credit must not evade. */
import { sql, type Kysely } from 'kysely';
import { principalKey } from '../../domain/names.js';
import type { AttemptState } from '../../domain/refund/attempt-states.js';
import type { Policy } from '../../domain/refund/config.js';
import { limitsOf, windowOf, type CreditSums, type SummedBy } from '../../domain/refund/credit-limits.js';
import type { LockedRefund } from '../core/locks.js';
import type { Tables, Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';

/** States of attempts whose money left or may have left. Returned, declined and absent attempts do not count. */
const OUT: readonly AttemptState[] = ['submitting', 'unknown', 'pending', 'succeeded'];
/** The sum of a payment has no window: an amount that is split over weeks is above the limit as well. */
const EVER = new Date(0);

/** The column of `attempts` with an index for each sum. */
const COLUMNS = {
  payment: 'payment_id',
  destination: 'destination_key',
  requester: 'requester',
  entity: 'entity_id',
} as const satisfies Record<SummedBy, string>;

/**
 * Returns the sums that count towards the limits, without the credit that is opened now.
 *
 * Two credits that count towards the same sum wait for each other here, also on different payments, so the later one sees the earlier
 * one. The locks are taken after the payment's row and always in the same order, so no deadlock is possible. An entity without a limit is
 * not locked: its credits do not wait for each other.
 */
export async function recentCredits(
  tx: Tx,
  { payment, refund }: LockedRefund,
  destinationKey: string | null,
  policy: Policy,
): Promise<CreditSums> {
  const requester = principalKey(refund.requested_by);
  const { entity_id: entityId } = payment;
  const { currency } = refund;
  const isEntityLimited = limitsOf(policy, currency)?.entity !== undefined;
  await serialize(tx, `credits by ${requester}`);
  if (destinationKey !== null) await serialize(tx, `credits to ${destinationKey}`);
  if (isEntityLimited) await serialize(tx, `credits of ${entityId}`);
  const sumOf = (by: SummedBy, value: string): Promise<bigint> =>
    creditSum(tx, { by, value, currency, windowMs: windowOf(policy) });
  return {
    payment: await sumOf('payment', payment.id),
    destination: destinationKey === null ? 0n : await sumOf('destination', destinationKey),
    requester: await sumOf('requester', requester),
    entity: isEntityLimited ? await sumOf('entity', entityId) : 0n,
  };
}

/** Returns one sum in minor units. `value` is normalized: a requester by `principalKey`, a destination as `attempts.destination_key`. */
export async function creditSum(
  db: Kysely<Tables>,
  sum: {
    readonly by: SummedBy;
    readonly value: string;
    readonly currency: string;
    readonly windowMs: number;
  },
): Promise<bigint> {
  const { taken } = await db
    .selectFrom('attempts')
    .select(sql<string>`coalesce(sum(amount_minor), 0)::text`.as('taken'))
    .where(COLUMNS[sum.by], '=', sum.value)
    .where('operation', '=', 'credit')
    .where('approved', '=', false)
    .where('currency', '=', sum.currency)
    .where('sent_at', '>', sum.by === 'payment' ? EVER : await timeBefore(db, sum.windowMs))
    .where('state', 'in', OUT)
    .executeTakeFirstOrThrow();
  return BigInt(taken);
}

/** Takes an advisory lock until the transaction ends. */
export async function serialize(tx: Tx, what: string): Promise<void> {
  await tx
    .selectNoFrom([sql`pg_advisory_xact_lock(hashtextextended(${what}, 0))`.as('locked')])
    .executeTakeFirstOrThrow();
}

/** Returns the time this many milliseconds ago, by the database's clock. */
export async function timeBefore(db: Kysely<Tables>, ms: number): Promise<Date> {
  const { now } = await db.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow();
  return new Date(now.getTime() - ms);
}
