/** The audit: checks the ledger's invariants on the real tables and stores a report. */
import { proxyActivities } from '@temporalio/workflow';
import type { AuditActivities } from '../../activities/maintenance/audit.js';
import type { AuditInput, AuditSummary } from './contract.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Run by a schedule, one at a time. A violation is part of the report and does not fail the workflow. */
export async function audit(input: AuditInput): Promise<AuditSummary> {
  const { auditLedger } = proxyActivities<AuditActivities>({
    startToCloseTimeout: 30 * MINUTE,
    heartbeatTimeout: 10 * SECOND,
    retry: { maximumAttempts: 3 },
  });
  return auditLedger(input);
}
