/** What keeps a process, or the database, from answering: when it happened, and for how long. */
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from '../ledger/db/database.js';

/** A time in which something stood still. */
export interface Stall {
  readonly what: string;
  /** Milliseconds since 1970, so that two processes of one machine can be compared. */
  readonly at: number;
  readonly ms: number;
}

const LOOP_EVERY_MS = 5;
const LOOP_STALL_MS = 15;
const GC_STALL_MS = 3;
const STATEMENT_EVERY_MS = 25;
const STATEMENT_STALL_MS = 20;

/** Of this process, from now on: pauses of the garbage collector, and of its event loop for whatever reason. */
export function watchProcess(who: string): readonly Stall[] {
  const stalls: Stall[] = [];
  const seen = (what: string, start: number, ms: number): void => {
    stalls.push({ what: `${who}: ${what}`, at: performance.timeOrigin + start, ms });
  };
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      if (duration > GC_STALL_MS) seen('garbage collection', startTime, duration);
  }).observe({ entryTypes: ['gc'] });
  // monitorEventLoopDelay has the same figures without the time at which they were.
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    if (now - last > LOOP_STALL_MS) seen('event loop', last, now - last - LOOP_EVERY_MS);
    last = now;
  }, LOOP_EVERY_MS).unref();
  return stalls;
}

/** Statements that take long, looked for until `stopped`, with what the database says they wait for. */
export async function watchDatabase({ db }: Database, stopped: AbortSignal): Promise<readonly Stall[]> {
  const stalls: Stall[] = [];
  while (!stopped.aborted) {
    const { rows } = await sql<Stall>`
      SELECT 'database: ' || split_part(ltrim(query), ' ', 1) || ' waits for ' || coalesce(wait_event, 'a processor') AS what,
             (extract(epoch FROM query_start) * 1000)::float8 AS at,
             (extract(epoch FROM clock_timestamp() - query_start) * 1000)::float8 AS ms
        FROM pg_stat_activity
       WHERE state = 'active' AND pid <> pg_backend_pid()
         AND query_start < clock_timestamp() - ${STATEMENT_STALL_MS} * interval '1 millisecond'`.execute(db);
    stalls.push(...rows);
    await pause(STATEMENT_EVERY_MS);
  }
  return stalls;
}

/** What stood still between the two times, the longest of each kind, as text. */
export function stallsBetween(stalls: readonly Stall[], from: number, to: number): readonly string[] {
  const longest = new Map<string, number>();
  for (const { what, at, ms } of stalls)
    if (at < to && at + ms > from) longest.set(what, Math.max(ms, longest.get(what) ?? 0));
  return [...longest].toSorted(([, a], [, b]) => b - a).map(([what, ms]) => `${what}, ${Math.round(ms)} ms`);
}
