/** A signed correction: an operator records an attempt's outcome that the gateway does not show. Lists what forbids it. */
import { isFinal, type RefundState } from './states.js';
import { ATTEMPT_EVIDENCE, type AttemptState } from './attempt-states.js';

/** `succeeded`, `failed`: the outcome of an attempt. `case_closed`: closes the open cases of a refund that has ended. */
export const CORRECTION_OUTCOMES = ['succeeded', 'failed', 'case_closed'] as const;
export type CorrectionOutcome = (typeof CORRECTION_OUTCOMES)[number];

/**
 * Result of a query of an open attempt, made just before the correction. `unexplained`: nothing under our reference, but a transaction on
 * the payment that belongs to no attempt. `unreadable`: the answer cannot be read, and a repeated query does not change that. `none`: no
 * attempt was open, so no query was made.
 */
export type GatewayEvidence = 'alive' | 'unexplained' | 'silent' | 'unavailable' | 'unreadable' | 'none';

export type CorrectionRefusal =
  /** The attempt is in a state that a correction cannot change. */
  | 'nothing_to_correct'
  /** Its bytes may still be on their way, or not be visible yet. */
  | 'too_early'
  /** The gateway shows the attempt alive: it did pay or may yet. */
  | 'gateway_contradicts'
  /** `failed` is refused while the gateway cannot be queried. */
  | 'gateway_unavailable'
  /** `failed` is refused while the gateway's answer cannot be read. */
  | 'gateway_unreadable';

export interface CorrectionEvidence {
  readonly outcome: 'succeeded' | 'failed';
  readonly refund: RefundState;
  readonly attempt: AttemptState;
  readonly gateway: GatewayEvidence;
  /** Milliseconds since the moment after which no byte of the attempt could leave; negative before it. */
  readonly sinceSendByMs: number;
  /** Milliseconds for which a fresh transaction may stay invisible to queries. */
  readonly visibilityLag: number;
}

/** Returns the reason against a correction; undefined if it may be made. */
export function objectionTo(evidence: CorrectionEvidence): CorrectionRefusal | undefined {
  const { outcome, refund, attempt, gateway } = evidence;
  if (attempt === 'submitting') return 'too_early';
  const isOpen = attempt === 'unknown' || attempt === 'pending';
  switch (outcome) {
    case 'succeeded':
      if (!ATTEMPT_EVIDENCE.succeeded.includes(attempt)) return 'nothing_to_correct';
      // The next attempt may follow an ended one at any moment, unless the refund is in review or final.
      return isOpen || refund === 'manual_review' || isFinal(refund) ? undefined : 'too_early';
    case 'failed':
      if (!isOpen) return 'nothing_to_correct';
      if (gateway === 'alive') return 'gateway_contradicts';
      if (gateway === 'unreadable') return 'gateway_unreadable';
      if (gateway === 'unavailable' || gateway === 'none') return 'gateway_unavailable';
      return evidence.sinceSendByMs <= evidence.visibilityLag ? 'too_early' : undefined;
    default:
      return outcome satisfies never;
  }
}

/**
 * True if an operator may correct without an approver: up to the limit of the currency, in minor units. Without a limit, never.
 * `recentMinor`: corrected without an approver within the last day, on the payment or by the same operator, whichever is more.
 */
export function mayCorrectAlone(
  amountMinor: bigint,
  currency: string,
  limits: Readonly<Record<string, string>> | undefined,
  recentMinor = 0n,
): boolean {
  const limit = limits?.[currency];
  return limit !== undefined && amountMinor + recentMinor <= BigInt(limit);
}
