/** A signed correction: an operator records an attempt's outcome that the gateway does not show. Lists what forbids it. */
import { isFinal, type RefundState } from './states.js';
import { ATTEMPT_EVIDENCE, type AttemptState } from './attempt-states.js';

/** `succeeded`, `failed`: what became of an attempt. `case_closed`: open cases of a refund that is over are settled. */
export const CORRECTION_OUTCOMES = ['succeeded', 'failed', 'case_closed'] as const;
export type CorrectionOutcome = (typeof CORRECTION_OUTCOMES)[number];

/**
 * What the gateway shows of an open attempt when it is asked just before. `unexplained`: nothing under our reference, but something on
 * the payment that nobody can place. `unreadable`: it answers, in a form that cannot be read, and asking again does not change that. `none`: no attempt was open, so nothing was asked.
 */
export type GatewayEvidence = 'alive' | 'unexplained' | 'silent' | 'unavailable' | 'unreadable' | 'none';

export type CorrectionRefusal =
  /** Not written down as anything that a correction could change. */
  | 'nothing_to_correct'
  /** Its bytes may still be on their way, or not be visible yet. */
  | 'too_early'
  /** The gateway shows the attempt alive: it did pay or may yet. */
  | 'gateway_contradicts'
  /** That an attempt never paid is not believed while the gateway cannot be asked. */
  | 'gateway_unavailable'
  /** Nor while what it answers cannot be read. */
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

/** Undefined where the correction may be made. */
export function objectionTo(evidence: CorrectionEvidence): CorrectionRefusal | undefined {
  const { outcome, refund, attempt, gateway } = evidence;
  if (attempt === 'submitting') return 'too_early';
  const isOpen = attempt === 'unknown' || attempt === 'pending';
  switch (outcome) {
    case 'succeeded':
      if (!ATTEMPT_EVIDENCE.succeeded.includes(attempt)) return 'nothing_to_correct';
      // An attempt that is over may be followed by the next one at any moment, unless the refund rests.
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
 * Whether one person may correct alone: up to the limit of its currency, in minor units. Without a limit, never. `recentMinor`: what was
 * corrected alone within the last day already, on the payment or by the same person, whichever is more.
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
