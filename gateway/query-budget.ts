/** Waits until the budget allows a query, or throws so that the query is retried later. */
import type { QueryBudget, QueryEndpoint, QueryNeed } from '../domain/query-budget.js';
import { QueryBudgetSpent } from './errors.js';

/**
 * Longest wait for the budget in milliseconds. Operators and clients wait for the answer. An activity of a workflow is retried later
 * instead, which frees its slot.
 */
const WAIT_IN_PLACE: Readonly<Record<QueryNeed, number>> = {
  operator: 10_000,
  doubt: 1_000,
  acceptance: 5_000,
  pending: 0,
};

/** Resolves when the query may be sent. Throws {@link QueryBudgetSpent} if that takes longer than `within` milliseconds. */
export async function takeTurn(
  budget: QueryBudget,
  entityId: string,
  endpoint: QueryEndpoint,
  need: QueryNeed,
  within: number = WAIT_IN_PLACE[need],
): Promise<void> {
  const giveUpAt = performance.now() + within;
  for (;;) {
    const wait = await budget.take(entityId, endpoint, need);
    if (wait <= 0) return;
    if (performance.now() + wait > giveUpAt) throw new QueryBudgetSpent(wait);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** `/v3/query?…`, `/v3/query/{id}?…`, `/v1/query?…`, `/v1/payments/{id}?…`; undefined where there is no limit. */
export function endpointOf(path: string): QueryEndpoint | undefined {
  if (path.startsWith('/v3/query?')) return 'v3_search';
  if (path.startsWith('/v3/query/')) return 'v3_query';
  if (path.startsWith('/v1/query')) return 'v1_search';
  return path.startsWith('/v1/payments/') ? 'v1_payment' : undefined;
}
