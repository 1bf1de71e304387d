/** Worker profiles: the size of a worker as named data, each number with its reason. */
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

/** Pollers that Temporal's SDK adds and removes with the load. */
const autoscaling = (maximum: number) => ({ type: 'autoscaling', minimum: 1, maximum, initial: 2 }) as const;

export const PROFILES = {
  /** One machine that runs everything: tests and the sandbox. */
  small: {
    // Activities wait for the gateway most of the time, so 50 of them cost little.
    maxConcurrentActivityTaskExecutions: 50,
    // One thread runs workflow code; more workflow tasks only queue.
    maxConcurrentWorkflowTaskExecutions: 20,
    // A cached workflow takes a quarter of a megabyte: 25 MB. A workflow that is not cached is replayed when it continues.
    maxCachedWorkflows: 100,
    // Few tasks at once. Each poller holds an open call to Temporal.
    workflowTaskPollerBehavior: autoscaling(5),
    activityTaskPollerBehavior: autoscaling(5),
  },
  /** A process of its own with 1 GiB of heap. */
  standard: {
    // Activities wait for the gateway most of the time, so there may be many.
    maxConcurrentActivityTaskExecutions: 200,
    // One thread runs workflow code; more than 40 workflow tasks only queue.
    maxConcurrentWorkflowTaskExecutions: 40,
    // A cached workflow takes a quarter of a megabyte: 125 MB of the heap.
    maxCachedWorkflows: 500,
    // Measured with 50 refunds at once: autoscaling cuts the 99th percentile to about a third of that with fixed pollers.
    workflowTaskPollerBehavior: autoscaling(20),
    activityTaskPollerBehavior: autoscaling(20),
  },
} as const satisfies Record<WorkerProfile, Profile>;

/** The worker of gateway queries. The same for every profile and any number of entities. */
export const QUERIES = {
  // A query without budget frees its slot while it waits, so 100 slots are for queries that wait for the gateway.
  maxConcurrentActivityTaskExecutions: 100,
  // The query budget limits the rate, not the polling: 30 to 100 queries a minute for an entity.
  activityTaskPollerBehavior: autoscaling(5),
} as const satisfies Partial<Profile>;
