/** Compares a declined refund with the gateway's records of the original: how much of it the customer already received. */
import { chargedBackMinor, effectiveMinor } from './disputes.js';
import { takenByReturns, type OriginalFacts } from './original.js';
import type { DeclineClass } from '../decline-class.js';
import {
  coverageOf,
  NO_COVERAGE,
  takeFrom,
  totalOf,
  type Coverage,
  type OutsideMoney,
} from '../refund/settlement.js';
import type { Operation } from '../refund/operation.js';
import type { CaseReason, GiveUpReason, SettledReason } from '../refund/reasons.js';

/** The conclusion, and the part of the owed amount that the customer received outside of the program. That part is not paid again. */
export type ReconciliationResult =
  /** The gateway has our own transaction: the decline answered a repetition. The query records it. */
  { readonly kind: 'ours' } | (Conclusion & { readonly covered: Coverage });

type Conclusion =
  /** Nothing of it is owed any more. */
  | { readonly kind: 'settled'; readonly why: SettledReason }
  | { readonly kind: 'give_up'; readonly why: GiveUpReason }
  /** Refundable after all: by the operation that fits (a reversal if nothing is captured, otherwise a refund), or with a smaller amount. */
  | { readonly kind: 'try_again' }
  | { readonly kind: 'operator'; readonly why: CaseReason };

export interface ReconciliationEvidence {
  /** Still to be paid of the refund. */
  readonly remainingMinor: bigint;
  readonly original: OriginalFacts;
  /** Gateway ids of refunds and reversals that belong to an attempt of this refund, if that attempt has not succeeded in the ledger. */
  readonly ownReturns: readonly string[];
  /** Gateway ids of refunds and reversals that belong to an attempt on this payment, of this or another refund. */
  readonly ourReturns: readonly string[];
  /** Gateway ids of refunds and reversals that this program submitted, or that were known when this refund was accepted. */
  readonly knownReturns: readonly string[];
  /** Paid by attempts on this payment according to the ledger, credits included. A query may not show the newest yet. */
  readonly paidMinor: bigint;
  /** Gateway ids of returns that are counted in it. */
  readonly paidReturns: readonly string[];
  /** Released of an authorization beside its captures by our own reversals. */
  readonly releasedMinor: bigint;
  /** Outside money that refunds of this payment, this one included, count as their own already. */
  readonly claimed: Coverage;
  /** Attempts on this payment, of any refund, whose outcome is open. */
  readonly openAttempts: number;
  /** True if another capture of the payment certainly has something left, and this refund was not declined on it. */
  readonly hasOtherCapture: boolean;
  /** The last refund or reversal that was declined; null if none was. */
  readonly refused: {
    readonly operation: Operation;
    readonly class: DeclineClass | null;
    readonly amountMinor: bigint;
  } | null;
}

/** Explains a decline by the original's records if its class alone does not. Never leads to a credit. A doubt never ends the refund. */
export function reconciliationOf(evidence: ReconciliationEvidence): ReconciliationResult {
  const { original } = evidence;
  if (original.returns.some((r) => evidence.ownReturns.includes(r.id))) return { kind: 'ours' };
  const reconciliation = reconciliationFor(evidence);
  const isEnd =
    reconciliation.kind === 'settled' ||
    (reconciliation.kind === 'give_up' && reconciliation.why !== 'original_rejected');
  if (original.doubts.length === 0) return reconciliation;
  // A transaction that cannot be counted does not settle the refund, in whole or in part.
  return isEnd || totalOf(reconciliation.covered) > 0n
    ? { kind: 'operator', why: 'payment_unclear', covered: NO_COVERAGE }
    : reconciliation;
}

function reconciliationFor(evidence: ReconciliationEvidence): Conclusion & { readonly covered: Coverage } {
  const { original, remainingMinor } = evidence;
  const money = outsideMoney(evidence);
  const covered = coverageOf(remainingMinor, money);
  const reversed = takeFrom(remainingMinor, money);
  if (isReversedWholly(original) && totalOf(reversed) >= remainingMinor)
    return { kind: 'settled', why: 'original_reversed', covered: reversed };
  if (totalOf(covered) >= remainingMinor)
    return {
      kind: 'settled',
      why: covered.chargedBackMinor > covered.elsewhereMinor ? 'charged_back' : 'already_refunded',
      covered,
    };
  return { ...conclusionOf(evidence, remainingMinor - totalOf(covered), covered, money), covered };
}

/** Declines that an exhausted capture explains: another capture of the payment may have enough left. */
const ABOUT_ONE_CAPTURE: ReadonlySet<DeclineClass | null> = new Set([
  'ambiguous',
  'already_returned',
  'disputed',
]);

