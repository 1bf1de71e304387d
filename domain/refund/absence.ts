/** Decides when a query that found nothing counts, and when enough of them prove absence. */
import type { Timings } from './config.js';

/** All durations in milliseconds, by one clock. */
export interface NotFoundEvidence {
  /** Time since the moment after which no byte of the attempt could leave; negative before it. */
  readonly sinceSendByMs: number;
  /** Time since the last not-found answer that counted; null if there was none. */
  readonly sinceLastNotFoundMs: number | null;
  /** Not-found answers that counted before this one. */
  readonly notFoundCount: number;
  /** True if the same query found the original: a wrong entity answers "not found" as well. */
  readonly originalFound: boolean;
}

/** `counts`: raises the not-found count. `absent`: the not-found count is high enough with this one. */
export function provesAbsence(
  evidence: NotFoundEvidence,
  timings: Timings,
): 'no_proof' | 'counts' | 'absent' {
  if (!evidence.originalFound) return 'no_proof';
  if (evidence.sinceSendByMs <= timings.visibilityLag) return 'no_proof';
  if (evidence.sinceLastNotFoundMs !== null && evidence.sinceLastNotFoundMs < timings.notFoundSpacing)
    return 'no_proof';
  return evidence.notFoundCount + 1 >= timings.notFoundNeeded ? 'absent' : 'counts';
}

export interface DeclineEvidence {
  /** Whether the query began after the latest submission was opened. */
  readonly isAskedSince: boolean;
  /** Whether that submission may still be on its way. */
  readonly isInTransit: boolean;
  /** Submissions under the reference that may have arrived, the latest among them. */
  readonly mayHaveArrived: number;
  /** Declined transactions under the reference that the query showed. */
  readonly declines: number;
  /** The gateway's time of the newest of them, where it gave one. */
  readonly declinedAt: Date | undefined;
  readonly submittedAt: Date;
}

/**
 * Whether a decline that a query found ends the attempt. Of several submissions under one reference each may have been answered, so a
 * decline ends the attempt only if it cannot be an earlier one's: no earlier one arrived, each has its decline, or the gateway dates it
 * after the latest submission. Earlier submissions are older by more than the visibility lag, so clocks that differ by less are no danger.
 */
export function declineIsOf(evidence: DeclineEvidence): boolean {
  const { isAskedSince, isInTransit, mayHaveArrived, declines, declinedAt, submittedAt } = evidence;
  if (mayHaveArrived <= 1) return true;
  if (!isAskedSince || isInTransit) return false;
  return declines >= mayHaveArrived || (declinedAt !== undefined && declinedAt >= submittedAt);
}
