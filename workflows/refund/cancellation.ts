/** Cancellation of the refund workflow: a request to withdraw the refund, decided by the ledger. */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { LedgerActivities } from './activities.js';

export interface Cancellation {
  /** True if the run was canceled and `withdraw` was not called yet. A run is canceled at most once. */
  readonly isRequested: () => boolean;
  /** Withdraws the refund if no money has left and none may have left. Returns the snapshot after that. */
  readonly withdraw: () => Promise<RefundSnapshot>;
  /** True if the refund was withdrawn because of the cancellation. */
  readonly isGranted: () => boolean;
}

/** Must be called in the workflow's root scope, which is the scope that Temporal cancels. */
export function createCancellation(refundId: string, ledger: LedgerActivities): Cancellation {
  const run = CancellationScope.current();
  let isHandled = false;
  let isGranted = false;
  return {
    isRequested: () => run.consideredCancelled && !isHandled,
    async withdraw() {
      isHandled = true;
      const reason = 'the workflow was canceled';
      // A run is canceled once, so the run id identifies the command.
      const commandId = workflowInfo().runId;
      const result = await ledger.withdrawRefund(refundId, 'cancellation', reason, undefined, commandId);
      isGranted = result.kind === 'withdrawn';
      return result.snapshot;
    },
    isGranted: () => isGranted,
  };
}
