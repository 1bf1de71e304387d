/** Submits a standalone credit, after a fresh query of the original has proven that it is allowed. */
import { elapsed, type Moment } from '../../domain/clock.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { Dependencies } from '../dependencies.js';
import { queryStoredPayment } from './originals.js';
import { recordOwnSuccess, recordUnreadable } from './reconcile.js';
import { submit } from './submit.js';
import { hasPayment, type Task } from './task.js';

export async function submitCredit(deps: Dependencies, task: Task): Promise<RefundSnapshot> {
  const { ledger } = deps;
  const { refundId, config } = task;
  const scope = await ledger.scope(refundId);
  if (!hasPayment(scope)) return openAndSubmit(deps, task, null, deps.now());
  const provenAfter = deps.now();
  const queriedAt = await ledger.clock();
  const original = await queryStoredPayment(deps, { ...scope, eachCapture: true });
  if (original.kind !== 'read') return recordUnreadable(deps, scope, 'credit', original, config);
  // A process that was frozen since the query has proven nothing about the present.
  const isTooOld = (): boolean => elapsed(provenAfter, deps.now()) > config.timings.sendWindow;
  if (isTooOld()) return recordTooLate(deps, refundId);
  const { reconciliation } = await ledger.applyReconciliation(refundId, original.facts, 'before_credit');
  if (reconciliation.kind === 'ours') return recordOwnSuccess(deps, refundId, original, queriedAt);
  const openedAfter = deps.now();
  if (isTooOld()) return recordTooLate(deps, refundId);
  return openAndSubmit(deps, task, original.facts, openedAfter);
}

async function openAndSubmit(
  deps: Dependencies,
  { refundId, config }: Task,
  original: OriginalFacts | null,
  openedAfter: Moment,
): Promise<RefundSnapshot> {
  const opened = await deps.ledger.openCredit(refundId, original, config.timings, config.policy);
  if (opened.kind === 'resume') return opened.snapshot;
  return submit(deps, refundId, opened.order, openedAfter, config.timings);
}

const recordTooLate = ({ ledger }: Dependencies, refundId: string): Promise<RefundSnapshot> =>
  ledger.recordUnreadable(refundId, {
    for: 'credit',
    answer: 'the answer came too late to prove anything',
    isLasting: false,
  });
