/** Links a gateway transaction, named by an operator, to the attempt of a refund that it fits. */
import { readLink } from '../../domain/refund/link.js';
import type { GatewayEvidence } from '../../domain/refund/correction.js';
import type { RefundConfig } from '../../domain/refund/config.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { isLasting, type GatewayTransaction, type UnavailableReason } from '../../domain/transaction.js';
import type { LinkRefusal, CommandResult, OperatorCommand } from '../../ledger/core/commands.js';
import type { AttemptRecord, RefundRecord } from '../../ledger/core/refund-record.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { fresh } from './fresh.js';
import { queryLinkedToCapture, queryTransaction } from './originals.js';
import { queryOpenAttempt } from './query-outcome.js';
import { recordOf } from './record-of.js';
import { expectationOf, shownBy } from './submit.js';

export interface LinkOrder extends OperatorCommand {
  readonly refundId: string;
  readonly config: RefundConfig;
  readonly gatewayId: string;
}

export interface LinkActivities {
  /** Queries the transaction and records it as the outcome of the attempt that it fits. Changes nothing if it fits none. */
  readonly linkTransaction: (order: LinkOrder) => Promise<CommandResult<'link'>>;
}

export function createLinkActivities(dependencies: Dependencies): LinkActivities {
  const deps = queryingFor('operator', dependencies);
  return { linkTransaction: (order) => linkTransaction(deps, order) };
}

async function linkTransaction(
  deps: Dependencies,
  { refundId, config, gatewayId, ...command }: LinkOrder,
): Promise<CommandResult<'link'>> {
  const { ledger } = deps;
  const refuse = (why: LinkRefusal): Promise<CommandResult<'link'>> =>
    ledger.refuseLink(refundId, command, why);
  const queriedAt = await ledger.clock();
  const refund = await recordOf(deps, refundId);
  if (refund.attempts.length === 0) return refuse('nothing_submitted');
  const answer = await fresh(deps, config.timings, () => queryTransaction(deps, refund.entityId, gatewayId));
  if (answer.kind === 'not_found') return refuse('not_at_gateway');
  if (answer.kind === 'unavailable') return refuse(refusalFor(answer.why));
  const transaction = answer.value;
  const isLinked = await isListedUnderPayment(deps, refund, transaction);
  if (typeof isLinked === 'string') return refuse(isLinked);

  const readings = candidatesOf(refund).map((attempt) => ({
    attempt,
    reading: readLink(transaction, expectationOf({ ...attempt, currency: refund.currency }), isLinked),
  }));
  for (const { attempt, reading } of readings)
    if (reading.kind === 'fits') {
      const { outcome, hasNoReference } = reading;
      return ledger.link(
        {
          ...command,
          attemptId: attempt.id,
          asked: { send: attempt.submissions, at: queriedAt },
          gatewayId,
          outcome,
          hasNoReference,
          gateway:
            outcome.kind === 'rejected' && hasNoReference
              ? await fresh(deps, config.timings, () => queryBeside(deps, refundId, gatewayId))
              : 'none',
          code: transaction.result.code,
          ...shownBy(transaction),
        },
        config.timings,
      );
    }
  const [first] = readings;
  return refuse(first?.reading.kind === 'mismatch' ? first.reading.why : 'nothing_submitted');
}

/**
 * True if the gateway lists a transaction that names no original itself under the payment of the refund. A refusal if the gateway cannot be
 * queried for that.
 */
async function isListedUnderPayment(
  deps: Dependencies,
  refund: RefundRecord,
  { id, referencedId, type }: GatewayTransaction,
): Promise<boolean | LinkRefusal> {
  if (referencedId !== undefined || type === 'credit') return false;
  const { entityId, paymentId } = await deps.ledger.scope(refund.id);
  if (paymentId === null) return false;
  const tree = await deps.gateway.findWithLinked(entityId, paymentId);
  if (tree.kind === 'not_found') return 'gateway_unavailable';
  if (tree.kind === 'unavailable') return refusalFor(tree.why);
  if (tree.value.linked.some((entry) => entry.id === id)) return true;
  const captures = new Set(refund.attempts.map(({ originalId }) => originalId ?? paymentId));
  for (const captureId of captures) {
    if (captureId === paymentId) continue;
    const onCapture = await queryLinkedToCapture(deps, entityId, captureId);
    if (onCapture.kind !== 'found') return refusalFor(onCapture.why);
    if (onCapture.value.some((entry) => entry.id === id)) return true;
  }
  return false;
}

/** Queries the open attempt without the transaction `gatewayId`, which is not assigned to an attempt yet. Records nothing. */
async function queryBeside(
  deps: Dependencies,
  refundId: string,
  gatewayId: string,
): Promise<GatewayEvidence> {
  const attempt = await deps.ledger.queryTarget(refundId);
  if (attempt === null) return 'none';
  const explained = new Set([...attempt.explained, gatewayId]);
  const reading = await queryOpenAttempt(deps, { ...attempt, explained });
  return reading.kind === 'found' ? 'alive' : reading.gateway;
}

const refusalFor = (why: UnavailableReason): LinkRefusal =>
  isLasting(why) ? 'gateway_unreadable' : 'gateway_unavailable';

/** Attempts with an open outcome first, each group from the newest to the oldest. */
function candidatesOf({ attempts }: RefundRecord): readonly AttemptRecord[] {
  const newestFirst = attempts.toReversed();
  return [
    ...newestFirst.filter(({ state }) => isOpenAttempt(state)),
    ...newestFirst.filter(({ state }) => !isOpenAttempt(state)),
  ];
}
