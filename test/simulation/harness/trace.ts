/** A readable log of one run. It is kept only if a seed is run again to be examined. */

export interface Trace {
  readonly isKept: boolean;
  /** Adds one line: the actor and its step. Only call it with texts that are cheap, or test `isKept` first. */
  note(actor: string, step: string): void;
}

export class KeptTrace implements Trace {
  readonly isKept = true;
  readonly lines: string[];
  readonly #now: () => number;

  /** `before`: the lines of the run's beginning. */
  constructor(now: () => number, before: readonly string[] = []) {
    this.#now = now;
    this.lines = [...before];
  }

  note(actor: string, step: string): void {
    this.lines.push(`${clockText(this.#now()).padStart(13)}  ${actor.padEnd(18)} ${step}`);
  }
}

export const NO_TRACE: Trace = { isKept: false, note: () => undefined };

/** Returns the time since the run began: `1d 02:03:04.567`. */
function clockText(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  const rest = new Date(ms % 86_400_000).toISOString().slice(11, 23);
  return days > 0 ? `${days}d ${rest}` : rest;
}
