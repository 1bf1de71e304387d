/** Signed corrections by operators. The gateway is queried first, because its answer may contradict the correction. */
import type { CaseReason } from '../../domain/refund/reasons.js';
import type { CorrectionOutcome, GatewayEvidence } from '../../domain/refund/correction.js';
import type { RefundConfig } from '../../domain/refund/config.js';
import type { CommandResult, Decision, OperatorCommand } from '../../ledger/core/commands.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { fresh } from './fresh.js';
import { queryOpenAttempt, recordReading } from './query-outcome.js';
import { recordOf } from './record-of.js';

export interface CorrectOrder extends OperatorCommand {
  readonly refundId: string;
  readonly config: RefundConfig;
  readonly outcome: CorrectionOutcome;
  readonly evidence: string;
  readonly reference?: string;
  readonly case?: CaseReason;
}

export interface ConfirmOrder extends Decision {
  readonly config: RefundConfig;
}

export interface CorrectionActivities {
  /** Queries the open attempt, records the answer, then makes or proposes the correction. */
  readonly correctRefund: (order: CorrectOrder) => Promise<CommandResult<'correct'>>;
  /** Approves or rejects a proposed correction. Before an approval the open attempt is queried again. */
  readonly confirmCorrection: (order: ConfirmOrder) => Promise<CommandResult<'confirm'>>;
}

export function createCorrectionActivities(dependencies: Dependencies): CorrectionActivities {
  const deps = queryingFor('operator', dependencies);
  const { ledger } = deps;

  /** Queries the open attempt, records the answer like that of every query, and returns it in short. */
  const queryAndRecord = (refundId: string, { timings }: RefundConfig): Promise<GatewayEvidence> =>
    fresh(deps, timings, async () => {
      const attempt = await ledger.queryTarget(refundId);
      if (attempt === null) return 'none';
      const reading = await queryOpenAttempt(deps, attempt);
      await recordReading(deps, attempt, reading, timings);
      return reading.kind === 'found' ? 'alive' : reading.gateway;
    });

  return {
    async correctRefund({ config, ...order }) {
      const gateway = order.outcome === 'case_closed' ? 'none' : await queryAndRecord(order.refundId, config);
      return ledger.correct({ ...order, gateway }, config);
    },
    async confirmCorrection({ config, ...decision }) {
      const { proposal } = await recordOf(deps, decision.refundId);
      const needsGateway =
        decision.verdict === 'approved' &&
        proposal?.instruction === decision.instruction &&
        proposal.details.outcome !== 'case_closed';
      const gateway = needsGateway ? await queryAndRecord(decision.refundId, config) : 'none';
      return ledger.confirm({ ...decision, gateway }, config.timings);
    },
  };
}
