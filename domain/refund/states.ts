/** State machine of a refund: states, triggers and transitions. docs/reference/states.md is generated from it. */

/** Fine states of a refund. `status` in the public view is `PUBLIC_STATUS[state]`. */
export const REFUND_STATES = [
  'requested',
  'reserved',
  'submitting',
  'unknown',
  'pending',
  'rejected',
  'fallback_checking',
  'awaiting_approval',
  'manual_review',
  'succeeded',
  'settled',
  'returned',
  'closed_by_dispute',
  'refunded_elsewhere',
  'failed',
  'canceled',
] as const;
export type RefundState = (typeof REFUND_STATES)[number];

/** The status that clients see. `review`: an operator has to decide; the reservation is kept meanwhile. */
export type RefundStatus = 'pending' | 'succeeded' | 'failed' | 'canceled' | 'review';

export const PUBLIC_STATUS: Readonly<Record<RefundState, RefundStatus>> = {
  requested: 'pending',
  reserved: 'pending',
  submitting: 'pending',
  unknown: 'pending',
  pending: 'pending',
  rejected: 'pending',
  fallback_checking: 'pending',
  awaiting_approval: 'pending',
  manual_review: 'review',
  succeeded: 'succeeded',
  settled: 'succeeded',
  returned: 'pending',
  closed_by_dispute: 'canceled',
  refunded_elsewhere: 'canceled',
  failed: 'failed',
  canceled: 'canceled',
};

/** Why a refund changes its state. */
export type RefundTrigger =
  | 'reserve'
  | 'submit'
  | 'not_at_gateway'
  | 'answer_unknown'
  | 'answer_pending'
  | 'answer_rejected'
  | 'answer_succeeded'
  | 'part_succeeded'
  | 'part_after_end'
  | 'check_credit'
  | 'check_again'
  | 'need_approval'
  | 'approve'
  | 'try_again'
  | 'open_case'
  | 'give_up'
  | 'dispute'
  | 'refund_elsewhere'
  | 'rest_settled'
  | 'withdraw'
  | 'settle'
  | 'answer_returned'
  | 'release_reduced'
  | 'change_destination'
  | 'compare_again'
  | 'replay'
  | 'correct_succeeded'
  | 'correct_failed';

interface Transition {
  readonly on: RefundTrigger;
  readonly from: readonly RefundState[];
  readonly to: RefundState;
  readonly means: string;
}

const OPEN: readonly RefundState[] = ['submitting', 'unknown', 'pending'];
const UNSENT: readonly RefundState[] = ['reserved', 'rejected', 'fallback_checking', 'awaiting_approval'];
/** Ended with nothing paid by the program. */
export const CLOSED_STATES: readonly RefundState[] = [
  'failed',
  'canceled',
  'closed_by_dispute',
  'refunded_elsewhere',
];

