/** Starts one PostgreSQL and one Temporal server for all tests that need them, on free ports, and stops them at the end of the run. */
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
    /** The run's PostgreSQL, as its superuser. Each test file creates its own database: `freshDatabase`. */
    readonly postgresUrl: string;
    /** Name of a migrated database that serves as the template: a copy takes a quarter of the time of the migrations. */
    readonly migratedDatabase: string;
    /** The run's Temporal server. Tests share the namespace and use task queues and workflow ids of their own. */
    readonly temporal: { readonly address: string; readonly namespace: string };
    /** Path of the workflow bundle that is built once for the run. */
    readonly workflowBundle: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // No test cuts the power, so fsync gains nothing.
  const scratch = await mkdtemp(join(tmpdir(), 'refunds-tests-'));
  const [postgres, temporal, bundle] = await Promise.all([
    startPostgres({ fsync: false }),
    startTemporal(),
    workflowBundleIn(scratch),
  ]);
  // PostgreSQL copies a database only while no client is connected to it, so the tests connect to `postgres` to create theirs.
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
