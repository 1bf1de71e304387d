/** Taking a refund back to its first unsent step after its cause is fixed: which cases allow it, and where it goes on. */
import type { CreditBlock } from './credit-guard.js';
import type { CaseReason } from './reasons.js';
import type { AttemptState } from './attempt-states.js';
import type { Operation } from './operation.js';

/**
 * Whether a refund in review for this reason may go on once an operator says that the cause is fixed. Only where nothing has left, or what
 * was submitted was finally declined or proven absent. Never where the customer may have the money already: what is sent next would pay twice.
 */
export const REPLAYABLE: Readonly<Record<CaseReason, boolean>> = {
  configuration: true,
  declined_too_often: true,
  cannot_be_sent: true,
  original_unreadable: true,
  refund_not_enabled: true,
  credit_not_enabled: true,
  credit_blocked: true,
  card_unusable: true,
  issuer_declined: true,
  risk: true,
  not_captured: true,
  partial_reversal: true,
  unlisted_decline: true,
  // Reporting is enabled by now: what could not be proven is proven then, or asked about again.
  links_not_shown: true,
  other_operation: true,
  partly_refunded: true,
  // The gateway caps a refund, and a credit needs a proof of its own.
  decline_unclear: true,
  // What is still owed has room beside the chargeback, and the gateway caps it.
  partly_disputed: true,
  // It is not sent while the chargeback leaves no room.
  dispute_undecided: true,
  // It is compared with the payment anew: while that is unclear nothing else is sent, and a credit needs a proof of its own.
  payment_unclear: true,
  // The outcome is open.
  outcome_unknown: false,
  pending_too_long: false,
  credit_not_found: false,
  id_not_found: false,
  // The customer may have it.
  refunded_elsewhere: false,
  repaid_by_bank: false,
  // The refund is over; what is owed again is asked for anew.
  settlement_undone: false,
  returned: false,
  found_twice: false,
  answers_contradict: false,
  paid_twice: false,
};

export const isReplayable = (why: string): boolean =>
  Object.entries(REPLAYABLE).some(([reason, may]) => may && reason === why);

/** `send`: a refund or reversal of the original. `credit`: weighed anew. `compare`: the last decline is compared with the payment anew. */
export type ReplayStep = 'send' | 'credit' | 'compare';

export interface ReplaySnapshot {
  readonly why: string | null;
  readonly blocks: readonly string[];
  readonly unreadFor: 'compare' | 'credit' | null;
  /** An operator named another destination: no refund goes there. */
  readonly isDestinationChanged: boolean;
  readonly last: { readonly operation: Operation; readonly state: AttemptState } | null;
}

/** What the payment itself says against a credit: a refund is not tried in its place. */
const ABOUT_PAYMENT: readonly CreditBlock[] = [
  'refund_found',
  'unknown_return',
  'reversed',
  'disputed',
  'over_captured',
];

/** The first step that was not done. A credit that was declined is weighed anew and never skipped to. */
export function replayStep({
  why,
  blocks,
  unreadFor,
  isDestinationChanged,
  last,
}: ReplaySnapshot): ReplayStep {
  const isToCompare = unreadFor === 'compare' || (why === 'payment_unclear' && last?.operation !== 'credit');
  if (isToCompare && last?.state === 'rejected') return 'compare';
  if (unreadFor === 'credit' || isDestinationChanged) return 'credit';
  if (last?.operation === 'credit' && last.state === 'rejected') return 'credit';
  const isAboutPayment = blocks.some((block) => ABOUT_PAYMENT.some((one) => one === block));
  return why === 'credit_blocked' && isAboutPayment ? 'credit' : 'send';
}
