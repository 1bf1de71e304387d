/** The output that a command writes to: how wide it is, and whether it shows colors. */
import pc from 'picocolors';
import type { Tone } from '../state-tones.js';

export interface Screen {
  /** Columns that a line may have; null: lines of any length, one for each row. */
  readonly width: number | null;
  readonly tone: (tone: Tone, text: string) => string;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** Width of a terminal that does not report one. */
const USUAL_WIDTH = 100;
/** Columns. A refund's id alone has 36; on a narrower terminal lines are broken by the terminal. */
const SMALLEST_WIDTH = 60;

export interface ScreenOptions {
  readonly stream: { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: NodeJS.ProcessEnv;
  /** True: all of it, whatever the width. */
  readonly wide?: boolean;
}

/**
 * `COLUMNS` is the width where it is set, else the terminal's own. A pipe or a file without `COLUMNS` gets lines of any length, so that `grep`
 * and scripts see whole ids. Colors are shown on a terminal only, and not with `NO_COLOR` (https://no-color.org).
 */
export function screenOf({ stream, env, wide = false }: ScreenOptions): Screen {
  const isTerminal = stream.isTTY === true;
  const colors = pc.createColors(isTerminal && (env['NO_COLOR'] ?? '') === '');
  const paint: Readonly<Record<Tone, (text: string) => string>> = {
    good: colors.green,
    info: colors.cyan,
    warn: colors.yellow,
    bad: colors.red,
    still: colors.dim,
  };
  return {
    width: wide ? null : widthOf(stream.columns, isTerminal, env['COLUMNS']),
    tone: (tone, text) => paint[tone](text),
    bold: colors.bold,
    dim: colors.dim,
  };
}

function widthOf(columns: number | undefined, isTerminal: boolean, set: string | undefined): number | null {
  if (set !== undefined && /^[1-9]\d{0,4}$/.test(set)) return Math.max(SMALLEST_WIDTH, Number(set));
  if (!isTerminal) return null;
  // A terminal without a size reports 0.
  return columns === undefined || columns === 0 ? USUAL_WIDTH : Math.max(SMALLEST_WIDTH, columns);
}
