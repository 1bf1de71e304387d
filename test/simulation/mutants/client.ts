/** Defects in how a client's workflow learns the end of its refund. */
import { CancelledFailure, ParentClosePolicy, proxyActivities, startChild } from '@temporalio/workflow';
import type { ClientActivities } from '../../../activities/pay-back/activities.js';
import { REFUND_WORKFLOW, refundWorkflowId } from '../../../workflows/refund/contract.js';
import type { refund } from '../../../workflows/refund/workflow.js';
import type { Mutant } from '../harness/harness.js';

export const CLIENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'child-failure-is-final',
    defect: 'a child that was ended from outside is taken for a refund that ended unpaid',
    payBack: async (order) => {
      const { acceptRefund } = proxyActivities<ClientActivities>({ startToCloseTimeout: 120_000 });
      const { input } = await acceptRefund(order);
      const child = await startChild<typeof refund>(REFUND_WORKFLOW, {
        args: [input],
        workflowId: refundWorkflowId(input.refundId),
        parentClosePolicy: ParentClosePolicy.ABANDON,
      });
      return child.result().catch(() => {
        throw new CancelledFailure('the refund did not end well');
      });
    },
  },
];
