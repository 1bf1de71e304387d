/** How big a worker is, as named data: each number with its reason. */
import type { WorkerOptions } from '@temporalio/worker';
import type { WorkerProfile } from '../settings/settings.js';

export type Profile = Pick<
  WorkerOptions,
  | 'maxConcurrentActivityTaskExecutions'
  | 'maxConcurrentWorkflowTaskExecutions'
  | 'maxCachedWorkflows'
  | 'workflowTaskPollerBehavior'
  | 'activityTaskPollerBehavior'
>;

const polling = (maximum: number) => ({ type: 'autoscaling', minimum: 1, maximum, initial: 2 }) as const;

export const PROFILES = {
  /** One machine with everything on it: tests and the sandbox. A parked workflow costs a quarter of a megabyte. */
  small: {
    maxConcurrentActivityTaskExecutions: 50,
    maxConcurrentWorkflowTaskExecutions: 20,
    maxCachedWorkflows: 100,
    workflowTaskPollerBehavior: polling(5),
    activityTaskPollerBehavior: polling(5),
  },
  /**
   * A process of its own with 1 GiB of heap. Activities mostly wait for the gateway, so there may be many; one thread runs
   * workflow code, so more than 40 workflow tasks at a time only queue. Autoscaling pollers cut the 99th percentile at 50
   * refunds at once to about a third of that with fixed pollers.
   */
  standard: {
    maxConcurrentActivityTaskExecutions: 200,
    maxConcurrentWorkflowTaskExecutions: 40,
    maxCachedWorkflows: 500,
    workflowTaskPollerBehavior: polling(20),
    activityTaskPollerBehavior: polling(20),
  },
} as const satisfies Record<WorkerProfile, Profile>;

/** Queries of all entities, whatever their number: a query gives its slot back while it waits for its turn in the budget. */
export const QUERIES = {
  maxConcurrentActivityTaskExecutions: 100,
  activityTaskPollerBehavior: polling(5),
} as const satisfies Partial<Profile>;
