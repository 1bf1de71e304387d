/** Badges for states. The color only supports the text. */
import type { RefundState } from '../../../../domain/refund/states.js';
import type { AttemptState } from '../../../../domain/refund/attempt-states.js';
import { STATE_TONES, type Tone } from '../../../../client/state-tones.js';
import { texts } from '../text.js';

export type { Tone };

const TONES: Readonly<Record<Tone, string>> = {
  good: 'bg-good-soft text-good',
  info: 'bg-info-soft text-info',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  still: 'bg-raised text-quiet',
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
  return <Badge tone={STATE_TONES[state]}>{texts(state)}</Badge>;
}
