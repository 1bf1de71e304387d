/** Reads a time that an operator types. */

/** ISO 8601 only: `Date` guesses other formats, and reads `10:60` as a time in 1960. */
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/i;
const CLOCK = /^([01]?\d|2[0-3]):([0-5]\d)$/;

/**
 * Returns the time. `10:00` is the last 10:00 by this machine's clock: today's, or yesterday's if it is not 10:00 yet. Other texts are ISO
 * dates or times. Undefined: the text is neither.
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
