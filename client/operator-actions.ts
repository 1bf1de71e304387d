/** Lists the actions on one refund for one operator: whether each is allowed now, why not, and its effect on the money. */
import { mayCorrectAlone } from '../domain/refund/correction.js';
import { STAY_OPEN } from '../domain/refund/reasons.js';
import { isSameOperator } from '../domain/refund/operator-note.js';
import type { Policy } from '../domain/refund/config.js';
import { isReplayable } from '../domain/refund/replay.js';
import { mayAct, type Principal, type Role } from '../domain/principal.js';
import { afterTrigger, isFinal } from '../domain/refund/states.js';
import { ATTEMPT_EVIDENCE, isOpenAttempt } from '../domain/refund/attempt-states.js';
import type { RefundRecord } from '../ledger/core/refund-record.js';
import {
  attemptInQuestion,
  effectOfLink,
  effectOfApproval,
  effectOfCorrecting,
  effectOfCorrection,
  effectOfDestinationChange,
  effectOfReplaying,
  effectOfSync,
  effectOfWithdrawal,
} from './money-effects.js';
import { REFUSALS, type Refusal } from './errors.js';

export const ACTIONS = [
  'approve',
  'reject',
  'withdraw',
  'change-destination',
  'sync',
  'link',
  'correct',
  'replay',
] as const;
export type ActionName = (typeof ACTIONS)[number];

export interface Action {
  readonly action: ActionName;
  readonly allowed: boolean;
  /** Why it is not allowed, as a sentence; null where it is allowed. Reasons that only the gateway or a concurrent command gives are not known here. */
  readonly why: string | null;
  /** Its effect on the money, with amounts. */
  readonly effect: string;
  /** True if another operator has to confirm before it takes effect. */
  readonly needsApprover: boolean;
  /** The fields needed besides the reason; a dot leads into an object. */
  readonly input: readonly string[];
}

interface Rule {
  readonly role: Role;
  readonly effect: string;
  readonly needsApprover?: boolean;
  readonly input?: readonly string[];
  readonly refusal?: Refusal | undefined;
}

export function actionsFor(refund: RefundRecord, principal: Principal, policy: Policy): readonly Action[] {
  return ACTIONS.map((action) => {
    const {
      role,
      effect,
      needsApprover = false,
      input = [],
      refusal,
    } = ruleOf(action, refund, principal, policy);
    const why = mayAct(principal, role)
      ? refusal === undefined
        ? null
        : `${REFUSALS[refusal]}.`
      : `The role ${role} is needed.`;
    return { action, allowed: why === null, why, effect, needsApprover, input };
  });
}

function ruleOf(action: ActionName, refund: RefundRecord, principal: Principal, policy: Policy): Rule {
  switch (action) {
    case 'approve':
      return {
        role: 'approve',
        effect: whatWaits(refund),
        refusal: againstDeciding(refund, principal, true),
      };
    case 'reject':
      return {
        role: 'approve',
        effect: whatIsRefused(refund),
        refusal: againstDeciding(refund, principal, false),
      };
    case 'withdraw':
      return { role: 'operate', effect: effectOfWithdrawal(refund), refusal: againstWithdrawing(refund) };
    case 'change-destination':
      return {
        role: 'operate',
        effect: effectOfDestinationChange(refund),
        needsApprover: true,
        input: ['destination.registrationId'],
        refusal: againstChangingDestination(refund),
      };
    case 'sync':
      return { role: 'operate', effect: effectOfSync(refund) };
    case 'link':
      return {
        role: 'operate',
        effect: effectOfLink(refund),
        input: ['gatewayId'],
        refusal: againstLinking(refund),
      };
    case 'correct':
      return {
        role: 'operate',
        effect: effectOfCorrecting(refund),
        needsApprover: !isForOne(refund, principal, policy),
        input: ['outcome', 'evidence'],
        refusal: againstCorrecting(refund),
      };
    case 'replay':
      return {
        role: 'operate',
        effect: effectOfReplaying(refund),
        refusal: againstReplaying(refund),
      };
    default:
      return action satisfies never;
  }
}

