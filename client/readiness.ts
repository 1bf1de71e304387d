/** Readiness checks of a process that accepts refunds, and the entities whose reporting is limited. */
import type { Client } from '@temporalio/client';
import { checkWritable, type Database } from '../ledger/db/database.js';
import { isMigrated } from '../ledger/db/migrate.js';
import { entitiesWithoutV3 } from '../ledger/access/reporting.js';
import { missingSearchAttributes } from '../temporal/search-attributes.js';
import { SEARCH_ATTRIBUTES } from '../workflows/refund/search-attributes.js';

/** Milliseconds that Temporal may take to answer a check. */
const TEMPORAL_WITHIN = 1_500;

/** Milliseconds until search attributes that exist are checked again. */
const KNOWN_FOR = 60_000;

/** Returns a check for each search attribute, so that a failure names it. An unavailable server fails the check `temporal`, not these. */
function attributeChecks(temporal: Client): Record<string, () => Promise<void>> {
  let knownUntil = 0;
  let asking: Promise<readonly string[]> | undefined;
  async function ask(): Promise<readonly string[]> {
    const missing = await temporal
      .withDeadline(Date.now() + TEMPORAL_WITHIN, () => missingSearchAttributes(temporal))
      .catch(() => undefined);
    if (missing?.length === 0) knownUntil = performance.now() + KNOWN_FOR;
    asking = undefined;
    return missing ?? [];
  }
  return Object.fromEntries(
    Object.values(SEARCH_ATTRIBUTES).map(({ name }) => [
      `searchAttribute${name}`,
      async (): Promise<void> => {
        if (performance.now() < knownUntil) return;
        asking ??= ask();
        if ((await asking).includes(name)) throw new Error(`Temporal lacks the search attribute ${name}`);
      },
    ]),
  );
}

export const readinessOf = (database: Database, temporal: Client) => ({
  ...attributeChecks(temporal),
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

/** Returns the entities without v3 reporting. Their refunds work; credits and proofs of absence need an operator. */
export async function reportingOf(database: Database): Promise<Readonly<Record<string, 'v1'>>> {
  const without = await entitiesWithoutV3(database);
  return Object.fromEntries(without.map(({ entityId }) => [entityId, 'v1' as const]));
}
