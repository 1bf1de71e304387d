/** One PostgreSQL and one Temporal server for all tests that need them, on free ports, gone at the end of the run. */
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../sandbox/servers/postgres.js';
import { startTemporal } from '../../sandbox/servers/temporal.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The run's PostgreSQL, as its superuser. Tests take a database of their own: `freshDatabase()`. */
    readonly postgresUrl: string;
    /** The run's Temporal server. Tests share the namespace and use task queues and workflow ids of their own. */
    readonly temporal: { readonly address: string; readonly namespace: string };
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // No test cuts the power, so nothing is gained by waiting for the disk.
  const [postgres, temporal] = await Promise.all([startPostgres({ fsync: false }), startTemporal()]);
  project.provide('postgresUrl', postgres.url);
  project.provide('temporal', { address: temporal.address, namespace: temporal.namespace });
  return async () => {
    await Promise.all([postgres.stop(), temporal.stop()]);
  };
}
