/** The operating figures as gauges of `/metrics`. */
import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../../ledger/database.js';
import { operatingFigures, type OperatingFigures } from '../../ledger/upkeep-figures.js';

/** Milliseconds for which figures are told again: several scrapers, and all gauges of one, are one query. */
const FRESH = 5_000;

/** Figures that cannot be read are absent, not old: whoever is warned by them is warned by their absence too. */
export function registerFigures(registry: Registry, database: Database, fresh: number = FRESH): void {
  let known: { readonly at: number; readonly figures: Promise<OperatingFigures | null> } | undefined;
  const read = (): Promise<OperatingFigures | null> => {
    const now = performance.now();
    if (known === undefined || now - known.at > fresh)
      known = { at: now, figures: operatingFigures(database).catch(() => null) };
    return known.figures;
  };
  const gauge = (name: string, help: string, valueOf: (figures: OperatingFigures) => number | null): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const figures = await read();
        const value = figures === null ? null : valueOf(figures);
        if (value === null) this.remove();
        else this.set(value);
      },
    });
  };

  new Gauge({
    name: 'refunds_audit_violations',
    help: 'What the last audit found, for each invariant; anything but 0 is money that has to be looked at',
    labelNames: ['invariant'],
    registers: [registry],
    async collect() {
      const invariants = (await read())?.audit?.invariants ?? [];
      this.reset();
      for (const { invariant, violations } of invariants) this.set({ invariant }, violations);
    },
  });
  gauge('refunds_audit_age_seconds', 'Since the last audit; absent before the first', ({ audit }) =>
    audit === null ? null : audit.ageSeconds,
  );
  gauge(
    'refunds_audit_complete',
    '1 where the last audit asked every question, 0 where one took too long',
    ({ audit }) => (audit === null ? null : Number(audit.complete)),
  );
  gauge('refunds_events_waiting', 'Events that are not delivered yet', ({ events }) => events.waiting);
  gauge(
    'refunds_events_dead',
    'Events that were given up and wait for a person',
    ({ events }) => events.dead,
  );
  gauge(
    'refunds_events_oldest_waiting_seconds',
    'Age of the oldest event that is not delivered yet',
    ({ events }) => events.oldestWaitingSeconds,
  );
}
