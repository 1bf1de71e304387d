/** Shows on a terminal or in a log how long a slow step has been running. */

/** Prints one line. The default prints to stderr, because stdout is for the command's own result. */
export type Print = (line: string) => void;

export const printOnStderr: Print = (line) => {
  process.stderr.write(`${line}\n`);
};

export interface ProgressOptions {
  readonly print?: Print;
  /** True if the line is rewritten in place. Default: true if stderr is a terminal and `print` is not set. */
  readonly live?: boolean;
  /** Milliseconds between two lines if they are not rewritten in place. Default 10,000. */
  readonly everyMs?: number;
}

const LIVE_EVERY_MS = 1_000;
const LINE_EVERY_MS = 10_000;

const seconds = (since: number): string => `${Math.round((performance.now() - since) / 1_000)} s`;

/**
 * Runs `work` and returns its result. Meanwhile it shows `label`, the elapsed seconds and the detail that `work` passes
 * (`812 steps`): on a terminal as one line that is rewritten every second, otherwise as one line every ten seconds.
 * Rethrows the error of `work`.
 */
export async function withProgress<T>(
  label: string,
  work: (detail: (text: string) => void) => Promise<T>,
  options: ProgressOptions = {},
): Promise<T> {
  const print = options.print ?? printOnStderr;
  const live = options.live ?? (options.print === undefined && process.stderr.isTTY);
  const started = performance.now();
  let detail = '';
  const line = (): string => `  ${label} … ${seconds(started)}${detail === '' ? '' : `, ${detail}`}`;
  const tick = (): void => {
    if (live) process.stderr.write(`\r\u001B[K${line()}`);
    else print(line());
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
