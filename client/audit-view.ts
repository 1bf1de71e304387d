/** The report of an audit as the API, the console and the command line show it. */
import type { StoredAudit } from '../ledger/maintenance/audits.js';

export interface Audit {
  readonly id: string;
  readonly at: string;
  readonly durationMs: number;
  /** Number of payments that this audit has read: the changed ones, and a part of all. */
  readonly payments: number;
  /** Every payment has been read since this time; null until the first reading of the whole ledger is complete. */
  readonly completeSince: string | null;
  /** True if there is no violation and every check was completed. */
  readonly ok: boolean;
  readonly complete: boolean;
  readonly violations: number;
  readonly invariants: StoredAudit['invariants'];
}

export function auditOf(stored: StoredAudit): Audit {
  const { id, at, durationMs, payments, completeSince, complete, violations, invariants } = stored;
  return {
    id,
    at: at.toISOString(),
    durationMs,
    payments,
    completeSince: completeSince?.toISOString() ?? null,
    ok: complete && violations === 0,
    complete,
    violations,
    invariants,
  };
}
