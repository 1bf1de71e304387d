/** An in-memory database for the real ledger: the ledger's own functions run on it, so there is no second ledger to keep consistent. */
import type { Kysely } from 'kysely';
import type { Database, Tables, Tx } from '../../../ledger/db/database.js';
import { Delete, Insert, Select, Update, type Turn } from './queries.js';
import { MemoryTables, type TableName } from './tables.js';

export interface MemoryDatabase extends Database {
  /** All rows, for the checks. */
  readonly tables: MemoryTables;
}

/**
 * Opens an in-memory database. `clock`: milliseconds for `now()`; `before`: rows that exist already. Transactions are atomic and run one at
 * a time. It waits for nothing but promises: after draining the microtask queue, a call's whole transaction is visible.
 */
export function openMemoryDatabase(clock: () => number, before?: MemoryTables): MemoryDatabase {
  const tables = before === undefined ? new MemoryTables(clock) : MemoryTables.after(before, clock);
  let inProgress: Promise<unknown> | undefined;

  async function alone<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    while (inProgress !== undefined) await inProgress;
    let done = (): void => undefined;
    inProgress = new Promise<void>((resolve) => (done = resolve));
    tables.begin();
    let retain = false;
    try {
      const result = await work(inside);
      retain = true;
      return result;
    } finally {
      tables.end(retain);
      inProgress = undefined;
      done();
    }
  }

  const inside = queriesOn(tables, () => undefined);
  const outside = queriesOn(tables, () => inProgress);
  return {
    tables,
    db: outside,
    transaction: alone,
    snapshot: alone,
    close: () => Promise.resolve(),
  };
}

function queriesOn(tables: MemoryTables, turn: Turn): Tx {
  const queries: unknown = {
    selectFrom: (table: TableName) => new Select(tables, turn, table),
    selectNoFrom: (what: unknown) => new Select(tables, turn, undefined).select(what),
    insertInto: (table: TableName) => new Insert(tables, turn, table),
    updateTable: (table: TableName) => new Update(tables, turn, table),
    deleteFrom: (table: TableName) => new Delete(tables, turn, table),
  };
  if (!isBuilder(queries)) throw new Error('unreachable');
  return queries;
}

/**
 * Treats the value as a Kysely builder. It has only the methods that the ledger calls; calling another one throws an error with its name. The
 * contract tests run on this database and on PostgreSQL.
 */
function isBuilder(queries: unknown): queries is Tx & Kysely<Tables> {
  return typeof queries === 'object';
}
