/** When a look-up that found nothing counts, and when enough of them prove that the gateway has nothing. */
import type { Timings } from './plan.js';

/** All durations in milliseconds, by one clock. */
export interface MissEvidence {
  /** Time since the moment after which no byte of the attempt could leave; negative before it. */
  readonly sinceSendByMs: number;
  /** Time since the last miss that counted; null where there was none. */
  readonly sinceLastMissMs: number | null;
  /** Misses that counted before this one. */
  readonly misses: number;
  /** Whether the same look-up found the original: a wrong entity answers "not found" as well. */
  readonly originalFound: boolean;
}

/** `counts`: one more spaced miss. `absent`: with this one there are enough. */
export function provesAbsence(evidence: MissEvidence, timings: Timings): 'no_proof' | 'counts' | 'absent' {
  if (!evidence.originalFound) return 'no_proof';
  if (evidence.sinceSendByMs <= timings.visibilityLag) return 'no_proof';
  if (evidence.sinceLastMissMs !== null && evidence.sinceLastMissMs < timings.missSpacing) return 'no_proof';
  return evidence.misses + 1 >= timings.missesNeeded ? 'absent' : 'counts';
}
