/** One thing on a page: a line for each of its facts, broken at the screen's width. */
import type { Tone } from '../state-tones.js';
import type { Screen } from './screen.js';
import { padded, widthOf, wrapped } from './text.js';

export interface Fact {
  readonly name: string;
  /** Null: not shown. */
  readonly text: string | null;
  readonly tone?: Tone | undefined;
}

const GAP = 2;

export function page(facts: readonly Fact[], { width, tone }: Screen): string {
  const names = Math.max(...facts.map(({ name }) => widthOf(name))) + GAP;
  return facts
    .flatMap(({ name, text, tone: color }) => {
      if (text === null) return [];
      const lines = width === null ? [text] : wrapped(text, Math.max(1, width - names));
      return lines.map(
        (line, at) =>
          `${padded(at === 0 ? name : '', names)}${color === undefined ? line : tone(color, line)}`,
      );
    })
    .join('\n');
}
