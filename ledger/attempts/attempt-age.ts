/** Age of an attempt in milliseconds, by the database's clock. Times of two machines are never compared. */
import { sql } from 'kysely';
import type { AttemptRow } from '../core/locks.js';
import type { Tx } from '../db/database.js';

export interface AttemptAge {
  /** Milliseconds since the send-by deadline. Negative while the attempt may still be sent. */
  readonly sinceSendByMs: number;
  /** Milliseconds since the last query that did not find the attempt; null before the first one. */
  readonly sinceLastNotFoundMs: number | null;
}

/** Returns the age at `at`, a time by the database's clock, for example the beginning of a query. */
export function ageAt({ send_by, last_not_found_at }: AttemptRow, at: Date): AttemptAge {
  return {
    sinceSendByMs: at.getTime() - send_by.getTime(),
    sinceLastNotFoundMs: last_not_found_at === null ? null : at.getTime() - last_not_found_at.getTime(),
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
      >`(extract(epoch from now() - ${attempt.last_not_found_at}::timestamptz) * 1000)::float8`.as(
        'sinceLastNotFoundMs',
      ),
    ])
    .executeTakeFirstOrThrow();
}
