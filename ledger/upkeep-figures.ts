/** Numbers that whoever runs the service watches: what the last audit found, and whether events arrive. */
import { sql } from 'kysely';
import { latestAudit, type StoredAudit } from './audits.js';
import type { Database } from './database.js';
import { upkeepOf } from './upkeep-tables.js';

export interface OperatingFigures {
  /** Null before the first audit. */
  readonly audit: {
    readonly ageSeconds: number;
    readonly complete: boolean;
    readonly invariants: StoredAudit['invariants'];
  } | null;
  readonly events: {
    /** Not delivered yet. */
    readonly waiting: number;
    /** Given up; a person has to send them again. */
    readonly dead: number;
    /** Since the oldest waiting one was written; 0 where none waits. */
    readonly oldestWaitingSeconds: number;
  };
}

/** Reads a few rows and two small indexes: cheap enough for every scrape. Ages by the database's clock. */
export async function operatingFigures(database: Database): Promise<OperatingFigures> {
  const db = upkeepOf(database);
  const [audit, { now, waiting, dead, oldest }] = await Promise.all([
    latestAudit(database),
    db
      .selectNoFrom((eb) => [
        sql<Date>`now()`.as('now'),
        eb
          .selectFrom('event_deliveries')
          .select(sql<string>`count(*)::text`.as('number'))
          .where('state', '=', 'waiting')
          .as('waiting'),
        eb
          .selectFrom('event_deliveries')
          .select(sql<string>`count(*)::text`.as('number'))
          .where('state', '=', 'dead')
          .as('dead'),
        eb
          .selectFrom('event_deliveries')
          .select(sql<number>`coalesce(extract(epoch from now() - min(created_at)), 0)::float8`.as('seconds'))
          .where('state', '=', 'waiting')
          .as('oldest'),
      ])
      .executeTakeFirstOrThrow(),
  ]);
  return {
    audit:
      audit === null
        ? null
        : {
            ageSeconds: Math.max(0, (now.getTime() - audit.at.getTime()) / 1_000),
            complete: audit.complete,
            invariants: audit.invariants,
          },
    events: {
      waiting: Number(waiting ?? 0),
      dead: Number(dead ?? 0),
      oldestWaitingSeconds: Math.max(0, oldest ?? 0),
    },
  };
}
