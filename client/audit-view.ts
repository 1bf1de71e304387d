/** The report of an audit as everybody outside sees it. */
import type { StoredAudit } from '../ledger/audits.js';

export interface Audit {
  readonly id: string;
  readonly at: string;
  readonly durationMs: number;
  /** Nothing is wrong, and every question was answered. */
  readonly ok: boolean;
  readonly complete: boolean;
  readonly violations: number;
  readonly invariants: StoredAudit['invariants'];
}

export function auditOf({ id, at, durationMs, complete, violations, invariants }: StoredAudit): Audit {
  return {
    id,
    at: at.toISOString(),
    durationMs,
    ok: complete && violations === 0,
    complete,
    violations,
    invariants,
  };
}
