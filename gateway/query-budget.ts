/** Waits for a query's turn in the budget, in place where the answer is waited for and else later. */
import type { QueryBudget, QueryEndpoint, QueryNeed } from '../domain/query-budget.js';
import { QueryBudgetSpent } from './errors.js';

/**
 * Milliseconds that a query waits for its turn in place. An operator or a client waits for the answer; what a workflow waits for
 * gives its activity slot back instead.
 */
const WAIT_IN_PLACE: Readonly<Record<QueryNeed, number>> = {
  operator: 10_000,
  doubt: 1_000,
  acceptance: 5_000,
  pending: 0,
};

/** Answers when the query may leave, and waits for it in place for `within` milliseconds. Throws {@link QueryBudgetSpent}. */
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