export const REFUND_TRANSITIONS: readonly Transition[] = [
  { on: 'reserve', from: ['requested'], to: 'reserved', means: 'amount held against the payment' },
  {
    on: 'submit',
    from: ['reserved', 'rejected', 'fallback_checking'],
    to: 'submitting',
    means: 'attempt written, bytes may leave',
  },
  {
    on: 'not_at_gateway',
    from: ['submitting', 'unknown', 'manual_review'],
    to: 'reserved',
    means: 'never sent, or proven absent: the same attempt may be submitted again',
  },
  {
    on: 'answer_unknown',
    from: ['submitting', 'reserved'],
    to: 'unknown',
    means:
      'timeout, unreadable or unlisted answer, or worker lost; or an attempt that was recorded as absent is at the gateway',
  },
  {
    on: 'answer_pending',
    from: ['submitting', 'unknown', 'reserved', 'manual_review'],
    to: 'pending',
    means: 'accepted, the final result comes later',
  },
  {
    on: 'answer_rejected',
    from: [...OPEN, 'manual_review'],
    to: 'rejected',
    means: 'this attempt is finally declined',
  },
  {
    on: 'answer_succeeded',
    from: [...OPEN, ...UNSENT, 'returned', 'manual_review', ...CLOSED_STATES],
    to: 'succeeded',
    means: 'the gateway executed it',
  },
  {
    on: 'part_succeeded',
    from: [...OPEN, 'reserved', 'rejected', 'returned', 'manual_review'],
    to: 'reserved',
    means: 'one capture refunded, the rest of the amount is still to be paid',
  },
  {
    on: 'part_after_end',
    from: CLOSED_STATES,
    to: 'manual_review',
    means: 'a part was paid although the refund had ended without paying',
  },
  {
    on: 'check_credit',
    from: ['rejected', 'reserved'],
    to: 'fallback_checking',
    means: 'proving that a credit is allowed',
  },
  {
    on: 'check_again',
    from: ['manual_review'],
    to: 'fallback_checking',
    means: 'a credit that could not be proven, or was declined, is checked again',
  },
  {
    on: 'need_approval',
    from: ['fallback_checking'],
    to: 'awaiting_approval',
    means: 'an approver decides',
  },
  {
    on: 'approve',
    from: ['awaiting_approval'],
    to: 'fallback_checking',
    means: 'approved; the credit is checked once more',
  },
  {
    on: 'try_again',
    from: ['rejected'],
    to: 'reserved',
    means: 'the other operation on the original is possible (reversal or refund)',
  },
  {
    on: 'open_case',
    from: ['reserved', ...OPEN, 'rejected', 'fallback_checking', 'awaiting_approval', 'returned'],
    to: 'manual_review',
    means: 'a case is open; late results still count',
  },
  {
    on: 'give_up',
    from: ['rejected', 'fallback_checking', 'awaiting_approval', 'manual_review'],
    to: 'failed',
    means: 'finally declined, or rejected by an approver; nothing was paid, reservation released',
  },
  {
    on: 'dispute',
    from: [...UNSENT, 'manual_review'],
    to: 'closed_by_dispute',
    means: 'repaid by a chargeback that covers all of it, reservation released',
  },
  {
    on: 'refund_elsewhere',
    from: [...UNSENT, 'manual_review'],
    to: 'refunded_elsewhere',
    means: 'a refund or reversal outside of the program covers all of it, reservation released',
  },
  {
    on: 'rest_settled',
    from: [...UNSENT, 'manual_review'],
    to: 'succeeded',
    means: 'a part was paid, and a chargeback or a refund elsewhere covers the rest',
  },
  {
    on: 'withdraw',
    from: [...UNSENT, 'manual_review'],
    to: 'canceled',
    means: 'withdrawn while no money has left and none may leave',
  },
  { on: 'settle', from: ['succeeded'], to: 'settled', means: 'seen in the settlement' },
  {
    on: 'answer_returned',
    from: ['succeeded', 'settled'],
    to: 'returned',
    means: 'a success was undone outside of the program',
  },
  {
    on: 'release_reduced',
    from: ['succeeded', 'settled'],
    to: 'reserved',
    means: 'a reversal released less than ordered, because a part had been captured; the rest is refunded',
  },
  {
    on: 'change_destination',
    from: ['manual_review'],
    to: 'fallback_checking',
    means: 'an operator chose another destination; the credit is checked again and needs an approver',
  },
  {
    on: 'compare_again',
    from: ['manual_review'],
    to: 'rejected',
    means: 'the original can be read again; the declined refund is compared with it again',
  },
  {
    on: 'replay',
    from: ['manual_review'],
    to: 'reserved',
    means: 'an operator has fixed the cause; submitted again with fresh retry budgets',
  },
  {
    on: 'correct_succeeded',
    from: ['unknown', 'pending', 'manual_review', ...CLOSED_STATES],
    to: 'succeeded',
    means: 'signed correction: paid, as evidence from outside the gateway shows',
  },
  {
    on: 'correct_failed',
    from: ['unknown', 'pending', 'manual_review'],
    to: 'failed',
    means: 'signed correction: the open attempt never paid, reservation released',
  },
];

/**
 * States that end a refund's workflow. They are left only on gateway evidence (`answer_succeeded`, `part_after_end`, `answer_returned`), on
 * settlement, or on a correction that operators signed (`correct_succeeded`).
 */
export const FINAL_STATES: readonly RefundState[] = ['succeeded', 'settled', ...CLOSED_STATES];

/** States in which a refund continues only on an operator's command. */
export const OPERATOR_STATES: readonly RefundState[] = ['manual_review', 'awaiting_approval'];

export function isFinal(state: RefundState): boolean {
  return FINAL_STATES.includes(state);
}

/** The state after `on`, or undefined where the machine has no such transition: the caller must refuse. */
export function afterTrigger(from: RefundState, on: RefundTrigger): RefundState | undefined {
  return REFUND_TRANSITIONS.find((t) => t.on === on && t.from.includes(from))?.to;
}
