/** The sweep: starts a run for each refund that seems to have none. Harmless for a refund that has one, and when two sweeps run at once. */
import type { StartSettings } from '../../domain/refund/config.js';
import type { Database } from '../../ledger/db/database.js';
import {
  endedWithOpenAttempt,
  markSwept,
  idleRefunds,
  type Silent,
  type SweepIntervals,
} from '../../ledger/maintenance/sweep.js';
import type { Task } from '../refund/task.js';

/** Durations in milliseconds. A history replays with the input that it was started with. */
export interface SweepInput {
  readonly patience: SweepIntervals;
  /** Refunds read in one query of the ledger. */
  readonly page: number;
  /** Maximum number of pages in one sweep; further refunds are due in the next sweep. */
  readonly pages: number;
  /** Maximum number of open attempts of ended refunds that one sweep queries. */
  readonly queries: number;
}

export interface Swept {
  /** Refunds that have a run now, new or not. */
  readonly started: number;
  /** Refunds that could not be started; a later sweep tries again. */
  readonly failed: number;
  /** Open attempts of ended refunds that are to be queried, each with its task queue. */
  readonly openAttempts: readonly (Task & { readonly taskQueue: string })[];
}

export interface SweepActivities {
  readonly startIdleRefunds: (input: SweepInput) => Promise<Swept>;
}

export interface SweepDependencies {
  readonly database: Database;
  readonly start: StartSettings;
  /** Resolves when the refund has a run. Passed in, because activities do not import `temporal/`. */
  readonly startRefund: (refund: Silent) => Promise<void>;
  /** Called for a refund that could not be started, for the log. */
  readonly onFailure?: (refundId: string, error: unknown) => void;
}

const MOST_AT_ONCE = 10;

/** `signal`: the cancellation signal of the running activity. */
export function createSweepActivities(deps: SweepDependencies, signal: () => AbortSignal): SweepActivities {
  const { database } = deps;

  return {
    async startIdleRefunds({ patience, page, pages, queries }) {
      let started = 0;
      let failed = 0;
      for (let read = 0; read < pages; read += 1) {
        signal().throwIfAborted();
        const idle = await idleRefunds(database, patience, page);
        const result = await startEach(idle, deps.startRefund);
        for (const { refund, error } of result.failed) deps.onFailure?.(refund.id, error);
        // If all of them fail, Temporal is unavailable. If some fail, these must not hold up all others for ever.
        const first = result.failed[0];
        if (first !== undefined && result.started === 0 && idle.length > 1) throw first.error;
        await markSwept(database, idle, patience);
        started += result.started;
        failed += result.failed.length;
        if (idle.length < page) break;
      }
      const open = await endedWithOpenAttempt(database, patience, queries);
      await markSwept(database, open, patience);
      return {
        started,
        failed,
        openAttempts: open.map(({ id, entityId }) => ({
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

/** Starts each refund, ten at once. A failure does not stop the others. */
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
