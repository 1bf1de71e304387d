/** How old an attempt is, in milliseconds by the database's clock: two machines' clocks are never compared. */
import { sql } from 'kysely';
import type { AttemptRow } from '../core/locks.js';
import type { Tx } from '../db/database.js';

export interface AttemptAge {
  /** Negative while it may still be sent. */
  readonly sinceSendByMs: number;
  /** Null before the first look-up that did not find it. */
  readonly sinceLastMissMs: number | null;
}

/** At a moment by the database's clock, such as the one at which a query began. */
export function ageAt({ send_by, last_miss_at }: AttemptRow, at: Date): AttemptAge {
  return {
    sinceSendByMs: at.getTime() - send_by.getTime(),
    sinceLastMissMs: last_miss_at === null ? null : at.getTime() - last_miss_at.getTime(),
  };
}

export function ageOf(tx: Tx, attempt: AttemptRow): Promise<AttemptAge> {
  return tx
    .selectNoFrom([
      sql<number>`(extract(epoch from now() - ${attempt.send_by}::timestamptz) * 1000)::float8`.as(
        'sinceSendByMs',
      ),
      sql<
        number | null
      >`(extract(epoch from now() - ${attempt.last_miss_at}::timestamptz) * 1000)::float8`.as(
        'sinceLastMissMs',
      ),
    ])
    .executeTakeFirstOrThrow();
}
