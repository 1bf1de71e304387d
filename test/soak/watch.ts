/** Looks at a soak run while it goes on: states, requests at the gateway, and the invariants again and again. */
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
  /** Over HTTP, answered or not. */
  readonly apiCalls: number;
  /** Notices of the gateway that were kept, when the database was last there, and how many the gateway still has. */
  readonly notifications: { readonly kept: number; readonly undelivered: number };
  /** Everything that was done to the run so far. */
  readonly faults: number;
  readonly lastDisaster: string;
  /** How many refunds are in each state, when the database was last there. */
  readonly states: ReadonlyMap<string, number>;
  /** How often the invariants were read from the tables, and what was wrong. */
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
const QUERY = 'look-up';
const LOOKS_FOR_A_CHECK = 10;

export class Watch {
  /** Requests at the gateway so far, by kind. */
  readonly requests = new Map<string, number>();
  /** When orders under each reference reached the gateway, milliseconds since 1970. */
  readonly arrivals = new Map<string, number[]>();
  /** What was wrong at any moment, also if it is not any more. */
  readonly violations = new Set<string>();
  lastDisaster = '';
  readonly #options: WatchOptions;
  #phase: Phase = 'load';
  #until = 0;
  #states: ReadonlyMap<string, number> = new Map();
  #notifications = 0;
  #checks = 0;
  #looks = 0;
  #last: unknown;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Refunds whose first order has not been answered, when the database was last there. */
  backlog(): number {
    return (this.#states.get('reserved') ?? 0) + (this.#states.get('submitting') ?? 0);
  }

  /** Orders that have reached the gateway. */
  orders(): number {
    return [...this.requests].reduce((sum, [kind, count]) => (kind === QUERY ? sum : sum + count), 0);
  }

  begin(phase: Phase, until: number): void {
    this.#phase = phase;
    this.#until = until;
    this.#timer ??= setInterval(() => {
      this.#countRequests();
      // One look at a time: while the database is away they would pile up.
      this.#looking = this.#looking.then(() => this.#query());
      this.#report();
    }, EVERY_MS);
  }

  /** Resolves when it has stopped looking. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#looking;
    this.#countRequests();
  }

  async #query(): Promise<void> {
    const { db } = this.#options.database;
    if (this.#timer === undefined) return;
    this.#looks += 1;
    try {
      const { rows } = await sql<{ state: string; count: number }>`
        select state, count(*)::int as count from refunds group by state order by count(*) desc
      `.execute(db);
      this.#states = new Map(rows.map(({ state, count }) => [state, count]));
      const { rows: kept } = await sql<{
        count: number;
      }>`select count(*)::int as count from webhooks`.execute(db);
      this.#notifications = kept[0]?.count ?? 0;
      if (this.#looks % LOOKS_FOR_A_CHECK !== 0) return;
      for (const violation of await violationsOf(this.#options.database.db)) this.violations.add(violation);
      this.#checks += 1;
    } catch {
      // It is away, which is part of the run.
    }
  }

  /** The gateway keeps the latest requests only; these are the ones since the last time. */
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
      notifications: { kept: this.#notifications, undelivered: this.#options.machine.gateway.undelivered() },
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
