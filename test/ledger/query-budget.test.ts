/** The budget of queries on PostgreSQL: the rate holds for all processes together, and more urgent queries go first. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { QueryBudget, QueryNeed } from '../../domain/query-budget.js';
import { openDatabase } from '../../ledger/db/database.js';
import { createQueryBudget } from '../../ledger/access/query-budget.js';
import { freshDatabase } from '../support/database.js';

const url = await freshDatabase('migrated');
/** Two processes, each with its own connections. */
const databases = [openDatabase(url), openDatabase(url)];
afterAll(async () => {
  for (const database of databases) await database.close();
});
/** Searches: 5 in 525 ms, 1 of them reserved for operators. */
const PER_SECOND = 10;
const WINDOW = 525;
const budgets = databases.map((database) => createQueryBudget(database, PER_SECOND));
const [first, second] = budgets as [QueryBudget, QueryBudget];

let entities = 0;
const newEntity = (): string => (entities += 1).toString(16).padStart(32, '0');

/** Takes queries as soon as allowed, until `until`. Returns the time of each. */
async function takeAll(
  budget: QueryBudget,
  entityId: string,
  need: QueryNeed,
  until: number,
): Promise<number[]> {
  const taken: number[] = [];
  while (performance.now() < until) {
    const wait = await budget.take(entityId, 'v3_search', need);
    if (wait === 0) taken.push(performance.now());
    else await pause(wait);
  }
  return taken;
}

describe('the queries of one entity', () => {
  it('are at most as many as the gateway allows in any window, however many processes query', async () => {
    const entity = newEntity();
    const until = performance.now() + 4 * WINDOW;
    const takers = Array.from({ length: 12 }, (_, at) =>
      takeAll(budgets[at % 2] ?? first, entity, at < 3 ? 'operator' : 'pending', until),
    );
    await Promise.all(takers);
    const { rows } = await databaseRows(entity);
    expect(rows[0]?.taken.length).toBeLessThanOrEqual(5);
    const all = (await Promise.all(takers)).flat().sort((a, b) => a - b);
    expect(all.length).toBeGreaterThan(10);
    // Times are taken under the row's lock by the database's clock; a slow answer changes a time measured here, but not the order there.
    expect(all.length).toBeLessThanOrEqual(5 * 6);
  });

  it('return how long to wait, and are granted after that time', async () => {
    const entity = newEntity();
    for (let nth = 0; nth < 4; nth += 1) expect(await first.take(entity, 'v3_search', 'pending')).toBe(0);
    const wait = await second.take(entity, 'v3_search', 'pending');
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(WINDOW);
    await pause(wait + 5);
    expect(await second.take(entity, 'v3_search', 'pending')).toBe(0);
  });

  it('reserve one for operators, whatever the backlog', async () => {
    const entity = newEntity();
    for (let nth = 0; nth < 20; nth += 1) await first.take(entity, 'v3_search', 'pending');
    expect(await second.take(entity, 'v3_search', 'operator')).toBe(0);
  });

  it('are granted to more urgent needs first', async () => {
    const entity = newEntity();
    for (let nth = 0; nth < 4; nth += 1) await first.take(entity, 'v3_search', 'pending');
    const doubt = await first.take(entity, 'v3_search', 'doubt');
    expect(doubt).toBeGreaterThan(0);
    await pause(doubt + 5);
    // Four are free; one of them goes to the waiting need `doubt`.
    const served: number[] = [];
    for (let nth = 0; nth < 4; nth += 1) served.push(await second.take(entity, 'v3_search', 'pending'));
    expect(served.filter((wait) => wait === 0).length).toBe(3);
    expect(await first.take(entity, 'v3_search', 'doubt')).toBe(0);
  });

  it('are only operators’ for a while after the gateway throttled, then half as many', async () => {
    const entity = newEntity();
    expect(await first.take(entity, 'v3_search', 'pending')).toBe(0);
    await first.throttled(entity, 'v3_search');
    for (const need of ['pending', 'acceptance', 'doubt'] as const)
      expect(await second.take(entity, 'v3_search', need)).toBeGreaterThan(0);
    expect(await second.take(entity, 'v3_search', 'operator')).toBe(0);
    await pause(WINDOW * 1.2);
    const served: number[] = [];
    for (let nth = 0; nth < 5; nth += 1) served.push(await first.take(entity, 'v3_search', 'operator'));
    expect(served.filter((wait) => wait === 0).length).toBe(2);
  });

  it('are counted for each endpoint and each entity', async () => {
    const entity = newEntity();
    for (let nth = 0; nth < 2; nth += 1) expect(await first.take(entity, 'v1_search', 'pending')).toBe(0);
    expect(await first.take(entity, 'v1_search', 'operator')).toBeGreaterThan(WINDOW);
    expect(await first.take(entity, 'v1_payment', 'pending')).toBe(0);
    expect(await first.take(entity, 'v3_query', 'pending')).toBe(0);
    expect(await first.take(newEntity(), 'v1_search', 'pending')).toBe(0);
  });
});

const databaseRows = async (entityId: string): Promise<{ rows: readonly { taken: readonly Date[] }[] }> => {
  const { sql } = await import('kysely');
  return sql<{
    taken: readonly Date[];
  }>`select taken from query_budgets where entity_id = ${entityId}`.execute(databases[0]?.db ?? never());
};

function never(): never {
  throw new Error('no database');
}
