/** Computes how much of a chargeback was in force at the gateway at a past moment. */
import type { Transaction } from '../../../sandbox/gateway/types.js';

/**
 * Returns the least amount, in hundredths, of a chargeback that was in force when a credit was submitted. The chargeback and a reversal of its
 * reversal count if a query before `seen` must have shown them; a reversal counts if it was executed by `at`. Returns 0 for a chargeback that
 * changed after `seen`: its earlier amount is not stored.
 */
export function stoodThen(
  chargeback: Transaction,
  all: readonly Transaction[],
  seen: number,
  at: number,
): bigint {
  if (chargeback.changedAt > seen) return 0n;
  const reversalsOf = ({ id }: Transaction): readonly Transaction[] =>
    all.filter(
      ({ type, referencedId, state }) => type === 'CR' && referencedId === id && state === 'succeeded',
    );
  const lostAgain = (reversal: Transaction): bigint =>
    reversalsOf(reversal)
      .filter((found) => Math.max(found.changedAt, found.visibleAt) <= seen)
      .reduce((sum, found) => sum + found.amount, 0n);
  return reversalsOf(chargeback)
    .filter((found) => found.changedAt <= at)
    .reduce((left, found) => left - found.amount + lostAgain(found), chargeback.amount);
}
