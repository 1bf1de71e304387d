/** The audit: destroys keys of cards whose time is over, checks payments that have changed and a slice of all others, and stores a report. */
import { auditIncrement, type IncrementLimits } from '../../ledger/maintenance/audit-progress.js';
import { purgeCards } from '../../ledger/cards/purge-cards.js';
import { storeAudit } from '../../ledger/maintenance/audits.js';
import type { Database } from '../../ledger/db/database.js';

/** A history replays with the input that it was started with. */
export type AuditInput = IncrementLimits;

/** Result in the workflow's history; the report itself is in the ledger. */
export interface AuditSummary {
  readonly id: string;
  readonly complete: boolean;
  readonly violations: number;
}

export interface AuditActivities {
  readonly auditLedger: (input: AuditInput) => Promise<AuditSummary>;
}

/** `onViolations`: called for an audit that found violations or could not be completed. */
export function createAuditActivities(
  database: Database,
  onViolations?: (summary: AuditSummary) => void,
): AuditActivities {
  return {
    async auditLedger(input) {
      // Before the audit, which proves that no key of a card outlived its time.
      await purgeCards(database);
      const { id, complete, violations } = await storeAudit(database, await auditIncrement(database, input));
      const summary = { id, complete, violations };
      if (!complete || violations > 0) onViolations?.(summary);
      return summary;
    },
  };
}
