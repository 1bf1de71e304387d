/** What follows a try to deliver an event: done, again later, or given up. */
import type { Settlement } from '../../ledger/outbox/outbox.js';
import type { Posted } from './post.js';

/** Durations in milliseconds. */
export interface DeliveryTimings {
  /** How long after a fact it is looked for at most. */
  readonly poll: number;
  /** From the start of a try to the last byte of the answer. */
  readonly answerWithin: number;
  /** A dispatcher that dies leaves its tries to others after this. Longer than a try takes. */
  readonly lease: number;
  /** The wait after the first failure; three times as long after each further one, … */
  readonly retryFirst: number;
  /** … but never longer than this. */
  readonly retryMax: number;
  /** Given up when the next try would come later than this after the first. */
  readonly giveUpAfter: number;
}

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** `scale` as `REFUNDS_TIME_SCALE`. What times real requests is not shortened. */
export function deliveryTimingsAt(scale: number): DeliveryTimings {
  const scaled = (ms: number, floor: number): number => Math.max(floor, Math.round(ms * scale));
  return {
    poll: scaled(SECOND, 100),
    answerWithin: 15 * SECOND,
    lease: 60 * SECOND,
    retryFirst: scaled(5 * SECOND, 100),
    retryMax: scaled(6 * HOUR, SECOND),
    giveUpAfter: scaled(72 * HOUR, 60 * SECOND),
  };
}

const GROWTH = 3;
/** Many events that failed together do not come back together. */
const JITTER = 0.2;

/** `chance`: 0 to 1. */
export function settlementOf(
  posted: Posted,
  { tries, age }: { readonly tries: number; readonly age: number },
  timings: DeliveryTimings,
  chance: number,
): Settlement {
  const status = posted.kind === 'answered' ? posted.status : null;
  if (posted.kind === 'answered' && posted.status >= 200 && posted.status < 300)
    return { kind: 'delivered', status: posted.status };
  const error = posted.kind === 'answered' ? `http_${posted.status}` : posted.error;
  // "Gone": the receiver says that it will never take it.
  if (status === 410) return { kind: 'dead', status, error };
  const grown = Math.min(timings.retryFirst * GROWTH ** Math.min(tries - 1, 40), timings.retryMax);
  const asked = posted.kind === 'answered' ? Math.min(posted.retryAfter ?? 0, timings.retryMax) : 0;
  const after = Math.round(Math.max(grown * (1 + JITTER * (2 * chance - 1)), asked));
  return age + after > timings.giveUpAfter
    ? { kind: 'dead', status, error }
    : { kind: 'again', after, status, error };
}
