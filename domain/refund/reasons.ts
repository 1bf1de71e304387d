/** Reasons of a refund's end and of its cases, with the texts that operators read. */

/** Reasons of a refund that ended without paying. Stored with the refund and shown to the client. */
export const GIVE_UP_REASONS = {
  original_rejected: 'the original payment was rejected: no money was ever taken',
  not_owed: 'the gateway says that nothing is owed on this payment',
  our_data_wrong: 'amount or currency does not fit the original',
  credit_declined: 'the credit was finally refused',
  approval_refused: 'a person refused the credit',
  corrected: 'signed correction: evidence from outside the gateway shows that it was never paid',
} as const;

export type GiveUpReason = keyof typeof GIVE_UP_REASONS;

/** Reasons of a refund that ended with nothing more to pay: the customer received the money outside of the program. */
export const SETTLED_REASONS = {
  charged_back: 'a chargeback repaid the customer: nothing of this refund is owed any more',
  already_refunded: 'the original was refunded outside of this refund and nothing is left to refund',
  original_reversed: 'the original was reversed: the customer has the money back',
} as const;

export type SettledReason = keyof typeof SETTLED_REASONS;

/** All reasons of a refund's end, with their texts. */
export const END_REASONS = { ...GIVE_UP_REASONS, ...SETTLED_REASONS } as const;

/** Reasons of a case, and the safe next step that the operator is shown. */
export const CASE_REASONS = {
  outcome_unknown: {
    why: 'No look-up has shown yet whether the gateway executed this attempt.',
    nextStep: 'Ask the gateway for the reference; attach its id when found.',
  },
  pending_too_long: {
    why: 'The gateway accepted the attempt long ago and has not finished it.',
    nextStep: 'Ask the acquirer; it is still listened for.',
  },
  credit_not_found: {
    why: 'A credit was sent, its answer was lost and look-ups do not show it. It is never sent again by the program.',
    nextStep: 'Ask the acquirer for the reference before anything else.',
  },
  decline_unclear: {
    why: 'The refusal does not tell whether the customer has the money, and the gateway shows no refund.',
    nextStep: 'Ask the acquirer; then withdraw, or have it paid another way.',
  },
  refunded_elsewhere: {
    why: 'The gateway shows a refund on the original that was not made here, and it leaves a part of this one open.',
    nextStep:
      'Withdraw; the refund elsewhere then counts for this one. Ask for a new refund of what is still owed.',
  },
  partly_disputed: {
    why: 'A chargeback stands on the original, covers less than this refund, and the gateway declines the rest.',
    nextStep: 'Ask the acquirer when it takes the refund; or withdraw, and have the rest paid another way.',
  },
  dispute_undecided: {
    why: 'A chargeback is pending, or may have been lost again, and leaves no room for this refund. Both together would pay twice.',
    nextStep: 'Wait until it is decided; then replay, or withdraw.',
  },
  repaid_by_bank: {
    why: "The customer's bank fetches the debit back, and the gateway does not show it yet.",
    nextStep: 'Wait for the chargeback, or ask the acquirer; then withdraw.',
  },
  settlement_undone: {
    why: 'What had settled this refund outside was undone: the customer does not have that money any more.',
    nextStep:
      'Decide whether it is still owed; if it is, ask for a new refund of that amount. Then close the case.',
  },
  card_unusable: {
    why: 'The card or its account is closed; a credit to it would be refused as well.',
    nextStep: 'Agree another way with the customer.',
  },
  issuer_declined: {
    why: 'The issuer declined the refund and policy leaves what follows to a person.',
    nextStep: 'Agree another way with the customer.',
  },
  credit_blocked: {
    why: 'A credit would be the next step, but the guard does not allow it.',
    nextStep: 'Look at what blocks it.',
  },
  configuration: {
    why: 'The gateway refused the request as ours to mend (entity, credentials, set-up).',
    nextStep: 'Mend the set-up; the refund has not been sent.',
  },
  risk: {
    why: 'The gateway refused for risk reasons.',
    nextStep: 'Let the risk desk decide.',
  },
  refund_not_enabled: {
    why: 'Refunds are not enabled for this payment method.',
    nextStep: 'Have them enabled, or approve another way.',
  },
  credit_not_enabled: {
    why: 'Credits are not enabled for this merchant, so the credit was declined.',
    nextStep: 'Have them enabled and replay, or pay the customer another way and withdraw.',
  },
  not_captured: {
    why: 'The original is neither captured nor open to a reversal.',
    nextStep: 'Check the payment in the gateway.',
  },
  partial_reversal: {
    why: 'A part of an authorization that was never captured is still owed, and this entity does not release a part.',
    nextStep:
      'Release it at the acquirer, or capture it and run the refund again; withdraw what is not wanted any more.',
  },
  cannot_be_sent: {
    why: 'The gateway cannot be reached, or never shows what was sent.',
    nextStep: 'Check the connection to the gateway; nothing of this attempt is there.',
  },
  declined_too_often: {
    why: 'The gateway keeps refusing softly.',
    nextStep: 'Check the merchant balance and limits with the acquirer.',
  },
  unlisted_decline: {
    why: 'A refusal that no rule covers.',
    nextStep: 'Look the code up in the vendor list and decide.',
  },
  other_operation: {
    why: 'The gateway answered with a code of another operation.',
    nextStep: 'Check the payment in the gateway.',
  },
  found_twice: {
    why: 'The gateway shows two executions under one reference.',
    nextStep: 'Check for a double payment at once.',
  },
  answers_contradict: {
    why: 'Two sources tell different things about one attempt.',
    nextStep: 'Compare them with the gateway before anything else.',
  },
  paid_twice: {
    why: 'More was given back than was captured.',
    nextStep: 'Start the recovery; keep the evidence for representment.',
  },
  partly_refunded: {
    why: 'One part was refunded, the rest was finally refused.',
    nextStep: 'Decide how the rest is paid.',
  },
  id_not_found: {
    why: 'The gateway gave this attempt an id and shows it neither by that id nor by our reference.',
    nextStep: 'Ask the gateway or the acquirer what became of the id. It is not sent again.',
  },
  returned: {
    why: 'A refund that had succeeded came back.',
    nextStep: 'Agree another way with the customer.',
  },
  links_not_shown: {
    why: 'The account has no v3 reporting, so the gateway does not show what is linked to the payment: neither that nothing was paid nor that a credit is safe can be proven.',
    nextStep:
      'Look the payment up in the portal. If it is there, link it; if it never paid, sign a correction. Or have v3 reporting enabled, then replay.',
  },
  payment_unclear: {
    why: 'The gateway shows something on the payment that cannot be counted, so nothing is concluded from it.',
    nextStep:
      'Compare the payment with the gateway and the acquirer; credits on it are blocked meanwhile. When it is clear, replay.',
  },
  original_unreadable: {
    why: 'The gateway does not show the original in a form that can be read.',
    nextStep: 'See what the gateway answered. The refund goes on by itself when the payment can be read.',
  },
} as const;

export type CaseReason = keyof typeof CASE_REASONS;

/** Cases that only an operator closes, whatever the refund does: money paid twice, contradictions, money that the customer lost again. */
export const STAY_OPEN: readonly CaseReason[] = [
  'paid_twice',
  'answers_contradict',
  'found_twice',
  'payment_unclear',
  'settlement_undone',
];
