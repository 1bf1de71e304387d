/** Withdraws a refund, after reading at the gateway what the customer may have received meanwhile. */
import { idsInFound, outcomeOfFound } from '../../domain/refund/outcome.js';
import { isFinal } from '../../domain/refund/states.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import type { GatewayTransaction } from '../../domain/transaction.js';
import { QueryBudgetSpent } from '../../gateway/errors.js';
import type { CommandResult, ReturnProof } from '../../ledger/core/commands.js';
import type { AttemptRecord, RefundRecord } from '../../ledger/core/refund-record.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { queryAttempt, queryStoredPayment } from './originals.js';
import { expectationOf } from './submit.js';

/** Milliseconds for all queries of the payment, and for those of one attempt. Less than the activity may take: an operator waits for the answer. */
const PAYMENT_WITHIN = 8_000;
const ATTEMPT_WITHIN = 10_000;

export async function withdrawRefund(
  deps: Dependencies,
  refundId: string,
  by: string,
  reason: string,
  ticket?: string,
  commandId?: string,
): Promise<CommandResult<'withdraw'>> {
  const urgent = queryingFor('operator', deps);
  await updatePayment(urgent, refundId);
  const stillReturned = await queryReturnedAttempts(urgent, refundId);
  return deps.ledger.withdraw(refundId, by, reason, ticket, commandId, stillReturned);
}

/**
 * Brings the payment of a declined refund up to date, so that money the customer has from outside counts when the refund ends. Does nothing
 * if nothing was submitted or the gateway cannot be queried now: later observations are booked later.
 */
async function updatePayment(deps: Dependencies, refundId: string): Promise<void> {
  const refund = await deps.ledger.findRefund(refundId);
  if (refund === null || isFinal(refund.state) || refund.attempts.length === 0) return;
  if (refund.attempts.some(({ state }) => isOpenAttempt(state))) return;
  await Promise.race([queryAndRecordPayment(deps, refundId), deps.pause(PAYMENT_WITHIN)]);
}

async function queryAndRecordPayment(deps: Dependencies, refundId: string): Promise<void> {
  const { paymentId, ...scope } = await deps.ledger.scope(refundId);
  if (paymentId === null) return;
  try {
    const original = await queryStoredPayment(deps, { ...scope, paymentId, eachCapture: true });
    if (original.kind === 'read') await deps.ledger.recordOriginal(paymentId, original.facts);
  } catch (error) {
    if (!(error instanceof QueryBudgetSpent)) throw error;
  }
}

/** Queries every attempt whose money was returned, records the answers, and returns the attempts that the gateway still shows declined. */
async function queryReturnedAttempts(deps: Dependencies, refundId: string): Promise<readonly ReturnProof[]> {
  const refund = await deps.ledger.findRefund(refundId);
  const stillReturned: ReturnProof[] = [];
  if (refund === null) return stillReturned;
  for (const attempt of refund.attempts) {
    if (attempt.state !== 'returned') continue;
    const at = await deps.ledger.clock();
    if (await isStillReturned(deps, refund, attempt, at)) stillReturned.push({ attemptId: attempt.id, at });
  }
  return stillReturned;
}

async function isStillReturned(
  deps: Dependencies,
  { entityId, currency }: RefundRecord,
  attempt: AttemptRecord,
  at: Date,
): Promise<boolean> {
  const found = await Promise.race([
    queryWithinBudget(deps, entityId, attempt),
    deps.pause(ATTEMPT_WITHIN).then(() => []),
  ]);
  const expected = expectationOf({ ...attempt, currency });
  const outcome = outcomeOfFound(found, expected);
  if (outcome.kind === 'no_match') return false;
  const entry = found[0];
  await deps.ledger.record({
    attemptId: attempt.id,
    source: 'query',
    asked: { send: attempt.submissions, at },
    outcome,
    ids: idsInFound(found, expected),
    ...(entry === undefined ? {} : { code: entry.result.code, description: entry.result.description }),
  });
  return outcome.kind === 'rejected';
}

/** Empty if the gateway shows nothing or cannot be queried: an operator gets an answer at once. */
async function queryWithinBudget(
  deps: Dependencies,
  entityId: string,
  attempt: AttemptRecord,
): Promise<readonly GatewayTransaction[]> {
  try {
    const found = await queryAttempt(deps, entityId, attempt);
    return found.kind === 'found' ? found.value : [];
  } catch (error) {
    if (error instanceof QueryBudgetSpent) return [];
    throw error;
  }
}
