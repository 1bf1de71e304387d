/** Classifies the returns that the gateway shows on an original: ours, known, or unexplained. */
import type { ReconciliationEvidence } from '../../domain/payment/reconciliation.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import { NO_COVERAGE, sumOf } from '../../domain/refund/settlement.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import type { Tx } from '../db/database.js';
import type { LockedRefund } from '../core/locks.js';
import { coverageClaimsOn } from './coverage.js';
import { paidBackBy } from '../core/balances.js';
import { GATEWAY_ID } from '../db/expressions.js';

/** The returns on a payment, as the ledger knows them. Shared by the reconciliation and by the guard of the credit. */
export interface KnownReturns extends Pick<
  ReconciliationEvidence,
  'ownReturns' | 'knownReturns' | 'ourReturns' | 'paidMinor' | 'paidReturns' | 'claimed' | 'openAttempts'
> {
  /** Succeeded credits on the payment. The gateway links them to no payment. */
  readonly creditedMinor: bigint;
  /** Paid back on the payment by any operation, and charged back, as its balance has it. */
  readonly paidBackMinor: bigint;
  readonly disputedMinor: bigint;
}

export async function returnsKnownTo(
  tx: Tx,
  { payment, refund }: LockedRefund,
  original: OriginalFacts | null,
): Promise<KnownReturns> {
  const onPayment = await tx
    .selectFrom('attempts')
    .selectAll()
    .where('payment_id', '=', payment.id)
    .execute();
  // By event number and not by time: an observation that is stored with the first refund has the same time as the request.
  const { id: requested } = await tx
    .selectFrom('events')
    .select('id')
    .where('natural_key', '=', `refund:${refund.id}:requested`)
    .executeTakeFirstOrThrow();
  const foreign = await tx
    .selectFrom('events')
    .select(GATEWAY_ID.as('id'))
    .where('payment_id', '=', payment.id)
    .where('type', '=', 'payment.returned_elsewhere')
    .where('id', '<', requested)
    .execute();
  const claims = await coverageClaimsOn(tx, payment.id);
  const onRecord = new Set(foreign.map(({ id }) => id));
  const returns = (original?.returns ?? []).map((entry) => ({
    id: entry.id,
    // By gateway id as well, because the gateway does not always show the reference.
    attempt: onPayment.find(
      (attempt) => attempt.reference === entry.reference || attempt.gateway_id === entry.id,
    ),
  }));
  return {
    ownReturns: returns
      .filter(({ attempt }) => attempt?.refund_id === refund.id && attempt.state !== 'succeeded')
      .map(({ id }) => id),
    knownReturns: returns
      .filter(({ id, attempt }) => attempt !== undefined || onRecord.has(id))
      .map(({ id }) => id),
    ourReturns: returns.filter(({ attempt }) => attempt !== undefined).map(({ id }) => id),
    paidMinor: onPayment
      .filter((attempt) => attempt.state === 'succeeded')
      .reduce((sum, attempt) => sum + paidBackBy(attempt), 0n),
    paidReturns: returns.filter(({ attempt }) => attempt?.state === 'succeeded').map(({ id }) => id),
    claimed: claims.reduce(sumOf, NO_COVERAGE),
    creditedMinor: onPayment
      .filter((attempt) => attempt.operation === 'credit' && attempt.state === 'succeeded')
      .reduce((sum, attempt) => sum + attempt.amount_minor, 0n),
    paidBackMinor: payment.succeeded_minor - payment.returned_minor,
    disputedMinor: payment.disputed_minor,
    openAttempts: onPayment.filter((attempt) => isOpenAttempt(attempt.state)).length,
  };
}
