/** Exports the ledger's figures as gauges on `/metrics`. */
import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../../ledger/db/database.js';
import { readLedgerMetrics, type Figures } from '../../ledger/views/metrics.js';

/** Milliseconds for which figures are cached, so that all gauges and several scrapers share one database query. */
const FRESH = 5_000;

/** Samples of one gauge, each with its labels. */
type Values = readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];

/** Registers the gauges. If the ledger cannot be read, they are absent instead of stale, so that alerts can act on the absence. */
export function registerFigures(registry: Registry, database: Database, fresh: number = FRESH): void {
  let known: { readonly at: number; readonly figures: Promise<Figures | null> } | undefined;
  const read = (): Promise<Figures | null> => {
    const now = performance.now();
    if (known === undefined || now - known.at > fresh)
      known = { at: now, figures: readLedgerMetrics(database).catch(() => null) };
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
        // `reset` would set a gauge without labels to 0.
        if (labelNames.length === 0) this.remove();
        else this.reset();
        for (const { labels = {}, value } of figures === null ? unreadable : valuesOf(figures))
          this.set(labels, value);
      },
    });
  }
  const one = (value: number): Values => [{ value }];

  gauge('refunds_ledger_readable', '1 if the ledger could be read, else 0', [], () => one(1), one(0));
  gauge('refunds_unfinished', 'Refunds that are not final, by state', ['state'], ({ unfinished }) =>
    unfinished.map(({ state, count }) => ({ labels: { state }, value: count })),
  );
  gauge(
    'refunds_unfinished_oldest_seconds',
    'Longest time that an unfinished refund has been in its state, by state',
    ['state'],
    ({ unfinished }) =>
      unfinished.map(({ state, oldestSeconds }) => ({ labels: { state }, value: oldestSeconds })),
  );
  gauge('refunds_open_cases', 'Open cases that need an operator, by reason', ['why'], ({ openCases }) =>
    openCases.map(({ why, count }) => ({ labels: { why }, value: count })),
  );
  gauge(
    'refunds_open_cases_oldest_seconds',
    'Age of the oldest open case, by reason',
    ['why'],
    ({ openCases }) => openCases.map(({ why, oldestSeconds }) => ({ labels: { why }, value: oldestSeconds })),
  );
  gauge(
    'refunds_audit_violations',
    'Violations known to the last audit, by invariant; investigate anything but 0',
    ['invariant'],
    ({ audit }) =>
      (audit?.invariants ?? []).map(({ invariant, violations }) => ({
        labels: { invariant },
        value: violations,
      })),
  );
  gauge('refunds_audit_age_seconds', 'Time since the last audit; absent before the first', [], ({ audit }) =>
    audit === null ? [] : one(audit.ageSeconds),
  );
  gauge(
    'refunds_audit_complete',
    '1 if the last audit completed every check, 0 if one took too long',
    [],
    ({ audit }) => (audit === null ? [] : one(Number(audit.complete))),
  );
  gauge('refunds_events_waiting', 'Outgoing events that are not delivered yet', [], ({ events }) =>
    one(events.waiting),
  );
  gauge(
    'refunds_events_dead',
    'Outgoing events whose delivery was given up; an operator must resend them',
    [],
    ({ events }) => one(events.dead),
  );
  gauge(
    'refunds_events_oldest_waiting_seconds',
    'Age of the oldest outgoing event that is not delivered yet',
    [],
    ({ events }) => one(events.oldestWaitingSeconds),
  );
}
