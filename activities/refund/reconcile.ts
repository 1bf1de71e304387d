/** Compares a declined refund with the gateway's records of the original. */
import { idsInFound, outcomeOfFound } from '../../domain/refund/outcome.js';
import { nextStep, type RefundSnapshot } from '../../domain/refund/next-step.js';
import type { RefundConfig } from '../../domain/refund/config.js';
import type { UnreadablePayment } from '../../ledger/core/queries.js';
import type { Dependencies } from '../dependencies.js';
import { queryStoredPayment, type OriginalReading } from './originals.js';
import { expectationOf } from './submit.js';
import { hasPayment, type ScopeOfPayment, type Task } from './task.js';

export async function reconcile(deps: Dependencies, { refundId, config }: Task): Promise<RefundSnapshot> {
  const { ledger } = deps;
  const scope = await ledger.scope(refundId);
  if (!hasPayment(scope)) return ledger.snapshot(refundId);
  const queriedAt = await ledger.clock();
  const original = await queryStoredPayment(deps, { ...scope, eachCapture: true });
  if (original.kind !== 'read') return recordUnreadable(deps, scope, 'compare', original, config);
  const { reconciliation, snapshot } = await ledger.applyReconciliation(refundId, original.facts, 'decide');
  return reconciliation.kind === 'ours' ? recordOwnSuccess(deps, refundId, original, queriedAt) : snapshot;
}

/** Queries the payment of a refund that is in review because its payment could not be read. */
export async function queryPayment(deps: Dependencies, { refundId, config }: Task): Promise<RefundSnapshot> {
  const { ledger } = deps;
  const snapshot = await ledger.snapshot(refundId);
  const scope = await ledger.scope(refundId);
  // If an operator has decided meanwhile, nothing has to be queried.
  if (!hasPayment(scope) || nextStep(snapshot, config).kind !== 'query_payment') return snapshot;
  const original = await queryStoredPayment(deps, { ...scope, eachCapture: true });
  return original.kind === 'read'
    ? ledger.recordReadable(refundId, original.facts)
    : recordUnreadable(deps, scope, 'compare', original, config);
}

/** Records that the payment could not be read. A stored payment that is not found may be the gateway's lag: a case needs several, spaced. */
export async function recordUnreadable(
  { ledger }: Dependencies,
  { refundId, paymentId }: ScopeOfPayment,
  purpose: UnreadablePayment['for'],
  original: Exclude<OriginalReading, { kind: 'read' }>,
  { timings }: RefundConfig,
): Promise<RefundSnapshot> {
  const record = (answer: string, isLasting: boolean): Promise<RefundSnapshot> =>
    ledger.recordUnreadable(refundId, { for: purpose, answer, isLasting });
  switch (original.kind) {
    case 'unavailable':
      return record(original.why, false);
    case 'not_found':
      return record('the payment is not found', await ledger.recordPaymentNotFound(paymentId, timings));
    case 'unreadable':
      return record(original.why, true);
    case 'links_not_shown':
      return ledger.openCase(refundId, 'links_not_shown');
    default:
      return original satisfies never;
  }
}

/** Records the success of a declined attempt that the gateway shows as executed: the decline was about a repetition of it. */
export async function recordOwnSuccess(
  deps: Dependencies,
  refundId: string,
  { tree }: Extract<OriginalReading, { kind: 'read' }>,
  queriedAt: Date,
): Promise<RefundSnapshot> {
  const { ledger } = deps;
  const refund = await ledger.findRefund(refundId);
  for (const attempt of refund?.attempts ?? []) {
    if (refund === null || attempt.state === 'succeeded') continue;
    const expected = expectationOf({ ...attempt, currency: refund.currency });
    const outcome = outcomeOfFound(tree.linked, expected);
    if (outcome.kind === 'succeeded')
      await ledger.record({
        attemptId: attempt.id,
        source: 'query',
        asked: { send: attempt.submissions, at: queriedAt },
        outcome,
        ids: idsInFound(tree.linked, expected),
      });
  }
  const snapshot = await ledger.snapshot(refundId);
  return ['rejected', 'fallback_checking', 'reserved'].includes(snapshot.state)
    ? ledger.openCase(refundId, 'decline_unclear')
    : snapshot;
}
