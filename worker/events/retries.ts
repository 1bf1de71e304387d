/** Decides after a delivery of an event: delivered, retry later, or given up. */
import type { Settlement } from '../../ledger/outbox/outbox.js';
import type { Posted } from './post.js';

/** Durations in milliseconds. */
export interface DeliveryTimings {
  /** Interval of reading the outbox. */
  readonly poll: number;
  /** Time from the start of a delivery to the last byte of the answer. */
  readonly answerWithin: number;
  /** Time after which another process delivers the events of a dispatcher that died. Longer than a delivery takes. */
  readonly lease: number;
  /** Wait after the first failure; three times as long after each further one, … */
  readonly retryFirst: number;
  /** … up to this. */
  readonly retryMax: number;
  /** An event is given up if its next delivery would start later than this after the first. */
  readonly giveUpAfter: number;
}

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** Returns the times multiplied by `scale` (`REFUNDS_TIME_SCALE`). Times of real requests are not scaled. */
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
/** Spreads the retries of events that failed together. */
const JITTER = 0.2;

/** Returns what follows a delivery. `age`: milliseconds since the first one. `chance`: random number from 0 to 1, for the spread. */
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
  // 410 Gone: the receiver will never accept the event.
  if (status === 410) return { kind: 'dead', status, error };
  const grown = Math.min(timings.retryFirst * GROWTH ** Math.min(tries - 1, 40), timings.retryMax);
  const asked = posted.kind === 'answered' ? Math.min(posted.retryAfter ?? 0, timings.retryMax) : 0;
  const after = Math.round(Math.max(grown * (1 + JITTER * (2 * chance - 1)), asked));
  return age + after > timings.giveUpAfter
    ? { kind: 'dead', status, error }
    : { kind: 'again', after, status, error };
}
