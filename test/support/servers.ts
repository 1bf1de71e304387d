/** One PostgreSQL and one Temporal server for all tests that need them, on free ports, gone at the end of the run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../ledger/db/migrate.js';
import { startPostgres } from '../../sandbox/servers/postgres.js';
import { startTemporal } from '../../sandbox/servers/temporal.js';
import { workflowBundleIn } from '../../sandbox/workflow-bundle.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The run's PostgreSQL, as its superuser. Tests take a database of their own: `freshDatabase`. */
    readonly postgresUrl: string;
    /** A database there as the migrations leave it, to be copied: a quarter of the time that they take. */
    readonly migratedDatabase: string;
    /** The run's Temporal server. Tests share the namespace and use task queues and workflow ids of their own. */
    readonly temporal: { readonly address: string; readonly namespace: string };
    /** The workflows' code, bundled once for the run. */
    readonly workflowBundle: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // No test cuts the power, so nothing is gained by waiting for the disk.
  const scratch = await mkdtemp(join(tmpdir(), 'refunds-tests-'));
  const [postgres, temporal, bundle] = await Promise.all([
    startPostgres({ fsync: false }),
    startTemporal(),
    workflowBundleIn(scratch),
  ]);
  // Nobody may be connected to a database while it is copied: whoever creates others connects to PostgreSQL's own.
  await migrate(postgres.url);
  const administration = new URL(postgres.url);
  project.provide('migratedDatabase', administration.pathname.slice(1));
  administration.pathname = '/postgres';
  project.provide('postgresUrl', administration.href);
  project.provide('temporal', { address: temporal.address, namespace: temporal.namespace });
  project.provide('workflowBundle', bundle);
  return async () => {
    await Promise.all([postgres.stop(), temporal.stop(), rm(scratch, { recursive: true, force: true })]);
  };
}
