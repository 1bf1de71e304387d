/** For a caller's own workflow: accept a refund and pay it as a child. */
import { executeChild, ParentClosePolicy, proxyActivities, sleep, WorkflowIdReusePolicy } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { CallerActivities, CallerOrder } from '../activities/caller.js';
import { isFinal, PUBLIC_STATUS } from '../domain/states.js';
import { DEFAULT_TASK_QUEUE, REFUND_WORKFLOW, refundWorkflowId, SEARCH_ATTRIBUTES, type RefundResult } from './contract.js';
import type { refund } from './refund.js';

const MINUTE = 60_000;

/**
 * Accepts `order` and waits until the refund is final. Failures of acceptance (bad input, over the balance) are `ApplicationFailure`s
 * whose `type` is the stable code; nothing was stored then. The refund goes on when the caller's workflow ends or is terminated;
 * cancelling the caller asks the refund to stop, which it does while nothing has left.
 */
export async function payBack(order: CallerOrder, taskQueue: string = DEFAULT_TASK_QUEUE): Promise<RefundResult> {
  const { acceptRefund, refundPosition } = proxyActivities<CallerActivities>({
    taskQueue,
    startToCloseTimeout: 2 * MINUTE,
  });
  const { input, paymentId } = await acceptRefund(order);
  try {
    return await executeChild<typeof refund>(REFUND_WORKFLOW, {
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
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  // Somebody started the same refund already (a repair, a sweep): its run drives it, we only wait for the fact.
  for (let pause = 1_000; ; pause = Math.min(pause * 2, MINUTE)) {
    const position = await refundPosition(input.refundId);
    if (isFinal(position.state))
      return {
        refundId: input.refundId,
        state: position.state,
        status: PUBLIC_STATUS[position.state],
        why: position.why,
      };
    await sleep(pause);
  }
}
