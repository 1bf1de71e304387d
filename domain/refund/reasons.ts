/** Reasons of a refund's end and of its cases, with the texts that operators read. */

/** Reasons of a refund that ended without paying. Stored with the refund and shown to the client. */
export const GIVE_UP_REASONS = {
  original_rejected: 'the original payment was rejected: no money was ever taken',
  not_owed: 'the gateway says that nothing is owed on this payment',
  our_data_wrong: 'amount or currency does not fit the original',
  credit_declined: 'the credit was finally declined',
  approval_refused: 'an approver rejected the credit',
  corrected: 'signed correction: evidence from outside the gateway shows that the refund was never paid',
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
    why: 'No query has shown yet whether the gateway executed this attempt.',
    nextStep: 'Ask the gateway about the reference; link the transaction when it is found.',
  },
  pending_too_long: {
    why: 'The gateway accepted the attempt long ago and has given no final result.',
    nextStep: 'Ask the acquirer. Queries and notifications continue meanwhile.',
  },
  credit_not_found: {
    why: 'A credit was submitted, its answer was lost and queries do not show it. The program never submits it again.',
    nextStep: 'Ask the acquirer about the reference before anything else.',
  },
  decline_unclear: {
    why: 'The decline does not show whether the customer has the money, and the gateway shows no refund.',
    nextStep: 'Ask the acquirer; then withdraw, or pay the customer outside of the program.',
  },
  refunded_elsewhere: {
    why: 'The gateway shows a refund on the original that this program did not submit. It covers only a part of this refund.',
    nextStep:
      'Withdraw; the refund elsewhere then counts for this one. Request a new refund of the amount that is still owed.',
  },
  partly_disputed: {
    why: 'A chargeback on the original covers less than this refund, and the gateway declines the rest.',
    nextStep:
      'Ask the acquirer when it accepts the refund; or withdraw, and pay the rest outside of the program.',
  },
  dispute_undecided: {
    why: 'A chargeback is pending, or was won and may have been lost again. It leaves too little for this refund: both together would pay twice.',
    nextStep: 'Wait until the chargeback is decided; then replay, or withdraw.',
  },
  repaid_by_bank: {
    why: "The customer's bank is returning the debit, and the gateway does not show it yet.",
    nextStep: 'Wait for the chargeback, or ask the acquirer; then withdraw.',
  },
  settlement_undone: {
    why: 'The chargeback or outside refund that had settled this refund was undone: the customer does not have that money any more.',
    nextStep:
      'Decide whether the amount is still owed; if so, request a new refund of it. Then close the case.',
  },
  card_unusable: {
    why: 'The card or its account is closed; a credit to it would be declined as well.',
    nextStep: 'Agree with the customer on another means of payment.',
  },
  issuer_declined: {
    why: 'The issuer declined the refund, and policy leaves the next step to an operator.',
    nextStep: 'Agree with the customer on another means of payment.',
  },
  credit_blocked: {
    why: 'A credit would be the next step, but the credit guard blocks it.',
    nextStep: 'Check the listed blocks. Fix their cause and replay, or withdraw.',
  },
  configuration: {
    why: 'The gateway declined the request because of our configuration (entity, credentials or account set-up).',
    nextStep: 'Fix the configuration, then replay. No money has moved.',
  },
  risk: {
    why: 'The gateway declined for risk reasons.',
    nextStep: 'Let the risk team decide.',
  },
  refund_not_enabled: {
    why: 'Refunds are not enabled for this payment method.',
    nextStep: 'Have refunds enabled and replay, or change the destination to pay by a credit.',
  },
  credit_not_enabled: {
    why: 'Credits are not enabled for this merchant, so the credit was declined.',
    nextStep: 'Have credits enabled and replay, or pay the customer outside of the program and withdraw.',
  },
  not_captured: {
    why: 'The original is not captured, and it cannot be reversed.',
    nextStep: 'Check the payment in the gateway.',
  },
  partial_reversal: {
    why: 'A part of an authorization that was never captured is still owed, and partial reversals are not enabled for this entity.',
    nextStep: 'Release the part at the acquirer, or capture it and replay; or withdraw.',
  },
  cannot_be_sent: {
    why: 'The gateway cannot be reached, or never shows what was submitted.',
    nextStep: 'Check the connection to the gateway, then replay. The gateway has no record of this attempt.',
  },
  declined_too_often: {
    why: 'The gateway has declined too often with a temporary reason.',
    nextStep: 'Check the merchant balance and limits with the acquirer.',
  },
  unlisted_decline: {
    why: 'The gateway declined with a code that no rule covers.',
    nextStep: "Find the code in the vendor's list of result codes and decide.",
  },
  other_operation: {
    why: 'The gateway answered with a result code that belongs to another operation.',
    nextStep: 'Check the payment in the gateway.',
  },
  found_twice: {
    why: 'The gateway shows two executions under one reference.',
    nextStep: 'Check for a double payment at once.',
  },
  answers_contradict: {
    why: 'Two sources contradict each other about one attempt.',
    nextStep: 'Compare them with the gateway before anything else.',
  },
  paid_twice: {
    why: 'More was paid back than was captured.',
    nextStep: 'Start the recovery; store the evidence for representment.',
  },
  partly_refunded: {
    why: 'One part was refunded, the rest was finally declined.',
    nextStep: 'Decide how the rest is paid.',
  },
  id_not_found: {
    why: 'The gateway gave this attempt an id, and queries show it neither by that id nor by our reference.',
    nextStep: 'Ask the gateway or the acquirer about the id. The attempt is not submitted again.',
  },
  returned: {
    why: 'A refund that had succeeded was returned.',
    nextStep: 'Agree with the customer on another means of payment.',
  },
  links_not_shown: {
    why: 'The account has no v3 reporting, so the gateway does not show the transactions that are linked to the payment. Without them, neither an unpaid attempt nor a safe credit can be proven.',
    nextStep:
      "Find the payment in the gateway's portal. If it shows the transaction, link it; if nothing was paid, propose a correction. Or have v3 reporting enabled, then replay.",
  },
  payment_unclear: {
    why: 'The gateway shows a transaction on the payment that cannot be counted, so nothing is decided automatically.',
    nextStep:
      'Compare the payment with the gateway and the acquirer. Credits on it are blocked meanwhile. Replay when it is clear.',
  },
  card_destroyed: {
    why: 'The credit goes to a sealed card whose keys were destroyed: it cannot be submitted.',
    nextStep: 'Have the card sealed again, or agree on another destination; then change the destination.',
  },
  card_unreadable: {
    why: 'The sealed card of the credit does not open: the key provider is unavailable, or its key is lost or another one.',
    nextStep: 'Make the key of the card available, then replay; or change the destination.',
  },
  cvv_needed: {
    why: 'The card was sealed with a security code, and the code was submitted before or is older than a day. No credit is submitted twice with one code.',
    nextStep: 'Seal a new security code for the card, then replay; or change the destination.',
  },
  card_not_registered: {
    why: 'The gateway declined to register the card, or does not show whether it did. Credits to cards go to registrations here.',
    nextStep: "See the gateway's answer. Fix its cause and replay, or change the destination.",
  },
  original_unreadable: {
    why: 'The gateway does not show the original in a form that can be read.',
    nextStep: "See the gateway's answer. The refund continues by itself when the payment can be read.",
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
