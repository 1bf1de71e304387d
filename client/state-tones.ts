/** The tone of each state. The console's badges and the command line color by this one map. */
import type { RefundState } from '../domain/refund/states.js';
import type { AttemptState } from '../domain/refund/attempt-states.js';

/** `good`: the customer has the money. `info`: goes on by itself. `warn`: needs attention. `bad`: declined, failed or returned. `still`: over. */
export type Tone = 'good' | 'info' | 'warn' | 'bad' | 'still';

export const STATE_TONES: Readonly<Record<RefundState | AttemptState, Tone>> = {
  requested: 'info',
  reserved: 'info',
  submitting: 'info',
  unknown: 'warn',
  pending: 'info',
  rejected: 'bad',
  fallback_checking: 'info',
  awaiting_approval: 'warn',
  manual_review: 'warn',
  succeeded: 'good',
  settled: 'good',
  returned: 'bad',
  closed_by_dispute: 'still',
  refunded_elsewhere: 'still',
  failed: 'bad',
  canceled: 'still',
  absent: 'still',
};
