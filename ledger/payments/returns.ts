/** Which of the returns that the gateway shows on an original the ledger can explain. */
import type { FindingEvidence } from '../../domain/payment/finding.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import { NO_COVERAGE, sumOf } from '../../domain/refund/settlement.js';
import { isOpenAttempt } from '../../domain/refund/states.js';
import type { Tx } from '../db/database.js';
import type { Locked } from '../core/locks.js';
import { claimsOn } from './coverage.js';
import { givenBy } from '../core/amounts.js';
import { GATEWAY_ID } from '../db/expressions.js';

/** What the ledger knows of the returns on a payment: the part of the evidence that a comparison and the guard of a credit share. */
export interface KnownReturns extends Pick<
  FindingEvidence,
  'ownReturns' | 'knownReturns' | 'ourReturns' | 'paidMinor' | 'paidReturns' | 'claimed' | 'openAttempts'
> {
  /** Credits on the payment that succeeded: the gateway links them to nothing. */
  readonly creditedMinor: bigint;
  /** Given back on the payment by any way, and charged back, as the balance has it. */
  readonly givenMinor: bigint;
  readonly disputedMinor: bigint;
}

export async function returnsKnownTo(
  tx: Tx,
  { payment, refund }: Locked,
  original: OriginalFacts | null,
): Promise<KnownReturns> {
  const onPayment = await tx
    .selectFrom('attempts')
    .selectAll()
    .where('payment_id', '=', payment.id)
    .execute();
  // By the order of the records: an observation that is stored with the first refund has the same time as that.
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
  const claims = await claimsOn(tx, payment.id);
  const onRecord = new Set(foreign.map(({ id }) => id));
  const returns = (original?.returns ?? []).map((entry) => ({
    id: entry.id,
    // By the gateway's id as well: it does not always show the reference.
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
      .reduce((sum, attempt) => sum + givenBy(attempt), 0n),
    paidReturns: returns.filter(({ attempt }) => attempt?.state === 'succeeded').map(({ id }) => id),
    claimed: claims.reduce(sumOf, NO_COVERAGE),
    creditedMinor: onPayment
      .filter((attempt) => attempt.way === 'credit' && attempt.state === 'succeeded')
      .reduce((sum, attempt) => sum + attempt.amount_minor, 0n),
    givenMinor: payment.succeeded_minor - payment.returned_minor,
    disputedMinor: payment.disputed_minor,
    openAttempts: onPayment.filter((attempt) => isOpenAttempt(attempt.state)).length,
  };
}
