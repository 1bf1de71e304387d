/** How much waits and where, for the metrics. Counted over what is not final; what has ended is history. */
import { sql } from 'kysely';
import { FINAL_STATES } from '../domain/states.js';
import type { Database } from './database.js';

export interface Figures {
  /** Refunds that are not final, by state. */
  readonly unfinished: readonly {
    readonly state: string;
    readonly count: number;
    readonly oldestSeconds: number;
  }[];
  readonly openCases: readonly {
    readonly why: string;
    readonly count: number;
    readonly oldestSeconds: number;
  }[];
}

export async function figuresOf({ db }: Database): Promise<Figures> {
  const finals = sql.join(FINAL_STATES.map((state) => sql.lit(state)));
  const [unfinished, openCases] = await Promise.all([
    // With the literals of the partial index, which then is all that is read.
    db
      .selectFrom('refunds')
      .select([
        'state',
        sql<number>`count(*)::int`.as('count'),
        sql<number>`extract(epoch from now() - min(state_since))::float8`.as('oldestSeconds'),
      ])
      .where(sql<boolean>`state not in (${finals})`)
      .groupBy('state')
      .execute(),
    db
      .selectFrom('cases')
      .select([
        'why',
        sql<number>`count(*)::int`.as('count'),
        sql<number>`extract(epoch from now() - min(opened_at))::float8`.as('oldestSeconds'),
      ])
      .where('closed_at', 'is', null)
      .groupBy('why')
      .execute(),
  ]);
  return { unfinished, openCases };
}
