/** Records stalls of a process and of the database: what blocked it, when, and for how long. */
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from '../ledger/db/database.js';

/** One stall. */
export interface Stall {
  readonly what: string;
  /** Its start in milliseconds since 1970, comparable between processes of one machine. */
  readonly at: number;
  readonly ms: number;
}

const LOOP_EVERY_MS = 5;
const LOOP_STALL_MS = 15;
const GC_STALL_MS = 3;
const STATEMENT_EVERY_MS = 25;
const STATEMENT_STALL_MS = 20;

/** Records, from now on, the pauses of this process: of its garbage collector and of its event loop. Returns the growing list. */
export function watchProcess(who: string): readonly Stall[] {
  const stalls: Stall[] = [];
  const add = (what: string, start: number, ms: number): void => {
    stalls.push({ what: `${who}: ${what}`, at: performance.timeOrigin + start, ms });
  };
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      if (duration > GC_STALL_MS) add('garbage collection', startTime, duration);
  }).observe({ entryTypes: ['gc'] });
  // Node's monitorEventLoopDelay does not record when a delay happened.
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    if (now - last > LOOP_STALL_MS) add('event loop', last, now - last - LOOP_EVERY_MS);
    last = now;
  }, LOOP_EVERY_MS).unref();
  return stalls;
}

/** Records slow statements, with the event that PostgreSQL says they wait for, until `stopped` is aborted. */
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

/** Returns the stalls between two times as text, the longest of each kind. */
export function stallsBetween(stalls: readonly Stall[], from: number, to: number): readonly string[] {
  const longest = new Map<string, number>();
  for (const { what, at, ms } of stalls)
    if (at < to && at + ms > from) longest.set(what, Math.max(ms, longest.get(what) ?? 0));
  return [...longest].toSorted(([, a], [, b]) => b - a).map(([what, ms]) => `${what}, ${Math.round(ms)} ms`);
}
