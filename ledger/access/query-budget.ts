/** Budget of gateway queries in PostgreSQL, shared by all processes: one row for each entity and endpoint, one statement for each query. */
import { sql } from 'kysely';
import { QUERY_NEEDS, type QueryBudget, type QueryEndpoint } from '../../domain/query-budget.js';
import type { Database } from '../db/database.js';

interface Limit {
  /** Queries in one window. */
  readonly most: number;
  /** Of these, reserved for operators. */
  readonly kept: number;
  /** Length of the window in milliseconds. */
  readonly window: number;
}

/** Requests take different times to arrive, so queries that leave within one of our windows may arrive within a shorter one. */
const MARGIN = 1.05;

/**
 * Returns the limits of each endpoint. `searchesPerSecond` is 0.5 if the gateway allows 30 searches a minute; the other endpoints follow
 * in the proportions that the gateway documents: 100 queries by id, 2 of v1. Short windows keep waits short; the sum over a minute is the
 * same.
 */
function limitsAt(searchesPerSecond: number): Readonly<Record<QueryEndpoint, Limit>> {
  const window = (5_000 / searchesPerSecond) * MARGIN;
  const v1 = { most: 2, kept: 0, window: window * 6 };
  return {
    v3_search: { most: 5, kept: 1, window },
    v3_query: { most: 16, kept: 1, window },
    v1_search: v1,
    v1_payment: v1,
  };
}

/**
 * Windows for which a throttled endpoint is not queried (`CLOSED_WINDOWS`), and for which it then has half of its rate
 * (`LOWERED_WINDOWS`).
 */
const CLOSED_WINDOWS = 1;
const LOWERED_WINDOWS = 30;

export function createQueryBudget(database: Database, searchesPerSecond: number): QueryBudget {
  const limits = limitsAt(searchesPerSecond);
  return {
    async take(entityId, endpoint, need) {
      const { most, kept, window } = limits[endpoint];
      const { rows } = await sql<{ wait: number }>`
        select take_query(${entityId}, ${endpoint}, ${QUERY_NEEDS.indexOf(need) + 1}, ${most}, ${kept},
          ${window}::float8 * interval '1 millisecond') as wait`.execute(database.db);
      return rows[0]?.wait ?? window;
    },
    async throttled(entityId, endpoint) {
      const { window } = limits[endpoint];
      await sql`
        update query_budgets
        set closed_until = now() + ${window * CLOSED_WINDOWS}::float8 * interval '1 millisecond',
            lowered_until = now() + ${window * LOWERED_WINDOWS}::float8 * interval '1 millisecond'
        where entity_id = ${entityId} and endpoint = ${endpoint}`.execute(database.db);
    },
  };
}
