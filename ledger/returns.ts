/** Which of the returns that the gateway shows on an original the ledger can explain. */
import type { OriginalFacts } from '../domain/original.js';
import { isOpenAttempt } from '../domain/states.js';
import type { Tx } from './database.js';
import type { Locked } from './books.js';

export interface KnownReturns {
  /** References of this refund's attempts, less those known to have succeeded (one capture of several). */
  readonly ownReferences: readonly string[];
  /** Gateway ids of returns that are ours, or were on record before this refund was asked for. */
  readonly knownReturns: readonly string[];
  /** Credits on the payment that succeeded: the gateway links them to nothing. */
  readonly creditedMinor: bigint;
  /** Attempts on the payment, of any refund, whose outcome is open. */
  readonly openAttempts: number;
}

export async function returnsKnownTo(
  tx: Tx,
  { payment, refund, attempts }: Locked,
  original: OriginalFacts,
): Promise<KnownReturns> {
  const onPayment = await tx.selectFrom('attempts').selectAll().where('payment_id', '=', payment.id).execute();
  const foreign = await tx
    .selectFrom('events')
    .select('natural_key')
    .where('payment_id', '=', payment.id)
    .where('type', '=', 'payment.returned_elsewhere')
    .where('at', '<', refund.created_at)
    .execute();
  const ours = new Set(onPayment.map((attempt) => attempt.reference));
  const onRecord = new Set(foreign.map((event) => event.natural_key));
  return {
    ownReferences: attempts.filter((attempt) => attempt.state !== 'succeeded').map((attempt) => attempt.reference),
    knownReturns: original.returns
      .filter(
        (entry) =>
          (entry.reference !== null && ours.has(entry.reference)) ||
          onRecord.has(`gateway:${entry.id}:returned_elsewhere`),
      )
      .map((entry) => entry.id),
    creditedMinor: onPayment
      .filter((attempt) => attempt.way === 'credit' && attempt.state === 'succeeded')
      .reduce((sum, attempt) => sum + attempt.amount_minor, 0n),
    openAttempts: onPayment.filter((attempt) => isOpenAttempt(attempt.state)).length,
  };
}
