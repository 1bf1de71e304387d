/** The ledger's figures as gauges of `/metrics`. */
import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../../ledger/db/database.js';
import { figuresOf, type Figures } from '../../ledger/views/figures.js';

/** Milliseconds for which figures are told again: several scrapers, and all gauges of one, are one query. */
const FRESH = 5_000;

/** What one gauge shows of the figures: a value for each of its labels. */
type Values = readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];

/** Figures that cannot be read are absent, not old: whoever is warned by them is warned by their absence too. */
export function registerFigures(registry: Registry, database: Database, fresh: number = FRESH): void {
  let known: { readonly at: number; readonly figures: Promise<Figures | null> } | undefined;
  const read = (): Promise<Figures | null> => {
    const now = performance.now();
    if (known === undefined || now - known.at > fresh)
      known = { at: now, figures: figuresOf(database).catch(() => null) };
    return known.figures;
  };
  function gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    valuesOf: (figures: Figures) => Values,
    unreadable: Values = [],
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const figures = await read();
        // One without labels would be set to 0 by `reset`.
        if (labelNames.length === 0) this.remove();
        else this.reset();
        for (const { labels = {}, value } of figures === null ? unreadable : valuesOf(figures))
          this.set(labels, value);
      },
    });
  }
  const one = (value: number): Values => [{ value }];

  gauge(
    'refunds_ledger_readable',
    '1 while the figures of the ledger could be read',
    [],
    () => one(1),
    one(0),
  );
  gauge('refunds_unfinished', 'Refunds that are not final, by state', ['state'], ({ unfinished }) =>
    unfinished.map(({ state, count }) => ({ labels: { state }, value: count })),
  );
  gauge(
    'refunds_unfinished_oldest_seconds',
    'Seconds since the oldest refund of each state is in it',
    ['state'],
    ({ unfinished }) =>
      unfinished.map(({ state, oldestSeconds }) => ({ labels: { state }, value: oldestSeconds })),
  );
  gauge('refunds_open_cases', 'Cases that wait for a person, by reason', ['why'], ({ openCases }) =>
    openCases.map(({ why, count }) => ({ labels: { why }, value: count })),
  );
  gauge(
    'refunds_open_cases_oldest_seconds',
    'Seconds since the oldest case of each reason is open',
    ['why'],
    ({ openCases }) => openCases.map(({ why, oldestSeconds }) => ({ labels: { why }, value: oldestSeconds })),
  );
  gauge(
    'refunds_audit_violations',
    'What the last audit found, for each invariant; anything but 0 is money that has to be looked at',
    ['invariant'],
    ({ audit }) =>
      (audit?.invariants ?? []).map(({ invariant, violations }) => ({
        labels: { invariant },
        value: violations,
      })),
  );
  gauge('refunds_audit_age_seconds', 'Since the last audit; absent before the first', [], ({ audit }) =>
    audit === null ? [] : one(audit.ageSeconds),
  );
  gauge(
    'refunds_audit_complete',
    '1 where the last audit asked every question, 0 where one took too long',
    [],
    ({ audit }) => (audit === null ? [] : one(Number(audit.complete))),
  );
  gauge('refunds_events_waiting', 'Events that are not delivered yet', [], ({ events }) =>
    one(events.waiting),
  );
  gauge('refunds_events_dead', 'Events that were given up and wait for a person', [], ({ events }) =>
    one(events.dead),
  );
  gauge(
    'refunds_events_oldest_waiting_seconds',
    'Age of the oldest event that is not delivered yet',
    [],
    ({ events }) => one(events.oldestWaitingSeconds),
  );
}
