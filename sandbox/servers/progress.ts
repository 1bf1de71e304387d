/** Tells a person what is being waited for, how long already, and how it ended. */

/** Prints one finished line. The default is stderr: stdout belongs to the command's own result. */
export type Say = (line: string) => void;

export const sayOnStderr: Say = (line) => {
  process.stderr.write(`${line}\n`);
};

export interface ProgressOptions {
  readonly say?: Say;
  /** Whether a line may be written over. Default: stderr is a terminal and nobody else takes the lines. */
  readonly live?: boolean;
  /** Milliseconds between two lines where lines cannot be written over. Default 10,000. */
  readonly everyMs?: number;
}

const LIVE_EVERY_MS = 1_000;
const LINE_EVERY_MS = 10_000;

const seconds = (since: number): string => `${Math.round((performance.now() - since) / 1_000)} s`;

/**
 * Runs `work` and shows `label` with the seconds gone by, and what `work` tells of itself
 * (`812 steps`): on a terminal as one live line, otherwise as a line each
 * ten seconds, so that a log of a slow start is never silent and never long. Rethrows what `work` throws.
 */
export async function showing<T>(
  label: string,
  work: (detail: (text: string) => void) => Promise<T>,
  options: ProgressOptions = {},
): Promise<T> {
  const say = options.say ?? sayOnStderr;
  const live = options.live ?? (options.say === undefined && process.stderr.isTTY);
  const started = performance.now();
  let detail = '';
  const line = (): string => `  ${label} … ${seconds(started)}${detail === '' ? '' : `, ${detail}`}`;
  const tick = (): void => {
    if (live) process.stderr.write(`\r\u001B[K${line()}`);
    else say(line());
  };
  const timer = setInterval(tick, live ? LIVE_EVERY_MS : (options.everyMs ?? LINE_EVERY_MS));
  try {
    return await work((text) => {
      detail = text;
    });
  } finally {
    clearInterval(timer);
    if (live) process.stderr.write('\r\u001B[K');
  }
}