function whatWaits(refund: RefundRecord): string {
  const { proposal } = refund;
  return proposal === null
    ? effectOfApproval(refund)
    : `Confirmed: ${effectOfCorrection(refund.id, proposal.details)}.`;
}

function whatIsRefused(refund: RefundRecord): string {
  if (refund.proposal !== null)
    return `Not confirmed: ${effectOfCorrection(refund.id, refund.proposal.details)}. No amount changes.`;
  return refund.instruction === null
    ? 'Nothing waits for an approval.'
    : `The credit is not paid. ${effectOfWithdrawal(refund)}`;
}

function againstDeciding(refund: RefundRecord, { name }: Principal, isYes: boolean): Refusal | undefined {
  const { proposal, requestedBy, destinationChangedBy, instruction } = refund;
  if (proposal === null && instruction === null) return 'not_awaiting_approval';
  if (isSameOperator(name, requestedBy)) return 'requester_cannot_decide';
  if (proposal !== null)
    return isYes && isSameOperator(name, proposal.note.by) ? 'proposer_cannot_approve' : undefined;
  return destinationChangedBy.some((by) => isSameOperator(by, name)) ? 'proposer_cannot_approve' : undefined;
}

function againstWithdrawing({ state, attempts }: RefundRecord): Refusal | undefined {
  if (isFinal(state)) return 'final';
  const hasLeft = attempts.some((attempt) => isOpenAttempt(attempt.state) || attempt.state === 'succeeded');
  return hasLeft || afterTrigger(state, 'withdraw') === undefined ? 'may_have_left' : undefined;
}

function againstChangingDestination({ state, attempts, proposal }: RefundRecord): Refusal | undefined {
  if (state !== 'manual_review') return 'not_in_review';
  if (attempts.some((attempt) => isOpenAttempt(attempt.state) || attempt.state === 'absent'))
    return 'may_have_left';
  return proposal === null ? undefined : 'proposal_open';
}

/** A refund in review goes back to its first unsent step. Any other needs a run at most. */
function againstReplaying({ state, attempts, proposal, openCases }: RefundRecord): Refusal | undefined {
  if (isFinal(state)) return 'final';
  if (state !== 'manual_review' || attempts.some((attempt) => isOpenAttempt(attempt.state))) return undefined;
  if (proposal !== null) return 'proposal_open';
  return openCases.every(({ why }) => isReplayable(why)) ? undefined : 'case_not_replayable';
}

function againstLinking({ attempts }: RefundRecord): Refusal | undefined {
  if (attempts.length === 0) return 'nothing_submitted';
  return attempts.some(({ state }) => ATTEMPT_EVIDENCE.succeeded.includes(state))
    ? undefined
    : 'attempt_final';
}

function againstCorrecting(refund: RefundRecord): Refusal | undefined {
  if (refund.proposal !== null) return 'proposal_open';
  if (isFinal(refund.state) && refund.openCases.some(({ why }) => STAY_OPEN.some((one) => one === why)))
    return undefined;
  const attempt = attemptInQuestion(refund);
  if (attempt === undefined || !ATTEMPT_EVIDENCE.succeeded.includes(attempt.state))
    return 'nothing_to_correct';
  if (attempt.state === 'submitting') return 'too_early';
  return isOpenAttempt(attempt.state) || refund.state === 'manual_review' || isFinal(refund.state)
    ? undefined
    : 'too_early';
}

function isForOne(refund: RefundRecord, { name }: Principal, policy: Policy): boolean {
  const amount = attemptInQuestion(refund)?.amountMinor ?? refund.amountMinor;
  return (
    mayCorrectAlone(amount, refund.currency, policy.correctionAloneUpTo) &&
    !isSameOperator(name, refund.requestedBy)
  );
}
