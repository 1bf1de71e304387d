/** How often refunds are swept and the ledger is audited, and how patient both are. */
import type { AuditInput, SweepInput } from '../workflows/refund/contract.js';

/** How often, and with what. Durations in milliseconds. */
export interface MaintenanceSchedule {
  readonly sweepEvery: number;
  readonly sweep: SweepInput;
  readonly auditEvery: number;
  readonly audit: AuditInput;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** `scale` as `REFUNDS_TIME_SCALE`, with floors: a sweep is a workflow, and a machine that does nothing else sweeps too often. */
export function maintenanceAt(scale: number): MaintenanceSchedule {
  const scaled = (ms: number, floor: number): number => Math.max(floor, Math.round(ms * scale));
  return {
    sweepEvery: scaled(MINUTE, 5 * SECOND),
    sweep: {
      patience: {
        quiet: scaled(MINUTE, 2 * SECOND),
        // As long as the longest pause between two look-ups.
        longest: scaled(HOUR, MINUTE),
        longestInReview: scaled(6 * HOUR, MINUTE),
      },
      page: 500,
      pages: 20,
      queries: 20,
    },
    auditEvery: scaled(HOUR, MINUTE),
    audit: { statementTimeout: 2 * MINUTE, examples: 50, within: 10 * MINUTE },
  };
}
