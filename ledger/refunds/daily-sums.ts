/** Sums of corrections by a single operator within the last day, for the limit above which a second operator confirms. */
import { sql } from 'kysely';
import { principalKey } from '../../domain/names.js';
import type { Tx } from '../db/database.js';
import { serialize, timeBefore } from './credit-sums.js';

/** Milliseconds, by the database's clock. */
const DAY = 24 * 60 * 60 * 1_000;

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
  const since = await timeBefore(tx, DAY);
  const sumOf = async (column: 'payment_id' | 'author', value: string): Promise<bigint> => {
    const { taken } = await tx
      .selectFrom('command_results')
      .select(sql<string>`coalesce(sum(amount_minor), 0)::text`.as('taken'))
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
