/** Decides whether a standalone credit may be submitted. Denies by default: the gateway limits refunds to the captured amount, but not credits. */
import { effectiveMinor } from '../payment/disputes.js';
import type { OriginalFacts } from '../payment/original.js';
import type { Policy } from './config.js';
import { exceededBy, limitsOf, type CreditSums, type SummedBy } from './credit-limits.js';
import type { DeclineClass } from '../decline-class.js';
import { isCardDestination, type Destination } from './destination.js';

/** The facts that the decision needs: from the ledger, under the payment's lock, and from a query made just before. Amounts in minor units. */
export interface CreditEvidence {
  readonly amountMinor: bigint;
  readonly currency: string;
  /** True if the request is for less than the captured amount. */
  readonly isPartial: boolean;
  /** `credit` if the client requested a credit; absent if the credit follows a declined refund. */
  readonly askedFor?: 'credit';
  /** The decline of this refund's last refund attempt; null if none was declined. */
  readonly refusal: DeclineClass | null;
  /** Number of attempts on this payment, by any refund, whose outcome is open. */
  readonly openAttempts: number;
  /** Gateway ids of refunds and reversals that belong to an attempt of this refund, if that attempt has not succeeded in the ledger. */
  readonly ownReturns: readonly string[];
  /** Gateway ids of refunds and reversals on this payment that this program submitted, or that were known when this refund was accepted. */
  readonly knownReturns: readonly string[];
  /** Amount of succeeded credits on this payment, from the ledger: the gateway does not link credits to a payment. */
  readonly creditedMinor: bigint;
  /** Amount paid back on this payment by any operation, from the ledger: a query may not show the newest transaction yet. */
  readonly paidBackMinor: bigint;
  /** Amount of chargebacks on this payment, from the ledger. */
  readonly disputedMinor: bigint;
  /** Null if the credit is unlinked: nothing can be proven, so an approver decides. */
  readonly original: OriginalFacts | null;
  readonly destination: Destination | null;
  /** True if an operator chose this destination during review. This counts as the operator's decision where policy asks for one. */
  readonly destinationChanged: boolean;
  /** Sums of other credits in this currency. They count towards the limits, so splitting a credit does not evade them. */
  readonly recent: CreditSums;
  /** True if this amount, operation and destination were approved by an operator who neither requested the refund nor chose the destination. */
  readonly approved: boolean;
  readonly policy: Policy;
}

export const CREDIT_BLOCKS = {
  credit_not_enabled: 'the acquirer does not offer credits on this entity',
  no_decline: 'no declined refund is on record',
  decline_leaves_doubt: 'the decline does not prove that the customer has not been paid',
  policy_asks_operator: 'policy leaves this decline to an operator',
  original_not_captured: 'the original is not a successful, captured payment',
  capture_alone: 'the payment is a single capture: refunds on its authorization are not known here',
  wrong_currency: 'the original is in another currency',
  refund_found: 'the gateway has a refund under our own reference',
  unknown_return: 'the gateway has a refund or reversal on the original that this program did not submit',
  reversed: 'the original was reversed',
  disputed: 'a chargeback has already taken the money that this credit would pay',
  unclear: 'the gateway shows a transaction on the original that cannot be counted',
  over_captured: 'the customer would receive more than the captured amount',
  no_destination: 'the payment has no registration, and the request has no destination',
} as const;
export type CreditBlock = keyof typeof CREDIT_BLOCKS;

export const APPROVAL_REASONS = {
  above_limit: 'the amount is above the limit for credits without approval',
  above_limit_on_payment: 'with the other credits on this payment, the amount is above the limit',
  above_limit_to_destination: 'with the recent credits to this destination, the amount is above the limit',
  above_limit_of_requester: 'with the recent credits of this requester, the amount is above the limit',
  above_limit_of_entity: 'with the recent credits of this entity, the amount is above the limit',
  no_limit_for_currency: 'no limit is set for this currency',
  decline_needs_approval: 'a credit after this decline needs an approver',
  other_destination: 'the destination is not the registration that paid',
  destination_by_operator: 'an operator chose the destination',
  partly_disputed: 'a chargeback covers another part of the original',
  unlinked: 'the credit is linked to no payment: nothing caps it and nothing proves that it is owed',
} as const;
export type ApprovalReason = keyof typeof APPROVAL_REASONS;

export type CreditVerdict =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'needs_approval'; readonly why: readonly ApprovalReason[] }
  /** Another attempt on the payment is open. The decision waits for its outcome. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'denied'; readonly why: readonly CreditBlock[] };

/** Decides from `evidence` only. An approval never overrides a block. */
export function mayCredit(evidence: CreditEvidence): CreditVerdict {
  const after = afterDecline(evidence);
  const blocks = [...blocksOf(evidence), ...(after === 'allowed' || after === 'approval' ? [] : [after])];
  if (blocks.length > 0) return { kind: 'denied', why: blocks };
  if (evidence.openAttempts > 0) return { kind: 'wait' };
  const reasons = approvalReasons(evidence, after === 'approval');
  if (reasons.length > 0 && !evidence.approved) return { kind: 'needs_approval', why: reasons };
  return { kind: 'allowed' };
}

