/** What happened in one world, for a person to read: only kept where a seed is run again to be looked at. */

export interface Trace {
  readonly isKept: boolean;
  /** One line: who did what. Only call it with texts that are cheap, or ask `isKept` first. */
  note(actor: string, step: string): void;
}

export class KeptTrace implements Trace {
  readonly isKept = true;
  readonly lines: string[];
  readonly #now: () => number;

  /** `before`: what was noted already. */
  constructor(now: () => number, before: readonly string[] = []) {
    this.#now = now;
    this.lines = [...before];
  }

  note(actor: string, step: string): void {
    this.lines.push(`${clockText(this.#now()).padStart(13)}  ${actor.padEnd(18)} ${step}`);
  }
}

export const NO_TRACE: Trace = { isKept: false, note: () => undefined };

/** Time since the world began: `1d 02:03:04.567`. */
function clockText(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  const rest = new Date(ms % 86_400_000).toISOString().slice(11, 23);
  return days > 0 ? `${days}d ${rest}` : rest;
}
