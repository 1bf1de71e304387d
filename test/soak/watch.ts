/** Watches a soak run while it goes on: states, requests at the gateway, and the invariants. */
import { sql } from 'kysely';
import type { Database } from '../../ledger/db/database.js';
import { violationsOf } from '../ledger/invariants.js';
import type { Machine } from './machine.js';
import { add, type Notes } from './notes.js';

export type Phase = 'load' | 'settling';

export interface Progress {
  readonly phase: Phase;
  readonly secondsLeft: number;
  readonly asked: number;
  readonly accepted: number;
  readonly failedCalls: number;
  /** Calls over HTTP, answered or not. */
  readonly apiCalls: number;
  /** Notifications that are stored, as of the last successful reading, and how many the gateway still has. */
  readonly notifications: { readonly stored: number; readonly undelivered: number };
  /** Number of faults so far. */
  readonly faults: number;
  readonly lastDisaster: string;
  /** Number of refunds in each state, as of the last successful reading. */
  readonly states: ReadonlyMap<string, number>;
  /** Number of checks of the invariants, and the violations. */
  readonly checks: number;
  readonly violations: readonly string[];
}

export interface WatchOptions {
  readonly machine: Machine;
  readonly notes: Notes;
  readonly database: Database;
  readonly onProgress: (progress: Progress) => void;
}

const EVERY_MS = 1_000;
const QUERY = 'query';
const READINGS_PER_CHECK = 10;

export class Watch {
  /** Requests at the gateway so far, by kind. */
  readonly requests = new Map<string, number>();
  /** Times at which orders reached the gateway, by reference, in milliseconds since 1970. */
  readonly arrivals = new Map<string, number[]>();
  /** Violations at any moment, also those that have disappeared. */
  readonly violations = new Set<string>();
  lastDisaster = '';
  readonly #options: WatchOptions;
  #phase: Phase = 'load';
  #until = 0;
  #states: ReadonlyMap<string, number> = new Map();
  #notifications = 0;
  #checks = 0;
  #readings = 0;
  #last: unknown;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Returns how many refunds have no answer to their first order, as of the last successful reading. */
  backlog(): number {
    return (this.#states.get('reserved') ?? 0) + (this.#states.get('submitting') ?? 0);
  }

  /** Returns how many orders have reached the gateway. */
  orders(): number {
    return [...this.requests].reduce((sum, [kind, count]) => (kind === QUERY ? sum : sum + count), 0);
  }

  begin(phase: Phase, until: number): void {
    this.#phase = phase;
    this.#until = until;
    this.#timer ??= setInterval(() => {
      this.#countRequests();
      // One reading at a time: while the database is down they would pile up.
      this.#reading = this.#reading.then(() => this.#read());
      this.#report();
    }, EVERY_MS);
  }

  /** Resolves when the last reading is over. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#reading;
    this.#countRequests();
  }

  async #read(): Promise<void> {
    const { db } = this.#options.database;
    if (this.#timer === undefined) return;
    this.#readings += 1;
    try {
      const { rows } = await sql<{ state: string; count: number }>`
        select state, count(*)::int as count from refunds group by state order by count(*) desc
      `.execute(db);
      this.#states = new Map(rows.map(({ state, count }) => [state, count]));
      const { rows: stored } = await sql<{
        count: number;
      }>`select count(*)::int as count from webhooks`.execute(db);
      this.#notifications = stored[0]?.count ?? 0;
      if (this.#readings % READINGS_PER_CHECK !== 0) return;
      for (const violation of await violationsOf(this.#options.database.db)) this.violations.add(violation);
      this.#checks += 1;
    } catch {
      // The database is down, which is part of the run.
    }
  }

  /** Counts the requests since the last time. The gateway stores only the latest. */
  #countRequests(): void {
    const all = this.#options.machine.gateway.requests();
    for (const request of all.slice(all.findIndex((one) => one === this.#last) + 1)) {
      const { paymentType, merchantTransactionId: reference } = request;
      add(this.requests, paymentType ?? QUERY);
      if (paymentType === null || reference === null) continue;
      this.arrivals.set(reference, [...(this.arrivals.get(reference) ?? []), Date.parse(request.time)]);
    }
    this.#last = all.at(-1);
  }

  #report(): void {
    const { notes, onProgress } = this.#options;
    onProgress({
      phase: this.#phase,
      secondsLeft: Math.max(0, Math.round((this.#until - performance.now()) / 1_000)),
      asked: notes.asked,
      accepted: notes.accepted.size,
      failedCalls: notes.failedCalls,
      apiCalls: total(notes.apiAnswers),
      notifications: {
        stored: this.#notifications,
        undelivered: this.#options.machine.gateway.undelivered(),
      },
      faults: total(notes.faults),
      lastDisaster: this.lastDisaster,
      states: this.#states,
      checks: this.#checks,
      violations: [...this.violations],
    });
  }
}

const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);
