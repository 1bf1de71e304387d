/** Collects the evidence for the guard of credits, under the payment's lock. */
import { hash } from 'node:crypto';
import type { CreditEvidence } from '../../domain/refund/credit-guard.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import type { Policy } from '../../domain/refund/config.js';
import { destinationId, type Destination } from '../../domain/refund/destination.js';
import { decidedBefore } from '../commands/command-results.js';
import type { LockedRefund } from '../core/locks.js';
import { declineClassOf } from '../core/snapshots.js';
import type { Tx } from '../db/database.js';
import { returnsKnownTo } from '../payments/returns.js';
import { recentCredits } from '../refunds/credit-sums.js';
import type { CreditTarget } from './credit-target.js';

/**
 * Returns the hash that binds an approval to amount, operation and destination. Another amount or destination needs a new approval. So
 * does every change of destination, even back to one that was approved, and every replay, because the credit was declined since.
 */
export function instructionHash(
  refundId: string,
  amountMinor: bigint,
  currency: string,
  destination: Destination | null,
  changes = 0,
  disputedMinor = 0n,
): string {
  const bound = [
    ...['credit', refundId, amountMinor.toString(), currency],
    destination === null ? null : destinationId(destination),
    ...(changes === 0 ? [] : [changes]),
    ...(disputedMinor === 0n ? [] : [`disputed ${disputedMinor}`]),
  ];
  return hash('sha256', JSON.stringify(bound)).slice(0, 32);
}

export async function creditEvidence(
  tx: Tx,
  locked: LockedRefund,
  given: {
    readonly original: OriginalFacts | null;
    readonly policy: Policy;
    readonly amountMinor: bigint;
    readonly target: CreditTarget | null;
    readonly hash: string;
    readonly destinationChanged: boolean;
  },
): Promise<CreditEvidence> {
  const { payment, refund, attempts } = locked;
  const { target } = given;
  const approval = await decidedBefore(tx, refund.id, 'decide', given.hash);
  // Refunds only: a declined reversal says nothing about captured money.
  const refused = attempts
    .filter((attempt) => attempt.state === 'rejected' && attempt.operation === 'refund')
    .at(-1);
  return {
    ...(await returnsKnownTo(tx, locked, given.original)),
    recent: await recentCredits(tx, locked, target?.key ?? null, given.policy),
    ...(refund.asked_for === 'credit' ? { askedFor: 'credit' } : {}),
    amountMinor: given.amountMinor,
    currency: refund.currency,
    isPartial: given.amountMinor < payment.captured_minor,
    refusal: refused === undefined ? null : declineClassOf(refused),
    original: given.original,
    destination: target?.destination ?? null,
    destinationChanged: given.destinationChanged,
    approved: approval?.state === 'approved',
    policy: given.policy,
  };
}
