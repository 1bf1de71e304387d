/** Times as they are typed. */

/** Of ISO 8601 alone: `Date` guesses at everything else, and takes `10:60` for a time in 1960. */
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/i;
const CLOCK = /^([01]?\d|2[0-3]):([0-5]\d)$/;

/**
 * `10:00` is the last time that this machine's clock showed it: today, or yesterday where that is still to come. Anything else is a date or a
 * time, undefined where it is none.
 */
export function momentOf(text: string, now: Date = new Date()): Date | undefined {
  const clock = CLOCK.exec(text.trim());
  if (clock === null && !DATE.test(text.trim())) return undefined;
  const moment = new Date(clock === null ? text.trim() : now);
  if (clock !== null) {
    moment.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
    if (moment > now) moment.setDate(moment.getDate() - 1);
  }
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}
