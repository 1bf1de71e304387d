/** What persons do about a refund that needs the gateway's word as well: adopting a transaction, correcting, confirming. */
import { readLink } from '../../domain/refund/link.js';
import type { CorrectionOutcome, GatewayEvidence } from '../../domain/refund/correction.js';
import { elapsed } from '../../domain/clock.js';
import type { CaseReason } from '../../domain/payment/reconciliation.js';
import type { RefundConfig } from '../../domain/refund/config.js';
import { isOpenAttempt } from '../../domain/refund/states.js';
import { isLasting, type GatewayTransaction, type UnavailableReason } from '../../domain/transaction.js';
import { LedgerError } from '../../ledger/ledger.js';
import type { AttemptRecord, RefundRecord } from '../../ledger/core/refund-record.js';
import type {
  LinkRefusal,
  CommandResult,
  Decision,
  DestinationChange,
  OperatorCommand,
} from '../../ledger/core/commands.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { examine, recordSeen } from './query-outcome.js';
import { linkedTo, queryAlone } from './originals.js';
import { expectationOf } from './send.js';

/** Asking again later may help; Temporal's retry does it. */
export class ProofTooOld extends Error {
  override readonly name = 'ProofTooOld';
}

export interface LinkOrder extends OperatorCommand {
  readonly refundId: string;
  readonly config: RefundConfig;
  readonly gatewayId: string;
}

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

export interface PeopleActivities {
  /** Looks the transaction up, and records it as what became of the attempt that it fits. Changes nothing where it fits none. */
  readonly link: (order: LinkOrder) => Promise<CommandResult<'link'>>;
  /** Looks at the gateway first: what it shows is recorded, and may speak against the correction. */
  readonly correct: (order: CorrectOrder) => Promise<CommandResult<'correct'>>;
  readonly confirm: (order: ConfirmOrder) => Promise<CommandResult<'confirm'>>;
  readonly changeDestination: (
    destinationChange: DestinationChange,
  ) => Promise<CommandResult<'change_destination'>>;
}

