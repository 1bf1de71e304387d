/** Task queues that workers and clients agree on. */
import { DEFAULT_TASK_QUEUE } from '../workflows/refund/contract.js';

export interface TaskQueues {
  /** Workflows, and activities that move money or change the ledger only. */
  readonly refunds: string;
  /** Queries of the gateway, for all entities. They wait for the gateway and the query budget, and must not delay a submission. */
  readonly queries: string;
}

/** Returns the task queues of a deployment. `name` separates deployments that share a namespace. */
export function taskQueues(name: string = DEFAULT_TASK_QUEUE): TaskQueues {
  return { refunds: name, queries: `${name}-queries` };
}
