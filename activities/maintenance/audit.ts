/** The audit as a schedule runs it: payments that changed, a part of all payments, and the report stored. */
import { auditIncrement, type IncrementLimits } from '../../ledger/maintenance/audit-progress.js';
import { storeAudit } from '../../ledger/maintenance/audits.js';
import type { Database } from '../../ledger/db/database.js';

/** A history replays with what it was started with. */
export type AuditInput = IncrementLimits;

/** What the history keeps; the report itself is in the table. */
export interface AuditSummary {
  readonly id: string;
  readonly complete: boolean;
  readonly violations: number;
}

export interface AuditActivities {
  readonly auditLedger: (input: AuditInput) => Promise<AuditSummary>;
}

export function createAuditActivities(
  database: Database,
  onViolations?: (summary: AuditSummary) => void,
): AuditActivities {
  return {
    async auditLedger(input) {
      const { id, complete, violations } = await storeAudit(database, await auditIncrement(database, input));
      const summary = { id, complete, violations };
      if (!complete || violations > 0) onViolations?.(summary);
      return summary;
    },
  };
}
