/** Intervals and limits of the sweep and the audit. */
import type { AuditInput, SweepInput } from '../workflows/maintenance/contract.js';

/** Durations in milliseconds. */
export interface MaintenanceSchedule {
  readonly sweepEvery: number;
  readonly sweep: SweepInput;
  readonly auditEvery: number;
  readonly audit: AuditInput;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Returns the intervals times `scale` (`REFUNDS_TIME_SCALE`), with floors: each sweep is a workflow, and shorter intervals would keep a machine busy with sweeps. */
export function maintenanceAt(scale: number): MaintenanceSchedule {
  const scaled = (ms: number, floor: number): number => Math.max(floor, Math.round(ms * scale));
  return {
    sweepEvery: scaled(MINUTE, 5 * SECOND),
    sweep: {
      patience: {
        quiet: scaled(MINUTE, 2 * SECOND),
        // As long as the longest interval between two queries of an attempt.
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
