/** Records which entities have no v3 reporting: learned from one query, shared by all processes, checked again after some hours. */
import { sql } from 'kysely';
import type { ReportingRecord } from '../../domain/reporting.js';
import type { Database } from '../db/database.js';

/** Milliseconds after which v3 is tried again. The vendor enables reporting manually, so it rarely changes. */
const ASKED_AGAIN_AFTER = 6 * 60 * 60_000;
/** Milliseconds for which a process uses its cached result instead of reading the table. */
const REMEMBERED_FOR = 60_000;

interface Remembered {
  readonly hasV3: boolean;
  /** True if a row in the table says that v3 was declined. An answer by v3 deletes the row. */
  readonly isDeclined: boolean;
  readonly until: number;
}

export function createReportingRecord(database: Database): ReportingRecord {
  const remembered = new Map<string, Remembered>();
  const remember = (entityId: string, hasV3: boolean, isDeclined: boolean): boolean => {
    remembered.set(entityId, { hasV3, isDeclined, until: performance.now() + REMEMBERED_FOR });
    return hasV3;
  };
  return {
    async hasV3(entityId) {
      const known = remembered.get(entityId);
      // Only `true` is cached: entities without v3 query twice a minute, and another process may have found that v3 works.
      if (known?.hasV3 === true && performance.now() < known.until) return true;
      const { rows } = await sql<{ recent: boolean }>`
        select seen_at > now() - ${ASKED_AGAIN_AFTER}::float8 * interval '1 millisecond' as recent
        from entity_reporting where entity_id = ${entityId}`.execute(database.db);
      return remember(entityId, rows[0]?.recent !== true, rows.length > 0);
    },
    async note(entityId, seen) {
      if (!seen.hasV3) {
        await sql`
          insert into entity_reporting (entity_id, code) values (${entityId}, ${seen.code})
          on conflict (entity_id) do update set code = excluded.code, seen_at = now()`.execute(database.db);
        remember(entityId, false, true);
        return;
      }
      if (remembered.get(entityId)?.isDeclined !== true) return;
      await sql`delete from entity_reporting where entity_id = ${entityId}`.execute(database.db);
      remember(entityId, true, false);
    },
  };
}

export interface WithoutV3 {
  readonly entityId: string;
  readonly code: string;
  readonly since: Date;
}

/** Returns entities that have only v1: refunds and queries work, but no credit and no proof of absence. */
export async function entitiesWithoutV3({ db }: Pick<Database, 'db'>): Promise<readonly WithoutV3[]> {
  const { rows } = await sql<WithoutV3>`
    select entity_id as "entityId", code, since from entity_reporting order by entity_id`.execute(db);
  return rows;
}