/** Returns whether a credit may follow this decline. Only the classes listed as allowed prove that the customer was not paid. */
function afterDecline({
  refusal,
  askedFor,
  policy,
  isPartial,
  destinationChanged,
}: CreditEvidence): 'allowed' | 'approval' | CreditBlock {
  // The client states that no refund is possible. The checks of the payment still apply.
  if (askedFor === 'credit') return 'allowed';
  if (refusal === null) return 'no_decline';
  const byPolicy = (choice: 'approval' | 'operator') =>
    choice === 'approval' || destinationChanged ? 'approval' : 'policy_asks_operator';
  switch (refusal) {
    case 'not_linkable':
      return 'allowed';
    case 'unknown_to_acquirer':
      return 'approval';
    case 'issuer_declined':
      return byPolicy(policy.creditAfterIssuerDecline);
    case 'not_settled_yet':
      return byPolicy(policy.creditWhenNeverSettled);
    case 'partial_not_supported':
      return isPartial ? byPolicy(policy.creditWhenPartialNotSupported) : 'decline_leaves_doubt';
    case 'refund_not_enabled':
      return byPolicy(policy.creditWhenRefundNotEnabled);
    case 'card_unusable':
      // The account that paid is closed, so it has received nothing. A credit needs another destination.
      return destinationChanged ? 'approval' : 'decline_leaves_doubt';
    case 'wait':
    case 'ambiguous':
    case 'already_returned':
    case 'disputed':
    case 'repaid_by_bank':
    case 'not_captured':
    case 'not_owed':
    case 'our_data_wrong':
    case 'configuration':
    case 'credit_not_enabled':
    case 'reversal_too_late':
    case 'risk':
    case 'other_operation':
    case 'unlisted':
      return 'decline_leaves_doubt';
    default:
      return refusal satisfies never;
  }
}

function blocksOf(evidence: CreditEvidence): CreditBlock[] {
  const { original, policy, destination } = evidence;
  return [
    ...(policy.creditEnabled ? [] : (['credit_not_enabled'] as const)),
    ...(original === null ? blocksWithoutOriginal(evidence) : blocksOfOriginal(evidence, original)),
    ...(destination === null ? (['no_destination'] as const) : []),
  ];
}

/** Only a credit that a client requested may be unlinked. A credit after a decline belongs to a payment. */
function blocksWithoutOriginal({ askedFor }: CreditEvidence): CreditBlock[] {
  return askedFor === 'credit' ? [] : ['original_not_captured'];
}

function blocksOfOriginal(evidence: CreditEvidence, original: OriginalFacts): CreditBlock[] {
  const blocks: CreditBlock[] = [];
  const effective = original.returns;
  if (original.state !== 'succeeded' || original.capturedMinor <= 0n) blocks.push('original_not_captured');
  if (original.type === 'capture') blocks.push('capture_alone');
  if (original.currency !== evidence.currency) blocks.push('wrong_currency');
  if (effective.some((r) => evidence.ownReturns.includes(r.id))) blocks.push('refund_found');
  if (effective.some((r) => r.type === 'reversal')) blocks.push('reversed');
  if (effective.some((r) => r.type === 'refund' && !evidence.knownReturns.includes(r.id)))
    blocks.push('unknown_return');
  const wanted = givenOf(evidence, original) + evidence.amountMinor;
  const disputed = disputedOf(evidence, original);
  if (disputed > 0n && wanted + disputed > original.capturedMinor) blocks.push('disputed');
  if (original.doubts.length > 0 || !original.coversCaptures) blocks.push('unclear');
  if (wanted > original.capturedMinor) blocks.push('over_captured');
  return blocks;
}

const ABOVE = {
  payment: 'above_limit_on_payment',
  destination: 'above_limit_to_destination',
  requester: 'above_limit_of_requester',
  entity: 'above_limit_of_entity',
} as const satisfies Record<SummedBy, ApprovalReason>;

function aboveLimit({ amountMinor, currency, policy, recent }: CreditEvidence): readonly ApprovalReason[] {
  const limits = limitsOf(policy, currency);
  if (limits === undefined) return ['no_limit_for_currency'];
  if (amountMinor > limits.single) return ['above_limit'];
  return exceededBy(amountMinor, limits, recent).map((by) => ABOVE[by]);
}

/** Returns the amount paid back: the larger of the gateway's and the ledger's, because either may be outdated. */
function givenOf({ creditedMinor, paidBackMinor }: CreditEvidence, { returns }: OriginalFacts): bigint {
  const shown = returns.reduce((sum, r) => sum + r.amountMinor, 0n) + creditedMinor;
  return shown > paidBackMinor ? shown : paidBackMinor;
}

function disputedOf({ disputedMinor }: CreditEvidence, original: OriginalFacts): bigint {
  // Open chargebacks count too: they may become final.
  const shown = original.disputes.reduce((sum, dispute) => sum + effectiveMinor(dispute), 0n);
  return shown > disputedMinor ? shown : disputedMinor;
}

/** True for every card: only the registration that paid needs no approver. */
const isElsewhere = (destination: Destination | null, original: OriginalFacts): boolean =>
  isCardDestination(destination) || destination?.registrationId !== original.registrationId;

function approvalReasons(evidence: CreditEvidence, afterDeclineNeeds: boolean): ApprovalReason[] {
  const reasons = [...aboveLimit(evidence)];
  if (afterDeclineNeeds) reasons.push('decline_needs_approval');
  if (evidence.original === null) reasons.push('unlinked');
  else if (isElsewhere(evidence.destination, evidence.original)) reasons.push('other_destination');
  if (evidence.destinationChanged) reasons.push('destination_by_operator');
  if (evidence.original !== null && disputedOf(evidence, evidence.original) > 0n)
    reasons.push('partly_disputed');
  return reasons;
}
