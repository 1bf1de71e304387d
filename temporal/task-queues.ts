/** Which queue carries what. Workers and starters must agree on it. */
import { DEFAULT_TASK_QUEUE } from '../workflows/contract.js';

export interface TaskQueues {
  /** Workflows and everything that moves money. */
  readonly refunds: string;
  /** Look-ups of one entity: the gateway throttles them, so each entity's queue has a rate of its own. */
  readonly lookUps: (entityId: string) => string;
}

/** `name` separates deployments that share a namespace. */
export function taskQueues(name: string = DEFAULT_TASK_QUEUE): TaskQueues {
  return { refunds: name, lookUps: (entityId) => `${name}-look-ups-${entityId}` };
}
