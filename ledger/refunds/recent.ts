/** What left or was decided within the last day, so that a limit holds for sums and not for each piece. */
import { sql } from 'kysely';
import { personKey } from '../../domain/names.js';
import type { AttemptState } from '../../domain/refund/states.js';
import type { Locked } from '../core/books.js';
import type { Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';

/** Milliseconds, by the database's clock. */
const DAY = 24 * 60 * 60 * 1_000;
/** It left, or it may have. What came back, was declined or is proven absent did not stay out. */
const OUT: readonly AttemptState[] = ['submitting', 'unknown', 'pending', 'succeeded'];

export interface RecentCredits {
  readonly onPaymentMinor: bigint;
  readonly toDestinationMinor: bigint;
  readonly byRequesterMinor: bigint;
}

/**
 * Sums of the credits of the last day that nobody approved, besides what is opened now. Two credits that count for one sum wait for each other here, also where
 * they are of two payments: the later one sees the earlier one. Always after the payment's row and in the same order, so nobody waits in
 * a circle.
 */
export async function recentCredits(
  tx: Tx,
  { payment, refund }: Locked,
  registrationId: string | null,
): Promise<RecentCredits> {
  const requester = personKey(refund.requested_by);
  await serialize(tx, `credits by ${requester}`);
  if (registrationId !== null) await serialize(tx, `credits to ${registrationId}`);
  const since = await dayAgo(tx);
  const sumOf = async (
    column: 'payment_id' | 'requester' | 'registration_id',
    value: string,
  ): Promise<bigint> => {
    const { taken } = await tx
      .selectFrom('attempts')
      .select(SUM.as('taken'))
      .where(column, '=', value)
      .where('way', '=', 'credit')
      .where('approved', '=', false)
      .where('currency', '=', refund.currency)
      .where('sent_at', '>', since)
      .where('state', 'in', OUT)
      .executeTakeFirstOrThrow();
    return BigInt(taken);
  };
  return {
    onPaymentMinor: await sumOf('payment_id', payment.id),
    toDestinationMinor: registrationId === null ? 0n : await sumOf('registration_id', registrationId),
    byRequesterMinor: await sumOf('requester', requester),
  };
}

/** What was corrected alone within the last day: on the payment, or by this person, whichever is more. Serialized as credits are. */
export async function correctedAlone(
  tx: Tx,
  paymentId: string,
  by: string,
  currency: string,
): Promise<bigint> {
  const author = personKey(by);
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
  const byPerson = await sumOf('author', author);
  return onPayment > byPerson ? onPayment : byPerson;
}

const SUM = sql<string>`coalesce(sum(amount_minor), 0)::text`;

/** Until the transaction ends. */
async function serialize(tx: Tx, what: string): Promise<void> {
  await tx
    .selectNoFrom([sql`pg_advisory_xact_lock(hashtextextended(${what}, 0))`.as('locked')])
    .executeTakeFirstOrThrow();
}

async function dayAgo(tx: Tx): Promise<Date> {
  const { now } = await tx.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow();
  return new Date(now.getTime() - DAY);
}
