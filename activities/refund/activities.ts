/** Activities of the refund workflow. Each reads the ledger first, so it may run any number of times. */
import type { CaseReason, GiveUpReason } from '../../domain/refund/reasons.js';
import { nextStep, type RefundSnapshot } from '../../domain/refund/next-step.js';
import type {
  CommandResult,
  Decision,
  OperatorCommand,
  DestinationChange,
} from '../../ledger/core/commands.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { createCorrectionActivities, type CorrectionActivities } from './corrections.js';
import { createLinkActivities, type LinkActivities } from './link-transaction.js';
import { withBudget } from './query-budget.js';
import { queryOutcome } from './query-outcome.js';
import { queryPayment, reconcile } from './reconcile.js';
import { submitCredit } from './submit-credit.js';
import { submitRefund } from './submit-refund.js';
import type { Task } from './task.js';
import { withdrawRefund } from './withdraw-refund.js';

export type { CommandResult };

/** A query that an operator asked for has a note, which is stored. */
export interface QueryTask extends Task {
  readonly note?: OperatorCommand;
}

export interface RefundActivities extends LinkActivities, CorrectionActivities {
  /** Submits a refund, or a reversal where nothing is captured. A second call resumes what the first one did. */
  readonly submitRefund: (task: Task) => Promise<RefundSnapshot>;
  /** Submits a credit after proving that it is allowed, or records why it is not. */
  readonly submitCredit: (task: Task) => Promise<RefundSnapshot>;
  /** Queries the gateway for the open attempt and records its outcome. */
  readonly queryOutcome: (task: QueryTask) => Promise<RefundSnapshot>;
  /** Compares a declined refund with the gateway's records of the original, and carries out what follows. */
  readonly reconcile: (task: Task) => Promise<RefundSnapshot>;
  /** Queries the payment of a refund that is in review because its payment could not be read. If it can be read now, the refund goes on. */
  readonly queryPayment: (task: Task) => Promise<RefundSnapshot>;
  /** Moves the refund to review with `why`. */
  readonly openCase: (refundId: string, why: CaseReason) => Promise<RefundSnapshot>;
  /** Ends the refund as failed and releases its reservation. */
  readonly failRefund: (refundId: string, why: GiveUpReason) => Promise<RefundSnapshot>;
  /** Ends the refund as canceled, if no money has left and none may have left. `ticket` and `commandId` are optional. */
  readonly withdrawRefund: (
    refundId: string,
    by: string,
    reason: string,
    ticket?: string,
    commandId?: string,
  ) => Promise<CommandResult<'withdraw'>>;
  /** Approves or rejects the credit that waits for approval. */
  readonly decideApproval: (decision: Decision) => Promise<CommandResult<'decide'>>;
  readonly changeDestination: (change: DestinationChange) => Promise<CommandResult<'change_destination'>>;
  readonly readSnapshot: (refundId: string) => Promise<RefundSnapshot>;
}

export function createRefundActivities(deps: Dependencies): RefundActivities {
  const { ledger } = deps;
  /** Money waits for these queries: they go before those for a refund that is only pending. */
  const urgent = queryingFor('doubt', deps);

  return {
    submitRefund: (task) => submitRefund(urgent, task),
    submitCredit: (task) => withBudget(deps, task, 'credit', () => submitCredit(urgent, task)),
    reconcile: (task) => withBudget(deps, task, 'reconcile', () => reconcile(urgent, task)),
    queryPayment: (task) => withBudget(deps, task, 'query_payment', () => queryPayment(urgent, task)),
    async queryOutcome({ refundId, config, note }) {
      if (note !== undefined) await ledger.note(refundId, 'sync', note);
      const query = (): Promise<RefundSnapshot> =>
        queryOutcome(deps, refundId, config.timings, note !== undefined);
      // Without the budget, an operator gets an error at once; the workflow tries again later.
      const snapshot = await (note === undefined
        ? withBudget(deps, { refundId, config }, 'query_outcome', query)
        : query());
      // An operator does not wait until the payment is due to be queried.
      return nextStep(snapshot, config).kind === 'query_payment'
        ? queryPayment(urgent, { refundId, config })
        : snapshot;
    },
    openCase: (refundId, why) => ledger.openCase(refundId, why),
    failRefund: (refundId, why) => ledger.giveUp(refundId, why, 'system'),
    withdrawRefund: (...args) => withdrawRefund(deps, ...args),
    decideApproval: (decision) => ledger.decide(decision),
    changeDestination: (change) => ledger.changeDestination(change),
    readSnapshot: (refundId) => ledger.snapshot(refundId),
    ...createLinkActivities(deps),
    ...createCorrectionActivities(deps),
  };
}