export function createPeopleActivities(given: Dependencies): PeopleActivities {
  const deps = queryingFor('operator', given);
  const { ledger } = deps;

  async function recordOf(refundId: string): Promise<RefundRecord> {
    const refund = await ledger.findRefund(refundId);
    if (refund === null) throw new LedgerError('refund_unknown', `refund ${refundId} is not in the ledger`);
    return refund;
  }

  /** Works on what was just seen. A process that was frozen since then knows nothing of now: it looks again. */
  async function fresh<T>(config: RefundConfig, look: () => Promise<T>): Promise<T> {
    const lookedAfter = deps.now();
    const seen = await look();
    if (elapsed(lookedAfter, deps.now()) > config.timings.sendWindow)
      throw new ProofTooOld('what the gateway showed is too old; it is looked up again');
    return seen;
  }

  /** What the gateway shows of the open attempt now, recorded as every look-up is. */
  const gatewayEvidence = (refundId: string, config: RefundConfig): Promise<GatewayEvidence> =>
    fresh(config, async () => {
      const queryTarget = await ledger.queryTarget(refundId);
      if (queryTarget === null) return 'none';
      const seen = await examine(deps, queryTarget);
      await recordSeen(deps, queryTarget, seen, config.timings);
      return seen.kind === 'found' ? 'alive' : seen.note;
    });

  /** What the gateway shows of the open attempt beside the transaction that is to be adopted. Not recorded: that one is not placed yet. */
  async function wordBeside(refundId: string, gatewayId: string): Promise<GatewayEvidence> {
    const queryTarget = await ledger.queryTarget(refundId);
    if (queryTarget === null) return 'none';
    const explained = new Set([...queryTarget.explained, gatewayId]);
    const seen = await examine(deps, { ...queryTarget, explained });
    return seen.kind === 'found' ? 'alive' : seen.note;
  }

  async function link({ refundId, config, gatewayId, ...note }: LinkOrder): Promise<CommandResult<'link'>> {
    const refused = (why: LinkRefusal): Promise<CommandResult<'link'>> =>
      ledger.refuseLink(refundId, note, why);
    const askedAt = await ledger.clock();
    const refund = await recordOf(refundId);
    if (refund.attempts.length === 0) return refused('nothing_sent');
    const seen = await fresh(config, () => queryAlone(deps, refund.entityId, gatewayId));
    if (seen.kind === 'not_found') return refused('not_at_gateway');
    if (seen.kind === 'unavailable') return refused(notRead(seen.why));
    const transaction = seen.value;
    const isLinked = await isLinkedTo(refund, transaction);
    if (typeof isLinked === 'string') return refused(isLinked);

    const candidates = candidatesOf(refund);
    const readings = candidates.map((attempt) => ({
      attempt,
      reading: readLink(
        transaction,
        expectationOf(deps, { ...attempt, entityId: refund.entityId, currency: refund.currency }),
        isLinked,
      ),
    }));
    for (const { attempt, reading } of readings)
      if (reading.kind === 'fits') {
        const { outcome, hasNoReference } = reading;
        return ledger.link(
          {
            ...note,
            attemptId: attempt.id,
            asked: { send: attempt.submissions, at: askedAt },
            gatewayId,
            outcome,
            hasNoReference,
            gateway:
              outcome.kind === 'rejected' && hasNoReference
                ? await fresh(config, () => wordBeside(refundId, gatewayId))
                : 'none',
            code: transaction.result.code,
            description: transaction.result.description,
          },
          config.timings,
        );
      }
    const [first] = readings;
    return refused(first?.reading.kind === 'mismatch' ? first.reading.why : 'nothing_sent');
  }

  /** Where it names its original itself, that is compared; else the payment's own list has to have it. A refusal: nobody can tell. */
  async function isLinkedTo(
    refund: RefundRecord,
    { id, referencedId, paymentType }: GatewayTransaction,
  ): Promise<boolean | LinkRefusal> {
    if (referencedId !== undefined || paymentType === 'CD') return false;
    const { entityId, paymentId } = await ledger.scope(refund.id);
    if (paymentId === null) return false;
    const tree = await deps.gateway.findWithLinked(entityId, paymentId);
    if (tree.kind === 'not_found') return 'gateway_unavailable';
    if (tree.kind === 'unavailable') return notRead(tree.why);
    if (tree.value.linked.some((entry) => entry.id === id)) return true;
    const captures = new Set(refund.attempts.map(({ originalId }) => originalId ?? paymentId));
    for (const captureId of captures) {
      if (captureId === paymentId) continue;
      const onCapture = await linkedTo(deps, entityId, captureId);
      if (onCapture.kind !== 'found') return notRead(onCapture.why);
      if (onCapture.value.some((entry) => entry.id === id)) return true;
    }
    return false;
  }

  return {
    link,
    async correct({ config, ...order }) {
      const gateway =
        order.outcome === 'case_closed' ? 'none' : await gatewayEvidence(order.refundId, config);
      return ledger.correct({ ...order, gateway }, config);
    },
    async confirm({ config, ...decision }) {
      const { proposal } = await recordOf(decision.refundId);
      const needsGateway =
        decision.verdict === 'approved' &&
        proposal?.instruction === decision.instruction &&
        proposal.details.outcome !== 'case_closed';
      const gateway = needsGateway ? await gatewayEvidence(decision.refundId, config) : 'none';
      return ledger.confirm({ ...decision, gateway }, config.timings);
    },
    changeDestination: (destinationChange) => ledger.changeDestination(destinationChange),
  };
}

const notRead = (why: UnavailableReason): LinkRefusal =>
  isLasting(why) ? 'gateway_unreadable' : 'gateway_unavailable';

/** The one whose outcome is open first, then the newest. */
function candidatesOf({ attempts }: RefundRecord): readonly AttemptRecord[] {
  const newestFirst = attempts.toReversed();
  return [
    ...newestFirst.filter(({ state }) => isOpenAttempt(state)),
    ...newestFirst.filter(({ state }) => !isOpenAttempt(state)),
  ];
}
