/** Slows a run down that goes in a circle, so that the ledger is not called at full speed. */
import type { RefundSnapshot, Step } from '../../domain/refund/next-step.js';

const SECOND = 1_000;
const HOUR = 3_600_000;
/** Steps in a row that may change nothing: an activity that ran twice, or a run beside this one that was faster. */
const FREE = 3;
/** Slowed down so often (about four minutes), it is no coincidence: an operator has to see it. */
const STUCK = 8;

export interface Pace {
  /**
   * Milliseconds to wait before `step`; 0 while the run gets on. A circle begins where the workflow and the ledger do not agree about what is
   * next, as two versions of the program may during a deploy.
   */
  readonly before: (snapshot: RefundSnapshot, step: Step) => number;
  /** Whether it has gone in a circle for so long that it does not come out of it by itself. */
  readonly isStuck: () => boolean;
}

export function createPace(): Pace {
  let last = '';
  let idle = 0;
  return {
    before({ version, attempt, unread }, step) {
      const isWait =
        step.kind === 'operator' || step.kind === 'finish' || ('after' in step && step.after >= SECOND);
      const now = `${version} ${step.kind} ${attempt?.queries ?? 0} ${unread?.times ?? 0}`;
      idle = isWait || now !== last ? 0 : idle + 1;
      last = now;
      return idle < FREE ? 0 : Math.min(SECOND * 2 ** Math.min(idle - FREE, 12), HOUR);
    },
    isStuck: () => idle >= FREE + STUCK,
  };
}
