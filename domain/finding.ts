/** A refusal that may mean "the customer already has the money": what do the gateway's records of the original say? */
import { chargedBackMinor } from './disputes.js';
import { takenByReturns, type OriginalFacts } from './original.js';

/** Why a refund ended without money leaving the merchant for it. Kept with the refund and told to the caller. */
export const GIVE_UP_REASONS = {
  original_rejected: 'the original payment was rejected: no money was ever taken',
  original_reversed: 'the original was reversed: the customer has the money back',
  already_refunded: 'the original was refunded outside of this refund and nothing is left to refund',
  not_owed: 'the gateway says that nothing is owed on this payment',
  our_data_wrong: 'amount or currency does not fit the original',
  repaid_by_bank: 'the payer had the money fetched back by the bank',
  credit_refused: 'the credit was finally refused',
  approval_refused: 'a person refused the credit',
  corrected: 'signed correction: evidence from outside the gateway shows that it was never paid',
} as const;
export type GiveUpReason = keyof typeof GIVE_UP_REASONS;

/** Why a person has to decide, and the safe next step that the operator is shown. */
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
  refusal_unclear: {
    why: 'The refusal does not tell whether the customer has the money, and the gateway shows no refund.',
    nextStep: 'Ask the acquirer; then withdraw, or have it paid another way.',
  },
  refunded_elsewhere: {
    why: 'The gateway shows a refund on the original that was not made here.',
    nextStep: 'If it is this refund, withdraw; otherwise ask for the rest.',
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
  refused_too_often: {
    why: 'The gateway keeps refusing softly.',
    nextStep: 'Check the merchant balance and limits with the acquirer.',
  },
  unlisted_refusal: {
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
  came_back: {
    why: 'A refund that had succeeded came back.',
    nextStep: 'Agree another way with the customer.',
  },
  links_not_shown: {
    why: 'The account has no v3 reporting, so the gateway does not show what is linked to the payment: neither that nothing was paid nor that a credit is safe can be proven.',
    nextStep:
      'Look the payment up in the portal. If it is there, adopt it; if it never paid, sign a correction. Or have v3 reporting enabled, then replay.',
  },
  payment_unclear: {
    why: 'The gateway shows something on the payment that cannot be counted, so nothing is concluded from it.',
    nextStep: 'Compare the payment with the gateway and the acquirer; credits on it are blocked meanwhile.',
  },
  original_unreadable: {
    why: 'The gateway does not show the original in a form that can be read.',
    nextStep: 'See what the gateway answered. The refund goes on by itself when the payment can be read.',
  },
} as const;
export type CaseReason = keyof typeof CASE_REASONS;

/** Money already out twice, and contradictions, stay open whatever the refund does: only a person closes those. */
export const STAY_OPEN: readonly CaseReason[] = [
  'paid_twice',
  'answers_contradict',
  'found_twice',
  'payment_unclear',
];

export type Finding =
  /** Our own reference is there: the refusal was about a repetition. The look-up records it. */
  | { readonly kind: 'ours' }
  | { readonly kind: 'closed_by_dispute' }
  | { readonly kind: 'give_up'; readonly why: GiveUpReason }
  /** Refundable after all, by the way that fits: a reversal where nothing is captured, otherwise a refund. */
  | { readonly kind: 'try_again' }
  | { readonly kind: 'person'; readonly why: CaseReason };

export interface FindingEvidence {
  readonly remainingMinor: bigint;
  readonly original: OriginalFacts;
  /** Gateway ids of returns that belong to an attempt of this refund which is not known to have succeeded. */
  readonly ownReturns: readonly string[];
  /** Gateway ids of returns that were known when the refund was accepted, or are ours. */
  readonly knownReturns: readonly string[];
  readonly creditedMinor: bigint;
  /** The way of the refused attempt: trying the same way again would only be refused again. */
  readonly refusedWay: 'refund' | 'reversal';
}

/** Reads the original's records after a refusal that the code alone does not explain. Never leads to a credit, and in doubt to no end. */
export function readFinding(evidence: FindingEvidence): Finding {
  const finding = findingOf(evidence);
  const isEnd =
    finding.kind === 'closed_by_dispute' ||
    (finding.kind === 'give_up' && finding.why !== 'original_rejected');
  return isEnd && evidence.original.doubts.length > 0 ? { kind: 'person', why: 'payment_unclear' } : finding;
}

function findingOf(evidence: FindingEvidence): Finding {
  const { original } = evidence;
  if (original.returns.some((r) => evidence.ownReturns.includes(r.id))) return { kind: 'ours' };
  if (chargedBackMinor(original.disputes) > 0n) return { kind: 'closed_by_dispute' };
  if (original.state === 'rejected') return { kind: 'give_up', why: 'original_rejected' };
  const taken = takenByReturns(original);
  const sum = (returns: typeof taken) => returns.reduce((total, { takenMinor }) => total + takenMinor, 0n);
  const given = original.capturedMinor > 0n ? original.capturedMinor : original.authorizedMinor;
  const reversals = taken.filter(({ entry }) => entry.type === 'RV' && entry.state === 'succeeded');
  // A reversal of a part, or of what was never captured, has not given this customer everything back.
  if (reversals.length > 0 && sum(reversals) >= given) return { kind: 'give_up', why: 'original_reversed' };
  const way = original.capturedMinor > 0n ? 'refund' : 'reversal';
  const left = original.capturedMinor - sum(taken) - evidence.creditedMinor;
  // After a reversal a refund, and the other way round, but only where something is left for it.
  if (way !== evidence.refusedWay && left > 0n) return { kind: 'try_again' };
  if (way === 'refund' && evidence.refusedWay === 'reversal')
    return { kind: 'person', why: 'partial_reversal' };
  if (way !== evidence.refusedWay) return { kind: 'try_again' };
  if (way === 'reversal') return { kind: 'person', why: 'not_captured' };
  const unknown = taken.filter(
    ({ entry, takenMinor }) => takenMinor > 0n && !evidence.knownReturns.includes(entry.id),
  );
  if (unknown.length === 0) return { kind: 'person', why: 'refusal_unclear' };
  const final = unknown.every(({ entry }) => entry.state === 'succeeded');
  return final && left <= 0n && sum(unknown) >= evidence.remainingMinor
    ? { kind: 'give_up', why: 'already_refunded' }
    : { kind: 'person', why: 'refunded_elsewhere' };
}
