/** For a caller's own workflow: accept a refund and pay it as a child. */
import {
  CancellationScope,
  CancelledFailure,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  patched,
  proxyActivities,
  sleep,
  startChild,
  workflowInfo,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { AcceptedOrder, CallerActivities, CallerOrder } from '../activities/caller.js';
import type { RefundActivities } from '../activities/refunds.js';
import { isFinal, PUBLIC_STATUS } from '../domain/states.js';
import {
  DEFAULT_TASK_QUEUE,
  gatewayNotice,
  REFUND_WORKFLOW,
  refundWorkflowId,
  SEARCH_ATTRIBUTES,
  type RefundResult,
} from './contract.js';
import type { refund } from './refund.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Runs of before told nobody. */
const TOLD_OF_WITHDRAWAL = 'told-of-withdrawal';

/**
 * Accepts `order` and waits until the refund is final. Failures of acceptance (bad input, over the balance) are `ActivityFailure`s
 * whose cause is an `ApplicationFailure` with the stable code as its `type`; nothing was stored then. The refund goes on when the
 * caller's workflow ends or is terminated; cancelling the caller asks the refund to stop, which it does while nothing has left:
 * then this fails with a cancellation (or answers `canceled` where another run drove the refund),
 * else it answers how the refund ended. Cancelling while the order is being accepted is heard as soon as it is.
 */
export async function payBack(
  order: CallerOrder,
  taskQueue: string = DEFAULT_TASK_QUEUE,
): Promise<RefundResult> {
  const caller = CancellationScope.current();
  if (caller.consideredCancelled) await caller.cancelRequested;
  // What is accepted is reserved and has to be driven to an end: from here on only the refund itself decides about stopping.
  return CancellationScope.nonCancellable(async () => {
    const { acceptRefund, withdraw } = proxyActivities<CallerActivities & Pick<RefundActivities, 'withdraw'>>(
      {
        taskQueue,
        startToCloseTimeout: 2 * MINUTE,
      },
    );
    const accepted = await acceptRefund(order);
    const { refundId } = accepted.input;
    if (caller.consideredCancelled) {
      const { kind } = await withdraw(
        refundId,
        'cancellation',
        'the caller was cancelled before it was started',
        undefined,
        workflowInfo().runId,
      );
      if (kind === 'withdrawn') {
        // A run that another caller has started may wait for a person, who has nothing to decide any more.
        if (patched(TOLD_OF_WITHDRAWAL))
          await getExternalWorkflowHandle(refundWorkflowId(refundId))
            .signal(gatewayNotice)
            .catch(() => undefined);
        throw new CancelledFailure('withdrawn before it was started');
      }
    }
    const stoppable = new CancellationScope();
    try {
      const child = await stoppable.run(() => startRefund(accepted, taskQueue));
      // Not before it has started: a child that is cancelled earlier is never started, and its money would stay reserved.
      caller.cancelRequested.catch(() => {
        stoppable.cancel();
      });
      return await child.result();
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    const elsewhere = getExternalWorkflowHandle(refundWorkflowId(refundId));
    // It may be over already; then there is nothing to stop.
    caller.cancelRequested.catch(() => elsewhere.cancel().catch(() => undefined));
    return untilFinal(refundId, taskQueue);
  });
}

function startRefund({ input, paymentId }: AcceptedOrder, taskQueue: string) {
  return startChild<typeof refund>(REFUND_WORKFLOW, {
    args: [input],
    workflowId: refundWorkflowId(input.refundId),
    taskQueue,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    typedSearchAttributes: [
      { key: SEARCH_ATTRIBUTES.state, value: 'reserved' },
      { key: SEARCH_ATTRIBUTES.needsPerson, value: false },
      { key: SEARCH_ATTRIBUTES.paymentId, value: paymentId },
    ],
  });
}

/**
 * Somebody started the same refund already (a repair, a sweep): its run drives it, we only wait for the fact. Ever more rarely: a refund
 * may wait for a person for weeks, and the history of the caller's workflow has a limit (51,200 events; one question makes 11).
 */
async function untilFinal(refundId: string, taskQueue: string): Promise<RefundResult> {
  const { refundPosition } = proxyActivities<CallerActivities>({
    taskQueue,
    startToCloseTimeout: 2 * MINUTE,
  });
  for (let pause = 1_000; ; pause = Math.min(pause * 2, HOUR)) {
    const { state, why } = await refundPosition(refundId);
    if (isFinal(state)) return { refundId, state, status: PUBLIC_STATUS[state], why };
    await sleep(pause);
  }
}
