/** Replay of a refund in review after the cause is fixed: the cases that allow it, and the step at which the refund continues. */
import type { CreditBlock } from './credit-guard.js';
import type { UnreadPayment } from './next-step.js';
import type { CaseReason } from './reasons.js';
import type { AttemptState } from './attempt-states.js';
import type { Operation } from './operation.js';

/**
 * True if a refund in review for this reason may be replayed: nothing has left, or everything submitted was finally declined or proven
 * absent. False if the customer may have the money already: the next submission would pay twice.
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
  // With reporting enabled by now, the proof is possible; otherwise the case opens again.
  links_not_shown: true,
  other_operation: true,
  partly_refunded: true,
  // The gateway caps refunds, and a credit needs its own proof.
  decline_unclear: true,
  // The rest still fits beside the chargeback, and the gateway caps it.
  partly_disputed: true,
  // It is not submitted while the chargeback leaves too little.
  dispute_undecided: true,
  // The refund is compared with the payment again. Nothing is submitted while the payment is unclear, and a credit needs its own proof.
  payment_unclear: true,
  // The credit was not submitted, and its card is opened again.
  card_destroyed: true,
  card_unreadable: true,
  cvv_needed: true,
  card_not_registered: true,
  // The outcome is open.
  outcome_unknown: false,
  pending_too_long: false,
  credit_not_found: false,
  id_not_found: false,
  // The customer may have the money.
  refunded_elsewhere: false,
  repaid_by_bank: false,
  // The refund has ended; an amount that is owed again needs a new refund.
  settlement_undone: false,
  returned: false,
  found_twice: false,
  answers_contradict: false,
  paid_twice: false,
};

export const isReplayable = (why: string): boolean =>
  Object.entries(REPLAYABLE).some(([reason, may]) => may && reason === why);

/** `send`: a refund or reversal of the original. `credit`: checked again. `compare`: the last decline is compared with the payment again. */
export type ReplayStep = 'send' | 'credit' | 'compare';

export interface ReplaySnapshot {
  readonly why: string | null;
  readonly blocks: readonly string[];
  readonly unreadFor: UnreadPayment['for'] | null;
  /** An operator named another destination: no refund goes there. */
  readonly isDestinationChanged: boolean;
  readonly last: { readonly operation: Operation; readonly state: AttemptState } | null;
}

/** Blocks that follow from the payment itself: no refund is tried in place of the credit. */
const ABOUT_PAYMENT: readonly CreditBlock[] = [
  'refund_found',
  'unknown_return',
  'reversed',
  'disputed',
  'over_captured',
];

/** Cases about the card of a credit, which is checked again. */
const ABOUT_CARD: readonly CaseReason[] = [
  'card_destroyed',
  'card_unreadable',
  'cvv_needed',
  'card_not_registered',
];

/** Returns the first step that was not done. A declined credit is checked again before it is submitted. */
export function replayStep({
  why,
  blocks,
  unreadFor,
  isDestinationChanged,
  last,
}: ReplaySnapshot): ReplayStep {
  const isToCompare = unreadFor === 'compare' || (why === 'payment_unclear' && last?.operation !== 'credit');
  if (isToCompare && last?.state === 'rejected') return 'compare';
  if ((unreadFor !== null && unreadFor !== 'compare') || isDestinationChanged) return 'credit';
  if (ABOUT_CARD.some((one) => one === why)) return 'credit';
  if (last?.operation === 'credit' && last.state === 'rejected') return 'credit';
  const isAboutPayment = blocks.some((block) => ABOUT_PAYMENT.some((one) => one === block));
  return why === 'credit_blocked' && isAboutPayment ? 'credit' : 'send';
}
