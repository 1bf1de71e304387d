/** I1 to I8 read from the real tables: the audit of production, without its limits. */
import type { Kysely } from 'kysely';
import { auditLedger } from '../../ledger/maintenance/audit.js';
import type { Tables } from '../../ledger/db/database.js';

/** One sentence for each thing that is wrong. Reads one snapshot. */
export async function violationsOf(database: Kysely<Tables>): Promise<string[]> {
  const { invariants } = await auditLedger(database, { statementTimeout: 60_000, examples: 1_000 });
  return invariants.flatMap(({ invariant, checked, examples }) => [
    ...(checked ? [] : [`${invariant}: not checked`]),
    ...examples.map((what) => `${invariant}: ${what}`),
  ]);
}
