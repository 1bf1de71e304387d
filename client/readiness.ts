/** What a process that accepts refunds needs: each as a check that fails while it is away. */
import type { Client } from '@temporalio/client';
import { checkWritable, type Database } from '../ledger/database.js';
import { isMigrated } from '../ledger/migrate.js';

/** Milliseconds. */
const TEMPORAL_WITHIN = 1_500;

export const readinessOf = (database: Database, temporal: Client) => ({
  database: () => checkWritable(database),
  migrations: async (): Promise<void> => {
    if (!(await isMigrated(database))) throw new Error('the schema is older than this version');
  },
  temporal: async (): Promise<void> => {
    await temporal.withDeadline(Date.now() + TEMPORAL_WITHIN, () =>
      temporal.workflowService.describeNamespace({ namespace: temporal.options.namespace }),
    );
  },
});
