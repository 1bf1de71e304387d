/** Checks what must hold at every moment on the real tables, and leaves a report. */
import { proxyActivities } from '@temporalio/workflow';
import type { AuditActivities, AuditInput, AuditSummary } from '../../activities/maintenance/audit.js';

const MINUTE = 60_000;

/** Run by a schedule, one at a time. A violation is a finding, not a failure of this workflow. */
export async function audit(input: AuditInput): Promise<AuditSummary> {
  const { auditLedger } = proxyActivities<AuditActivities>({
    startToCloseTimeout: 30 * MINUTE,
    heartbeatTimeout: MINUTE / 6,
    retry: { maximumAttempts: 3 },
  });
  return auditLedger(input);
}
