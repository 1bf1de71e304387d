/** Checks the invariants I1 to I9 on the real tables: with the audit of production, or all at once after each test. */
import { sql, type Kysely } from 'kysely';
import pg from 'pg';
import { auditLedger } from '../../ledger/maintenance/audit.js';
import { CHECKS } from '../../ledger/maintenance/audit-checks.js';
import type { Database, Tables } from '../../ledger/db/database.js';

/** Returns one sentence for each violation, as the audit of production finds them, without its limits. Reads one snapshot. */
export async function violationsOf(database: Kysely<Tables>): Promise<string[]> {
  const { invariants } = await auditLedger(database, { statementTimeout: 60_000, examples: 1_000 });
  return invariants.flatMap(({ invariant, checked, examples }) => [
    ...(checked ? [] : [`${invariant}: not checked`]),
    ...examples.map((what) => `${invariant}: ${what}`),
  ]);
}

export interface QuickAudit {
  /** Returns one sentence for each violation in all tables. Reads one snapshot. */
  violations(): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * Opens a connection that runs all checks of the audit as one prepared statement. Planning the checks again after each test would take
 * most of the time of a ledger test.
 */
export function openQuickAudit(url: string, { db }: Database): QuickAudit {
  const every = CHECKS.map(
    ({ invariant, wrong }) => sql`select ${sql.lit(invariant)} as invariant, what from (${wrong}) as wrong`,
  );
  const { sql: text } = sql`
    select invariant || ': ' || what as violation from (${sql.join(every, sql` union all `)}) as wrong order by violation`.compile(
    db,
  );
  const pool = new pg.Pool({ connectionString: url, max: 1, idleTimeoutMillis: 0 });
  // A test may end all connections of its database: the next audit opens a new one.
  pool.on('error', () => undefined);
  return {
    async violations() {
      const { rows } = await pool.query<{ violation: string }>({ name: 'audit', text });
      return rows.map(({ violation }) => violation);
    },
    close: () => pool.end(),
  };
}