/** Returns the conclusion while something is still owed, from the decline and the gateway's records. */
function conclusionOf(
  evidence: ReconciliationEvidence,
  owedMinor: bigint,
  covered: Coverage,
  money: OutsideMoney,
): Conclusion {
  const { original, refused } = evidence;
  if (original.state === 'rejected') return { kind: 'give_up', why: 'original_rejected' };
  const operation = original.capturedMinor > 0n ? 'refund' : 'reversal';
  const declinedOperation = refused?.operation === 'reversal' ? 'reversal' : 'refund';
  // A refund follows a reversal, and a reversal a refund, but only if something is left for it.
  if (operation === 'refund' && declinedOperation === 'reversal' && money.limitMinor <= money.paidBackMinor)
    return { kind: 'operator', why: 'partial_reversal' };
  if (operation !== declinedOperation) return { kind: 'try_again' };
  if (isRefundedElsewhere(evidence, covered)) return { kind: 'operator', why: 'refunded_elsewhere' };
  if (evidence.hasOtherCapture && refused !== null && ABOUT_ONE_CAPTURE.has(refused.class))
    return { kind: 'try_again' };
  // The declined amount included the part that the customer received by the chargeback.
  if (covered.chargedBackMinor > 0n && refused !== null && refused.amountMinor > owedMinor)
    return { kind: 'try_again' };
  if (refused?.class === 'repaid_by_bank') return { kind: 'operator', why: 'repaid_by_bank' };
  if (money.chargedBackMinor > 0n) return { kind: 'operator', why: 'partly_disputed' };
  const mayBeDisputed = original.disputes.some((dispute) => effectiveMinor(dispute) > 0n);
  if (!mayBeDisputed && (refused?.class === 'not_owed' || refused?.class === 'our_data_wrong'))
    return { kind: 'give_up', why: refused.class };
  if (operation === 'reversal') return { kind: 'operator', why: 'not_captured' };
  return { kind: 'operator', why: mayBeDisputed ? 'dispute_undecided' : 'decline_unclear' };
}

/** Returns the money of the payment that moved outside of this refund, as far as the gateway shows it as final. */
export function outsideMoney(
  evidence: Pick<
    ReconciliationEvidence,
    'original' | 'ourReturns' | 'paidMinor' | 'paidReturns' | 'releasedMinor' | 'claimed' | 'openAttempts'
  >,
): OutsideMoney {
  const { original } = evidence;
  const final = takenByReturns(original).filter(({ entry }) => entry.state === 'succeeded');
  // A return without a reference may be the attempt whose answer is awaited.
  const elsewhere = final.filter(
    ({ entry }) =>
      !evidence.ourReturns.includes(entry.id) && (entry.reference !== null || evidence.openAttempts === 0),
  );
  const sum = (returns: typeof final) => returns.reduce((total, { takenMinor }) => total + takenMinor, 0n);
  return {
    limitMinor: limitOf(original) + (original.capturedMinor > 0n ? evidence.releasedMinor : 0n),
    paidBackMinor:
      evidence.paidMinor + sum(final.filter(({ entry }) => !evidence.paidReturns.includes(entry.id))),
    elsewhereMinor: sum(elsewhere),
    chargedBackMinor: chargedBackMinor(original.disputes),
    claimed: evidence.claimed,
  };
}

const limitOf = ({ capturedMinor, authorizedMinor }: OriginalFacts): bigint =>
  capturedMinor > 0n ? capturedMinor : authorizedMinor;

/** A reversal of a part, or of an uncaptured amount, has not given everything back to the customer. */
function isReversedWholly(original: OriginalFacts): boolean {
  const reversals = takenByReturns(original).filter(
    ({ entry }) => entry.type === 'reversal' && entry.state === 'succeeded',
  );
  const reversed = reversals.reduce((sum, { takenMinor }) => sum + takenMinor, 0n);
  return reversals.length > 0 && reversed >= limitOf(original);
}

/** True if the original was refunded elsewhere since this refund was requested, and no other refund counts that as its own. */
function isRefundedElsewhere(
  { original, knownReturns, claimed }: ReconciliationEvidence,
  covered: Coverage,
): boolean {
  if (covered.elsewhereMinor > 0n) return true;
  const unknown = takenByReturns(original)
    .filter(({ entry }) => !knownReturns.includes(entry.id))
    .reduce((sum, { takenMinor }) => sum + takenMinor, 0n);
  return unknown > claimed.elsewhereMinor;
}
