/** May a standalone credit be sent? Default deny: the gateway caps refunds, it does not cap credits. */
import { effectiveMinor } from '../payment/disputes.js';
import type { OriginalFacts } from '../payment/original.js';
import type { Policy } from './config.js';
import type { DeclineClass } from '../decline-class.js';

/** Everything that the decision rests on, read under the payment's lock and from a query made just before. Minor units. */
export interface CreditEvidence {
  readonly amountMinor: bigint;
  readonly currency: string;
  /** Whether less than the captured amount was asked for. */
  readonly isPartial: boolean;
  /** Requested as a credit; absent if it follows a declined refund. */
  readonly askedFor?: 'credit';
  /** The decline of this refund's last refund attempt; null if none was declined. */
  readonly refusal: DeclineClass | null;
  /** Attempts on this payment, of this and of every other refund, whose outcome is open. */
  readonly openAttempts: number;
  /** Gateway ids of returns that belong to an attempt of this refund which is not known to have succeeded. */
  readonly ownReturns: readonly string[];
  /** Gateway ids of returns on this payment that were known when this refund was accepted, or are ours. */
  readonly knownReturns: readonly string[];
  /** Credits on this payment that succeeded, according to the ledger; the gateway does not link them. */
  readonly creditedMinor: bigint;
  /** Given back on this payment according to the ledger, by any operation; a query may not show the newest yet. */
  readonly paidBackMinor: bigint;
  /** Charged back on this payment according to the ledger. */
  readonly disputedMinor: bigint;
  /** Null if the credit is unlinked: nothing can be proven, so an approver decides. */
  readonly original: OriginalFacts | null;
  readonly destination: { readonly registrationId: string } | null;
  /** True if an operator chose this destination while the refund was in review: the decision that policy leaves to operators. */
  readonly destinationChanged: boolean;
  /**
   * Credits that left within the last day without an approval, or may have, besides this one: on the payment, to the destination, and for
   * whoever asked for this one, in its currency. A limit that is cut into pieces is the same limit.
   */
  readonly recent: {
    readonly onPaymentMinor: bigint;
    readonly toDestinationMinor: bigint;
    readonly byRequesterMinor: bigint;
  };
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
  above_limit_on_payment: "with the last day's other credits on this payment, the amount is above the limit",
  above_limit_to_destination:
    "with the last day's other credits to this destination, the amount is above the limit",
  above_limit_of_requester:
    "with the last day's other credits of the same requester, the amount is above the limit",
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
  /** Another attempt on the payment is open: nothing may be concluded before it is resolved. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'denied'; readonly why: readonly CreditBlock[] };

/** Decides from the evidence alone. Approval never overrules a block. */
export function mayCredit(evidence: CreditEvidence): CreditVerdict {
  const after = afterDecline(evidence);
  const blocks = [...blocksOf(evidence), ...(after === 'allowed' || after === 'approval' ? [] : [after])];
  if (blocks.length > 0) return { kind: 'denied', why: blocks };
  if (evidence.openAttempts > 0) return { kind: 'wait' };
  const reasons = approvalReasons(evidence, after === 'approval');
  if (reasons.length > 0 && !evidence.approved) return { kind: 'needs_approval', why: reasons };
  return { kind: 'allowed' };
}

/** Returns what the decline itself allows. This is the allow-list: every other class leaves a doubt. */
function afterDecline({
  refusal,
  askedFor,
  policy,
  isPartial,
  destinationChanged,
}: CreditEvidence): 'allowed' | 'approval' | CreditBlock {
  // The client states that no refund is possible. What the payment shows is proven all the same.
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
      // The account that paid is closed and has received nothing; a credit can only go somewhere else.
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

/** Only a requested credit may be unlinked; a credit that follows a decline belongs to a payment. */
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

function aboveLimit({ amountMinor, recent }: CreditEvidence, limit: bigint): ApprovalReason[] {
  if (amountMinor > limit) return ['above_limit'];
  return [
    ...(amountMinor + recent.onPaymentMinor > limit ? (['above_limit_on_payment'] as const) : []),
    ...(amountMinor + recent.toDestinationMinor > limit ? (['above_limit_to_destination'] as const) : []),
    ...(amountMinor + recent.byRequesterMinor > limit ? (['above_limit_of_requester'] as const) : []),
  ];
}

/** Of what the gateway shows and what the ledger has, the larger: either may be behind. */
function givenOf({ creditedMinor, paidBackMinor }: CreditEvidence, { returns }: OriginalFacts): bigint {
  const shown = returns.reduce((sum, r) => sum + r.amountMinor, 0n) + creditedMinor;
  return shown > paidBackMinor ? shown : paidBackMinor;
}

function disputedOf({ disputedMinor }: CreditEvidence, original: OriginalFacts): bigint {
  // One that is open may become final.
  const shown = original.disputes.reduce((sum, dispute) => sum + effectiveMinor(dispute), 0n);
  return shown > disputedMinor ? shown : disputedMinor;
}

function approvalReasons(evidence: CreditEvidence, afterDeclineNeeds: boolean): ApprovalReason[] {
  const reasons: ApprovalReason[] = [];
  const limit = evidence.policy.creditApprovalAbove[evidence.currency];
  if (limit === undefined) reasons.push('no_limit_for_currency');
  else reasons.push(...aboveLimit(evidence, BigInt(limit)));
  if (afterDeclineNeeds) reasons.push('decline_needs_approval');
  if (evidence.original === null) reasons.push('unlinked');
  else if (evidence.destination?.registrationId !== evidence.original.registrationId)
    reasons.push('other_destination');
  if (evidence.destinationChanged) reasons.push('destination_by_operator');
  if (evidence.original !== null && disputedOf(evidence, evidence.original) > 0n)
    reasons.push('partly_disputed');
  return reasons;
}
