/** The sweep: gives a run to every refund that seems to have none. Harmless where one is alive, and where it runs twice. */
import type { StartSettings } from '../../domain/refund/config.js';
import type { Database } from '../../ledger/db/database.js';
import {
  endedWithOpenAttempt,
  markSwept,
  idleRefunds,
  type Silent,
  type SweepIntervals,
} from '../../ledger/maintenance/sweep.js';
import type { Task } from '../refund/refunds.js';

/** Durations in milliseconds. A history replays with what it was started with. */
export interface SweepInput {
  readonly patience: SweepIntervals;
  /** Refunds read at once. */
  readonly page: number;
  /** Pages in one sweep at most; what is left is due in the next one. */
  readonly pages: number;
  /** Attempts under ended refunds that one sweep has looked up at most. */
  readonly queries: number;
}

export interface Swept {
  /** Refunds that have a run now, whether it was there before or not. */
  readonly started: number;
  /** Refunds that could not be given one; they are tried again. */
  readonly failed: number;
  /** Attempts to be looked up, each on the queue of its entity. */
  readonly queries: readonly (Task & { readonly taskQueue: string })[];
}

export interface SweepActivities {
  readonly sweepRefunds: (input: SweepInput) => Promise<Swept>;
}

export interface SweepDependencies {
  readonly database: Database;
  readonly start: StartSettings;
  /** Answers when the refund has a run. Injected: how a workflow is started is not an activity's business. */
  readonly startRefund: (refund: Silent) => Promise<void>;
  /** A refund that could not be started, for the log: its workflow is not there to tell. */
  readonly onFailure?: (refundId: string, error: unknown) => void;
}

const MOST_AT_ONCE = 10;

export function createSweepActivities(deps: SweepDependencies, alive: () => AbortSignal): SweepActivities {
  const { database } = deps;

  return {
    async sweepRefunds({ patience, page, pages, queries }) {
      let started = 0;
      let failed = 0;
      for (let read = 0; read < pages; read += 1) {
        alive().throwIfAborted();
        const silent = await idleRefunds(database, patience, page);
        const result = await startEach(silent, deps.startRefund);
        for (const { refund, error } of result.failed) deps.onFailure?.(refund.id, error);
        // One that cannot be started must not stand before all others for ever; all of them means that Temporal is away.
        const first = result.failed[0];
        if (first !== undefined && result.started === 0 && silent.length > 1) throw first.error;
        await markSwept(database, silent, patience);
        started += result.started;
        failed += result.failed.length;
        if (silent.length < page) break;
      }
      const open = await endedWithOpenAttempt(database, patience, queries);
      await markSwept(database, open, patience);
      return {
        started,
        failed,
        queries: open.map(({ id, entityId }) => ({
          refundId: id,
          config: deps.start.configFor(entityId),
          taskQueue: deps.start.queryTaskQueue,
        })),
      };
    },
  };
}

export interface StartedEach<T> {
  readonly started: number;
  readonly failed: readonly { readonly refund: T; readonly error: unknown }[];
}

/** Starts each, a few at once. One that fails does not stop the others. */
export async function startEach<T>(
  refunds: readonly T[],
  start: (refund: T) => Promise<void>,
): Promise<StartedEach<T>> {
  const failed: { refund: T; error: unknown }[] = [];
  for (let first = 0; first < refunds.length; first += MOST_AT_ONCE)
    await Promise.all(
      refunds.slice(first, first + MOST_AT_ONCE).map(async (refund) => {
        try {
          await start(refund);
        } catch (error) {
          failed.push({ refund, error });
        }
      }),
    );
  return { started: refunds.length - failed.length, failed };
}
