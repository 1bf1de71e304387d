/** What of chargebacks stood at the gateway at a moment in the past. */
import type { Transaction } from '../../../sandbox/gateway/types.js';

/**
 * The least that stood of a chargeback when a credit was sent, in hundredths: it, and a reversal of a reversal, by what a proof must have
 * seen; a reversal by what had been executed. What a chargeback was before it changed is not known any more.
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
