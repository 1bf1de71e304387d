/** The report of an audit as everybody outside sees it. */
import type { StoredAudit } from '../ledger/maintenance/audits.js';

export interface Audit {
  readonly id: string;
  readonly at: string;
  readonly durationMs: number;
  /** Payments that this audit has read: those that had changed, and a part of all. */
  readonly payments: number;
  /** Every payment was read then or later; null while the first reading of the whole ledger goes on. */
  readonly completeSince: string | null;
  /** Nothing is wrong, and every question was answered. */
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
