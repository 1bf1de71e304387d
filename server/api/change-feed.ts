/** Reads new ledger events once and passes them to every open stream. */
import { setTimeout as sleep } from 'node:timers/promises';
import { changesAfter, newestChange, type Change } from '../../ledger/core/changes.js';
import type { Database } from '../../ledger/db/database.js';

/** Milliseconds between two reads while at least one stream is open. */
const POLL_MS = 250;
const PAGE = 500;
/**
 * Milliseconds for which a gap in the ids is read again. An id is assigned when the event is written and becomes visible on commit, so a
 * lower id may appear after a higher one.
 */
const GAP_MS = 45_000;
/** Largest number of gaps to read again. The ids of transactions that failed never appear. */
const MAX_GAPS = 2_000;
/** A stream that falls behind by more changes than this is closed. Its client reconnects with `Last-Event-ID`. */
const MAX_PENDING = 5_000;

interface Listener {
  readonly pending: Change[];
  wake: () => void;
  isSlow: boolean;
}

export interface Changes {
  /** Yields each change once until the signal aborts: first the stored ones after `after`, then every new one. */
  listen(signal: AbortSignal, after?: bigint): AsyncGenerator<Change, void>;
}

/** Creates the reader. It queries the database only while at least one stream is open. */
export function createChanges(database: Database): Changes {
  const listeners = new Set<Listener>();
  /** Ids that were skipped, each with the time (`performance.now()`) at which the gap was seen. */
  const gaps = new Map<bigint, number>();
  let newest = 0n;
  let reading: Promise<void> | undefined;
  /** Resolves when the reader knows its start: every change written after that is passed on. */
  let started: Promise<void> = Promise.resolve();

  async function read(): Promise<void> {
    while (listeners.size > 0) {
      const page = await changesAfter(database, newest, { limit: PAGE, late: [...gaps.keys()] }).catch(() => {
        // The database is unavailable: the streams stay open and get the missed changes later.
        return [];
      });
      for (const change of page) publish(change);
      const now = performance.now();
      for (const [id, since] of gaps) if (now - since > GAP_MS) gaps.delete(id);
      if (page.length < PAGE) await sleep(POLL_MS);
    }
    reading = undefined;
  }

  function publish(change: Change): void {
    gaps.delete(change.id);
    const now = performance.now();
    for (let gap = newest + 1n; gap < change.id && gaps.size < MAX_GAPS; gap += 1n) gaps.set(gap, now);
    if (change.id > newest) newest = change.id;
    for (const listener of listeners) {
      listener.pending.push(change);
      listener.isSlow ||= listener.pending.length > MAX_PENDING;
      listener.wake();
    }
  }

  return {
    async *listen(signal, after) {
      const listener: Listener = { pending: [], wake: () => undefined, isSlow: false };
      listeners.add(listener);
      const wake = (): void => {
        listener.wake();
      };
      signal.addEventListener('abort', wake);
      try {
        if (reading === undefined) {
          started = newestChange(database).then((id) => {
            newest = id;
            gaps.clear();
          });
          reading = started.then(read, () => {
            reading = undefined;
          });
        }
        await started;
        const delivered = new Set<bigint>();
        for (let from = after; from !== undefined && !signal.aborted;) {
          const page: readonly Change[] = await changesAfter(database, from, { limit: PAGE });
          for (const change of page) {
            delivered.add(change.id);
            yield change;
          }
          from = page.length < PAGE ? undefined : page.at(-1)?.id;
        }
        while (!signal.aborted && !listener.isSlow) {
          const change = listener.pending.shift();
          if (change === undefined)
            await new Promise<void>((resolve) => {
              listener.wake = resolve;
              if (signal.aborted) resolve();
            });
          else if (!delivered.delete(change.id)) yield change;
        }
      } finally {
        listeners.delete(listener);
        signal.removeEventListener('abort', wake);
      }
    },
  };
}
