/** Metrics of the ledger: refunds and cases that wait, the last audit, and outgoing events. */
import { sql } from 'kysely';
import { FINAL_STATES } from '../../domain/refund/states.js';
import { latestAudit, type StoredAudit } from '../maintenance/audits.js';
import type { Database } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { maintenanceDb } from '../db/maintenance-tables.js';

interface Waiting {
  readonly count: number;
  readonly oldestSeconds: number;
}

export interface Figures {
  /** Refunds that are not final, by state. */
  readonly unfinished: readonly (Waiting & { readonly state: string })[];
  readonly openCases: readonly (Waiting & { readonly why: string })[];
  /** Null before the first audit. */
  readonly audit: {
    readonly ageSeconds: number;
    readonly complete: boolean;
    readonly invariants: StoredAudit['invariants'];
  } | null;
  readonly events: {
    /** Not delivered yet. */
    readonly waiting: number;
    /** Given up; an operator has to send them again. */
    readonly dead: number;
    /** Seconds since the oldest waiting event; 0 if none waits. */
    readonly oldestWaitingSeconds: number;
  };
}

/** Reads the metrics. It uses small partial indexes only, so it is cheap enough for every scrape. Ages by the database's clock. */
export async function readLedgerMetrics(database: Database): Promise<Figures> {
  const [unfinished, openCases, audit, { now, ...events }] = await Promise.all([
    unfinishedRefunds(database),
    casesThatAreOpen(database),
    latestAudit(database),
    undelivered(database),
  ]);
  return {
    unfinished,
    openCases,
    audit:
      audit === null
        ? null
        : {
            ageSeconds: Math.max(0, (now.getTime() - audit.at.getTime()) / 1_000),
            complete: audit.complete,
            invariants: audit.invariants,
          },
    events,
  };
}

function unfinishedRefunds({ db }: Database): Promise<Figures['unfinished']> {
  // The literals match the partial index, so only the index is read.
  const finals = sql.join(FINAL_STATES.map((state) => sql.lit(state)));
  return db
    .selectFrom('refunds')
    .select([
      'state',
      sql<number>`count(*)::int`.as('count'),
      sql<number>`extract(epoch from now() - min(state_since))::float8`.as('oldestSeconds'),
    ])
    .where(sql<boolean>`state not in (${finals})`)
    .groupBy('state')
    .execute();
}

function casesThatAreOpen({ db }: Database): Promise<Figures['openCases']> {
  return db
    .selectFrom('cases')
    .select([
      'why',
      sql<number>`count(*)::int`.as('count'),
      sql<number>`extract(epoch from now() - min(opened_at))::float8`.as('oldestSeconds'),
    ])
    .where('closed_at', 'is', null)
    .groupBy('why')
    .execute();
}

/** Counts undelivered events, one state at a time because each has its own index. */
async function undelivered(database: Database): Promise<Figures['events'] & { readonly now: Date }> {
  const { now, waiting, dead, oldest } = await maintenanceDb(database)
    .selectNoFrom((eb) => {
      const events = eb.selectFrom('event_deliveries');
      const number = events.select(sql<number>`count(*)::int`.as('number'));
      const age = sql<number>`coalesce(extract(epoch from now() - min(created_at)), 0)::float8`;
      return [
        NOW.as('now'),
        number.where('state', '=', 'waiting').as('waiting'),
        number.where('state', '=', 'dead').as('dead'),
        events.select(age.as('seconds')).where('state', '=', 'waiting').as('oldest'),
      ];
    })
    .executeTakeFirstOrThrow();
  return { now, waiting: waiting ?? 0, dead: dead ?? 0, oldestWaitingSeconds: Math.max(0, oldest ?? 0) };
}
