/** Checks the invariants I1 to I8 on the real tables with the audit of production, without its limits. */
import type { Kysely } from 'kysely';
import { auditLedger } from '../../ledger/maintenance/audit.js';
import type { Tables } from '../../ledger/db/database.js';

/** Returns one sentence for each violation. Reads one snapshot. */
export async function violationsOf(database: Kysely<Tables>): Promise<string[]> {
  const { invariants } = await auditLedger(database, { statementTimeout: 60_000, examples: 1_000 });
  return invariants.flatMap(({ invariant, checked, examples }) => [
    ...(checked ? [] : [`${invariant}: not checked`]),
    ...examples.map((what) => `${invariant}: ${what}`),
  ]);
}
