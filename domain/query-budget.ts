/** The budget of gateway queries: its endpoints, and which query goes first. */

/** Endpoints that the gateway limits separately for each entity, in the vendor's names (API reference, "throttling"; docs/decisions/018). */
export type QueryEndpoint = 'v3_search' | 'v3_query' | 'v1_search' | 'v1_payment';

/**
 * Purposes of a query, most urgent first. `operator`: an operator waits for the answer. `doubt`: an unknown outcome, or proof before a
 * credit. `acceptance`: a refund is being accepted. `pending`: pending attempts and notifications.
 */
export const QUERY_NEEDS = ['operator', 'doubt', 'acceptance', 'pending'] as const;
export type QueryNeed = (typeof QUERY_NEEDS)[number];

/** Shared by every process that queries for the same entities. */
export interface QueryBudget {
  /** Takes one query. Returns 0 if it may be sent now; otherwise takes nothing and returns the milliseconds until the next try. */
  take(entityId: string, endpoint: QueryEndpoint, need: QueryNeed): Promise<number>;
  /** Records that the gateway answered with too many queries. */
  throttled(entityId: string, endpoint: QueryEndpoint): Promise<void>;
}
