/** What a process that accepts refunds needs: each as a check that fails while it is away; and what works in part only. */
import type { Client } from '@temporalio/client';
import { checkWritable, type Database } from '../ledger/database.js';
import { isMigrated } from '../ledger/migrate.js';
import { entitiesWithoutV3 } from '../ledger/reporting.js';

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

/** By entity, where the account has no v3 reporting: refunds work; credits and proofs of absence go to a person. */
export async function reportingOf(database: Database): Promise<Readonly<Record<string, 'v1'>>> {
  const without = await entitiesWithoutV3(database);
  return Object.fromEntries(without.map(({ entityId }) => [entityId, 'v1' as const]));
}
