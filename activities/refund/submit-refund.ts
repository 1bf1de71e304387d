/** Submits a refund or a reversal on the original. */
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { Dependencies } from '../dependencies.js';
import { queryStoredPayment } from './originals.js';
import { submit } from './submit.js';
import { hasPayment, type Task } from './task.js';

export async function submitRefund(deps: Dependencies, task: Task): Promise<RefundSnapshot> {
  const openedAfter = deps.now();
  const { refundId, config } = task;
  const opened = await deps.ledger.openLinked(refundId, config.timings, config.policy);
  if (opened.kind === 'send') return submit(deps, refundId, opened.order, openedAfter, config.timings);
  return opened.needsQuery === true ? submitAfterQuery(deps, task) : opened.snapshot;
}

/** Queries a payment that the client has only declared, then submits the operation that fits it. */
async function submitAfterQuery(deps: Dependencies, { refundId, config }: Task): Promise<RefundSnapshot> {
  const { ledger } = deps;
  const scope = await ledger.scope(refundId);
  if (!hasPayment(scope)) return ledger.snapshot(refundId);
  const original = await queryStoredPayment(deps, { ...scope, eachCapture: true });
  if (original.kind === 'links_not_shown') return ledger.openCase(refundId, 'links_not_shown');
  if (original.kind !== 'read') {
    const answer = original.kind === 'not_found' ? 'the payment is not found' : original.why;
    return ledger.openCase(refundId, 'original_unreadable', { answer });
  }
  await ledger.recordOriginal(scope.paymentId, original.facts);
  const openedAfter = deps.now();
  const opened = await ledger.openLinked(refundId, config.timings, config.policy);
  return opened.kind === 'send'
    ? submit(deps, refundId, opened.order, openedAfter, config.timings)
    : opened.snapshot;
}
