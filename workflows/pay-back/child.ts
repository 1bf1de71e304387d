/** The refund workflow as a child of a client's workflow, and the ledger as the source of its result where the child gives none. */
import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  startChild,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import type { AcceptedRefund } from '../../activities/pay-back/activities.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { isFinal } from '../../domain/refund/states.js';
import {
  gatewayNotification,
  REFUND_WORKFLOW,
  refundWorkflowId,
  resultOf,
  type RefundResult,
} from '../refund/contract.js';
import { initialSearchAttributes } from '../refund/search-attributes.js';
import type { refund } from '../refund/workflow.js';
import type { PayBackActivities } from './activities.js';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** Returns the child's result; undefined if the child did not end by itself, and another run or none drives the refund. */
export async function resultOfChild(
  accepted: AcceptedRefund,
  taskQueue: string,
  client: CancellationScope,
): Promise<RefundResult | undefined> {
  const childScope = new CancellationScope();
  try {
    const child = await childScope.run(() => startRefund(accepted, taskQueue));
    // Only after the start: a child that is canceled earlier is never started, and its money would stay reserved.
    client.cancelRequested.catch(() => {
      childScope.cancel();
    });
    return await child.result();
  } catch {
    return undefined;
  }
}

function startRefund({ input, paymentId }: AcceptedRefund, taskQueue: string) {
  return startChild<typeof refund>(REFUND_WORKFLOW, {
    args: [input],
    workflowId: refundWorkflowId(input.refundId),
    taskQueue,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    typedSearchAttributes: initialSearchAttributes('reserved', paymentId),
  });
}

/**
 * Reads the ledger until the refund is final. Another run drives it then: a repair, the sweep, an operator's replay. The interval grows to an
 * hour, because a refund may wait for an operator for weeks and a history has a limit (51,200 events; one read adds 11).
 */
export async function pollUntilFinal(
  { readSnapshot }: PayBackActivities,
  refundId: string,
  client: CancellationScope,
): Promise<RefundResult> {
  let isCancelSent = false;
  // The client is canceled after this, or was canceled while the child that was asked to stop was ended from elsewhere.
  client.cancelRequested.catch(async () => {
    // Fails if no run is there: the refund has ended, or the sweep will start it again; then it goes on.
    await getExternalWorkflowHandle(refundWorkflowId(refundId))
      .cancel()
      .catch(() => undefined);
    isCancelSent = true;
  });
  let isHurried = false;
  for (let pause = SECOND; ; pause = Math.min(pause * 2, HOUR)) {
    const snapshot = await readSnapshot(refundId);
    if (isFinal(snapshot.state)) {
      // An earlier run of this client may have withdrawn the refund and ended before it signaled the run.
      await signalRun(refundId, snapshot);
      return resultOf(snapshot);
    }
    // Once after the cancellation: the end is near.
    if (await condition(() => isCancelSent && !isHurried, pause)) {
      isHurried = true;
      pause = SECOND / 2;
    }
  }
}

/** Signals the run that drives the refund, if there is one, that the ledger has a later version. */
export async function signalRun(refundId: string, { version }: RefundSnapshot): Promise<void> {
  await getExternalWorkflowHandle(refundWorkflowId(refundId))
    .signal(gatewayNotification, version, 'ledger')
    .catch(() => undefined);
}
