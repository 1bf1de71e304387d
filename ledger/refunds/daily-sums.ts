/** Sums of the last 24 hours, for limits: credits without approval, and corrections by a single operator. */
import { sql } from 'kysely';
import { principalKey } from '../../domain/names.js';
import type { AttemptState } from '../../domain/refund/attempt-states.js';
import type { LockedRefund } from '../core/locks.js';
import type { Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';

/** Milliseconds, by the database's clock. */
const DAY = 24 * 60 * 60 * 1_000;
/** States of attempts whose money left or may have left. Returned, declined and absent attempts do not count. */
const OUT: readonly AttemptState[] = ['submitting', 'unknown', 'pending', 'succeeded'];

export interface RecentCredits {
  readonly onPaymentMinor: bigint;
  readonly toDestinationMinor: bigint;
  readonly byRequesterMinor: bigint;
}

/**
 * Returns the sums of unapproved credits of the last day, without the one that is opened now. Minor units.
 *
 * Two credits that count towards the same sum wait for each other here, also on different payments, so the later one sees the earlier
 * one. The locks are taken after the payment's row and always in the same order, so no deadlock is possible.
 */
export async function recentCredits(
  tx: Tx,
  { payment, refund }: LockedRefund,
  registrationId: string | null,
): Promise<RecentCredits> {
  const requester = principalKey(refund.requested_by);
  await serialize(tx, `credits by ${requester}`);
  if (registrationId !== null) await serialize(tx, `credits to ${registrationId}`);
  const since = await dayAgo(tx);
  const sumOf = async (
    column: 'payment_id' | 'requester' | 'destination_key',
    value: string,
  ): Promise<bigint> => {
    const { taken } = await tx
      .selectFrom('attempts')
      .select(SUM.as('taken'))
      .where(column, '=', value)
      .where('operation', '=', 'credit')
      .where('approved', '=', false)
      .where('currency', '=', refund.currency)
      .where('sent_at', '>', since)
      .where('state', 'in', OUT)
      .executeTakeFirstOrThrow();
    return BigInt(taken);
  };
  return {
    onPaymentMinor: await sumOf('payment_id', payment.id),
    toDestinationMinor: registrationId === null ? 0n : await sumOf('destination_key', registrationId),
    byRequesterMinor: await sumOf('requester', requester),
  };
}

/**
 * Returns the sum that a single operator corrected within the last day, on this payment or by this operator, whichever is larger.
 * Serialized like credits.
 */
export async function correctedAlone(
  tx: Tx,
  paymentId: string,
  by: string,
  currency: string,
): Promise<bigint> {
  const author = principalKey(by);
  await serialize(tx, `corrections by ${author}`);
  const since = await dayAgo(tx);
  const sumOf = async (column: 'payment_id' | 'author', value: string): Promise<bigint> => {
    const { taken } = await tx
      .selectFrom('command_results')
      .select(SUM.as('taken'))
      .where(column, '=', value)
      .where('state', '=', 'alone')
      .where('currency', '=', currency)
      .where('at', '>', since)
      .executeTakeFirstOrThrow();
    return BigInt(taken);
  };
  const onPayment = await sumOf('payment_id', paymentId);
  const byOperator = await sumOf('author', author);
  return onPayment > byOperator ? onPayment : byOperator;
}

const SUM = sql<string>`coalesce(sum(amount_minor), 0)::text`;

/** Takes an advisory lock until the transaction ends. */
async function serialize(tx: Tx, what: string): Promise<void> {
  await tx
    .selectNoFrom([sql`pg_advisory_xact_lock(hashtextextended(${what}, 0))`.as('locked')])
    .executeTakeFirstOrThrow();
}

async function dayAgo(tx: Tx): Promise<Date> {
  const { now } = await tx.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow();
  return new Date(now.getTime() - DAY);
}
