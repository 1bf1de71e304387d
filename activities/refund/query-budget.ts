/** Queries of the gateway that wait for the entity's budget. */
import { nextStep, type RefundSnapshot } from '../../domain/refund/next-step.js';
import { QueryBudgetSpent } from '../../gateway/errors.js';
import type { Dependencies } from '../dependencies.js';
import type { Task } from './task.js';

/**
 * Runs `work`, which queries the gateway. If the entity's budget is spent, `QueryBudgetSpent` is thrown and Temporal tries again later. Two
 * rules keep that from going on for ever: the first spent budget starts the time after which an operator is asked, and a step that is not due
 * any more is not tried again.
 */
export async function withBudget(
  { ledger }: Dependencies,
  { refundId, config }: Task,
  step: 'credit' | 'query_outcome' | 'query_payment' | 'reconcile',
  work: () => Promise<RefundSnapshot>,
): Promise<RefundSnapshot> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof QueryBudgetSpent)) throw error;
    const snapshot = await ledger.snapshot(refundId);
    if (nextStep(snapshot, config).kind !== step) return snapshot;
    if (snapshot.unread === undefined && (step === 'credit' || step === 'reconcile'))
      await ledger.recordUnreadable(refundId, {
        for: step === 'credit' ? 'credit' : 'compare',
        answer: 'no query was left in the budget of the entity',
        isLasting: false,
      });
    throw error;
  }
}
