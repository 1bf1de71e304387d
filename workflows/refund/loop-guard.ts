/** Slows down a workflow that repeats steps without progress, so that it does not call the ledger at full speed. */
import { log } from '@temporalio/workflow';
import type { RefundSnapshot, Step } from '../../domain/refund/next-step.js';

const SECOND = 1_000;
const HOUR = 3_600_000;
/** Repeated steps without a pause: an activity that ran twice, or another run of the same refund that was faster, changes nothing either. */
const STEPS_WITHOUT_PAUSE = 3;
/** Pauses (about four minutes in all) after which the loop counts as stuck and an operator has to look at it. */
const PAUSES_UNTIL_STUCK = 8;

export interface LoopGuard {
  /**
   * Returns the milliseconds to wait before `next`; 0 while the refund makes progress. A loop without progress begins where the workflow and
   * the ledger disagree about the next step, as two versions of the program may during a deploy.
   */
  readonly pauseBefore: (next: Step, snapshot: RefundSnapshot) => number;
  /** True if the loop has made no progress for so long that it does not end by itself. */
  readonly isStuck: () => boolean;
}

export function createLoopGuard(): LoopGuard {
  let lastStep = '';
  let repeated = 0;
  return {
    pauseBefore(next, { refundId, version, state, attempt, unread }) {
      const waitsAnyway =
        next.kind === 'wait_for_operator' ||
        next.kind === 'finish' ||
        ('after' in next && next.after >= SECOND);
      const step = `${version} ${next.kind} ${attempt?.queries ?? 0} ${unread?.times ?? 0}`;
      repeated = waitsAnyway || step !== lastStep ? 0 : repeated + 1;
      lastStep = step;
      if (repeated < STEPS_WITHOUT_PAUSE) return 0;
      const pause = Math.min(SECOND * 2 ** Math.min(repeated - STEPS_WITHOUT_PAUSE, 12), HOUR);
      log.warn('the refund makes no progress', { refundId, state, step: next.kind, pause });
      return pause;
    },
    isStuck: () => repeated >= STEPS_WITHOUT_PAUSE + PAUSES_UNTIL_STUCK,
  };
}
