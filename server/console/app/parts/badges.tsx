/** Badges for states. The color only supports the text. */
import type { AttemptState, RefundState } from '../../../../domain/refund/states.js';
import { words } from '../text.js';

const TONES = {
  good: 'bg-good-soft text-good',
  info: 'bg-info-soft text-info',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  still: 'bg-raised text-quiet',
} as const;
export type Tone = keyof typeof TONES;

const STATES: Readonly<Record<RefundState | AttemptState, Tone>> = {
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

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return (
    <span
      className={`inline-block rounded px-1.5 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {children}
    </span>
  );
}

export function StateBadge({ state }: { readonly state: RefundState | AttemptState }) {
  return <Badge tone={STATES[state]}>{words(state)}</Badge>;
}
