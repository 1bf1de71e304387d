/** Stores audit reports, reads the newest one, and deletes old ones. */
import { sql } from 'kysely';
import type { AuditReport, InvariantReport } from './audit.js';
import type { Database } from '../db/database.js';
import { maintenanceDb } from '../db/maintenance-tables.js';

export interface StoredAudit extends AuditReport {
  readonly id: string;
}

/** Reports kept: about six weeks of hourly audits. */
const KEPT = 1_000;

export async function storeAudit(database: Database, report: AuditReport): Promise<StoredAudit> {
  const { at, durationMs, payments, completeSince, complete, violations, invariants } = report;
  const db = maintenanceDb(database);
  const { id } = await db
    .insertInto('audits')
    .values({
      at,
      duration_ms: durationMs,
      complete,
      payments,
      whole_since: completeSince,
      violations: BigInt(violations),
      report: JSON.stringify(invariants),
    })
    .returning(sql<string>`id::text`.as('id'))
    .executeTakeFirstOrThrow();
  await db
    .deleteFrom('audits')
    .where('id', '<=', BigInt(id) - BigInt(KEPT))
    .execute();
  return { id, ...report };
}

/** Returns the newest report; null before the first audit. */
export async function latestAudit(database: Database): Promise<StoredAudit | null> {
  const row = await maintenanceDb(database)
    .selectFrom('audits')
    .select(['id', 'at', 'duration_ms', 'payments', 'whole_since', 'complete', 'violations'])
    .select(sql<readonly InvariantReport[]>`report`.as('invariants'))
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined
    ? null
    : {
        id: String(row.id),
        at: row.at,
        durationMs: row.duration_ms,
        payments: row.payments,
        completeSince: row.whole_since,
        complete: row.complete,
        violations: Number(row.violations),
        invariants: row.invariants,
      };
}
