/** Which queue carries what. Workers and starters must agree on it. */
import { DEFAULT_TASK_QUEUE } from '../workflows/refund/contract.js';

export interface TaskQueues {
  /** Workflows and everything that moves money. */
  readonly refunds: string;
  /** Queries of all entities. They wait for the gateway and for their turn, and never keep a refund from being sent. */
  readonly queries: string;
}

/** `name` separates deployments that share a namespace. */
export function taskQueues(name: string = DEFAULT_TASK_QUEUE): TaskQueues {
  return { refunds: name, queries: `${name}-look-ups` };
}
