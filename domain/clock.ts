/** Measures intervals on both clocks of a machine, because each clock alone can be wrong. */

/** Milliseconds. The monotonic clock stands still while the machine is suspended; the wall clock may be set at any time. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** Milliseconds by which the wall clock may fall behind the monotonic one while it is being adjusted. */
const ADJUSTMENT = 1_000;

/** Milliseconds from `since` until `now`, by the clock that shows more. `Infinity` if the wall clock was set back: the interval is not known then. */
export function elapsed(since: Moment, now: Moment): number {
  const monotonic = now.monotonic - since.monotonic;
  const wall = now.wall - since.wall;
  return wall >= monotonic - ADJUSTMENT ? Math.max(monotonic, wall) : Infinity;
}
