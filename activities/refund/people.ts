/** What persons do about a refund that needs the gateway's word as well: adopting a transaction, correcting, confirming. */
import { readAdoption } from '../../domain/refund/adoption.js';
import type { CorrectionOutcome, GatewayWord } from '../../domain/refund/correction.js';
import { elapsed } from '../../domain/clock.js';
import type { CaseReason } from '../../domain/payment/finding.js';
import type { Plan } from '../../domain/refund/plan.js';
import { isOpenAttempt } from '../../domain/refund/states.js';
import { isLasting, type GatewayTransaction, type UnavailableReason } from '../../domain/transaction.js';
import { LedgerError } from '../../ledger/ledger.js';
import type { AttemptRecord, RefundRecord } from '../../ledger/core/refund-record.js';
import type {
  AdoptRefusal,
  CommandResult,
  Decision,
  Redirection,
  OperatorCommand,
} from '../../ledger/core/people.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { examine, recordSeen } from './look-up.js';
import { linkedTo, lookUpAlone } from './originals.js';
import { expectationOf } from './send.js';

/** Asking again later may help; Temporal's retry does it. */
export class ProofTooOld extends Error {
  override readonly name = 'ProofTooOld';
}

export interface AdoptOrder extends OperatorCommand {
  readonly refundId: string;
  readonly plan: Plan;
  readonly gatewayId: string;
}

export interface CorrectOrder extends OperatorCommand {
  readonly refundId: string;
  readonly plan: Plan;
  readonly outcome: CorrectionOutcome;
  readonly evidence: string;
  readonly reference?: string;
  readonly case?: CaseReason;
}

export interface ConfirmOrder extends Decision {
  readonly plan: Plan;
}

export interface PeopleActivities {
  /** Looks the transaction up, and records it as what became of the attempt that it fits. Changes nothing where it fits none. */
  readonly adopt: (order: AdoptOrder) => Promise<CommandResult<'adopt'>>;
  /** Looks at the gateway first: what it shows is recorded, and may speak against the correction. */
  readonly correct: (order: CorrectOrder) => Promise<CommandResult<'correct'>>;
  readonly confirm: (order: ConfirmOrder) => Promise<CommandResult<'confirm'>>;
  readonly redirect: (redirection: Redirection) => Promise<CommandResult<'redirect'>>;
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
  async function fresh<T>(plan: Plan, look: () => Promise<T>): Promise<T> {
    const lookedAfter = deps.now();
    const seen = await look();
    if (elapsed(lookedAfter, deps.now()) > plan.timings.sendWindow)
      throw new ProofTooOld('what the gateway showed is too old; it is looked up again');
    return seen;
  }

  /** What the gateway shows of the open attempt now, recorded as every look-up is. */
  const wordOfGateway = (refundId: string, plan: Plan): Promise<GatewayWord> =>
    fresh(plan, async () => {
      const inquiry = await ledger.inquiry(refundId);
      if (inquiry === null) return 'none';
      const seen = await examine(deps, inquiry);
      await recordSeen(deps, inquiry, seen, plan.timings);
      return seen.kind === 'found' ? 'alive' : seen.word;
    });

  /** What the gateway shows of the open attempt beside the transaction that is to be adopted. Not recorded: that one is not placed yet. */
  async function wordBeside(refundId: string, gatewayId: string): Promise<GatewayWord> {
    const inquiry = await ledger.inquiry(refundId);
    if (inquiry === null) return 'none';
    const explained = new Set([...inquiry.explained, gatewayId]);
    const seen = await examine(deps, { ...inquiry, explained });
    return seen.kind === 'found' ? 'alive' : seen.word;
  }

  async function adopt({ refundId, plan, gatewayId, ...word }: AdoptOrder): Promise<CommandResult<'adopt'>> {
    const refused = (why: AdoptRefusal): Promise<CommandResult<'adopt'>> =>
      ledger.refuseAdoption(refundId, word, why);
    const askedAt = await ledger.clock();
    const refund = await recordOf(refundId);
    if (refund.attempts.length === 0) return refused('nothing_sent');
    const seen = await fresh(plan, () => lookUpAlone(deps, refund.entityId, gatewayId));
    if (seen.kind === 'not_found') return refused('not_at_gateway');
    if (seen.kind === 'unavailable') return refused(notRead(seen.why));
    const transaction = seen.value;
    const isLinked = await isLinkedTo(refund, transaction);
    if (typeof isLinked === 'string') return refused(isLinked);

    const candidates = candidatesOf(refund);
    const readings = candidates.map((attempt) => ({
      attempt,
      reading: readAdoption(
        transaction,
        expectationOf(deps, { ...attempt, entityId: refund.entityId, currency: refund.currency }),
        isLinked,
      ),
    }));
    for (const { attempt, reading } of readings)
      if (reading.kind === 'fits') {
        const { outcome, isBare } = reading;
        return ledger.adopt(
          {
            ...word,
            attemptId: attempt.id,
            asked: { send: attempt.sends, at: askedAt },
            gatewayId,
            outcome,
            isBare,
            gateway:
              outcome.kind === 'rejected' && isBare
                ? await fresh(plan, () => wordBeside(refundId, gatewayId))
                : 'none',
            code: transaction.result.code,
            description: transaction.result.description,
          },
          plan.timings,
        );
      }
    const [first] = readings;
    return refused(first?.reading.kind === 'mismatch' ? first.reading.why : 'nothing_sent');
  }

  /** Where it names its original itself, that is compared; else the payment's own list has to have it. A refusal: nobody can tell. */
  async function isLinkedTo(
    refund: RefundRecord,
    { id, referencedId, paymentType }: GatewayTransaction,
  ): Promise<boolean | AdoptRefusal> {
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
    adopt,
    async correct({ plan, ...order }) {
      const gateway = order.outcome === 'case_closed' ? 'none' : await wordOfGateway(order.refundId, plan);
      return ledger.correct({ ...order, gateway }, plan);
    },
    async confirm({ plan, ...decision }) {
      const { proposal } = await recordOf(decision.refundId);
      const needsGateway =
        decision.verdict === 'approved' &&
        proposal?.instruction === decision.instruction &&
        proposal.details.outcome !== 'case_closed';
      const gateway = needsGateway ? await wordOfGateway(decision.refundId, plan) : 'none';
      return ledger.confirm({ ...decision, gateway }, plan.timings);
    },
    redirect: (redirection) => ledger.redirect(redirection),
  };
}

const notRead = (why: UnavailableReason): AdoptRefusal =>
  isLasting(why) ? 'gateway_unreadable' : 'gateway_unavailable';

/** The one whose outcome is open first, then the newest. */
function candidatesOf({ attempts }: RefundRecord): readonly AttemptRecord[] {
  const newestFirst = attempts.toReversed();
  return [
    ...newestFirst.filter(({ state }) => isOpenAttempt(state)),
    ...newestFirst.filter(({ state }) => !isOpenAttempt(state)),
  ];
}
