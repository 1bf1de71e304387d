/** States of one attempt, and the evidence that changes them. */

/**
 * States of one attempt. `absent` means nothing of it is at the gateway: it never left, or that was proven.
 * Only a `refund` or `reversal` is ever proven absent; a `credit` is absent only where the sender itself knows that no byte left.
 */
export const ATTEMPT_STATES = [
  'submitting',
  'unknown',
  'pending',
  'succeeded',
  'rejected',
  'absent',
  'returned',
] as const;

export type AttemptState = (typeof ATTEMPT_STATES)[number];

/** Attempts whose money may have left, or may still leave. */
export const OPEN_ATTEMPT_STATES: readonly AttemptState[] = ['submitting', 'unknown', 'pending'];

export function isOpenAttempt(state: AttemptState): boolean {
  return OPEN_ATTEMPT_STATES.includes(state);
}

/** Attempt states in which each kind of evidence is accepted. In any other state it is a repetition or a contradiction. */
export const ATTEMPT_EVIDENCE: Readonly<
  Record<'succeeded' | 'pending' | 'rejected' | 'unknown' | 'absent' | 'returned', readonly AttemptState[]>
> = {
  succeeded: ['submitting', 'unknown', 'pending', 'absent', 'rejected', 'returned'],
  pending: ['submitting', 'unknown', 'absent'],
  rejected: ['submitting', 'unknown', 'pending'],
  unknown: ['submitting', 'absent'],
  absent: ['submitting', 'unknown'],
  returned: ['succeeded'],
};
