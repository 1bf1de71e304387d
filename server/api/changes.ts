/** One reader of new events for everybody who listens, however many they are. */
import { setTimeout as sleep } from 'node:timers/promises';
import { changesAfter, newestChange, type Change } from '../../ledger/core/changes.js';
import type { Database } from '../../ledger/db/database.js';

/** Milliseconds between two reads while somebody listens. */
const PAUSE = 250;
const PAGE = 500;
/** Milliseconds. A number is given when an event is written and seen when its transaction ends, so a lower one may come later. */
const MAY_COME_LATE = 45_000;
/** Numbers that were given and not seen, at most: those of transactions that failed never come. */
const MOST_LATE = 2_000;
/** Who does not read is let go, and comes back with what it heard last. */
const MOST_UNTOLD = 5_000;

interface Listener {
  readonly untold: Change[];
  wake: () => void;
  isSlow: boolean;
}

export interface Changes {
  /** Every change from now on, and before it those after `after` that are still to be had, each once; until the signal. */
  listen(signal: AbortSignal, after?: bigint): AsyncGenerator<Change, void>;
}

export function createChanges(database: Database): Changes {
  const listeners = new Set<Listener>();
  const late = new Map<bigint, number>();
  let newest = 0n;
  let reading: Promise<void> | undefined;
  /** Resolves when everything that is written from now on will be told. */
  let begun: Promise<void> = Promise.resolve();

  async function read(): Promise<void> {
    while (listeners.size > 0) {
      const page = await changesAfter(database, newest, { limit: PAGE, late: [...late.keys()] }).catch(() => {
        // The database is away: listeners stay, and hear later what they missed.
        return [];
      });
      for (const change of page) tell(change);
      const now = performance.now();
      for (const [id, since] of late) if (now - since > MAY_COME_LATE) late.delete(id);
      if (page.length < PAGE) await sleep(PAUSE);
    }
    reading = undefined;
  }

  function tell(change: Change): void {
    late.delete(change.id);
    const now = performance.now();
    for (let gap = newest + 1n; gap < change.id && late.size < MOST_LATE; gap += 1n) late.set(gap, now);
    if (change.id > newest) newest = change.id;
    for (const listener of listeners) {
      listener.untold.push(change);
      listener.isSlow ||= listener.untold.length > MOST_UNTOLD;
      listener.wake();
    }
  }

  return {
    async *listen(signal, after) {
      const listener: Listener = { untold: [], wake: () => undefined, isSlow: false };
      listeners.add(listener);
      const wake = (): void => {
        listener.wake();
      };
      signal.addEventListener('abort', wake);
      try {
        if (reading === undefined) {
          begun = newestChange(database).then((id) => {
            newest = id;
            late.clear();
          });
          reading = begun.then(read, () => {
            reading = undefined;
          });
        }
        await begun;
        const told = new Set<bigint>();
        for (let from = after; from !== undefined && !signal.aborted;) {
          const page: readonly Change[] = await changesAfter(database, from, { limit: PAGE });
          for (const change of page) {
            told.add(change.id);
            yield change;
          }
          from = page.length < PAGE ? undefined : page.at(-1)?.id;
        }
        while (!signal.aborted && !listener.isSlow) {
          const change = listener.untold.shift();
          if (change === undefined)
            await new Promise<void>((resolve) => {
              listener.wake = resolve;
              if (signal.aborted) resolve();
            });
          else if (!told.delete(change.id)) yield change;
        }
      } finally {
        listeners.delete(listener);
        signal.removeEventListener('abort', wake);
      }
    },
  };
}
