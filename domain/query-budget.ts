/** The queries that the gateway allows: what each endpoint may be asked, and who goes first. */

/** Endpoints that the gateway limits each by itself, for each entity (vendor's API reference, "throttling"). */
export type QueryEndpoint = 'v3_search' | 'v3_query' | 'v1_search' | 'v1_payment';

/**
 * What a query is for, most urgent first: an operator waits for the answer; an outcome that is not known, or a proof before a
 * credit; a refund that is to be accepted; what is pending at the gateway, and notifications.
 */
export const QUERY_NEEDS = ['operator', 'doubt', 'acceptance', 'pending'] as const;
export type QueryNeed = (typeof QUERY_NEEDS)[number];

/** Shared by every process that queries for the same entities. */
export interface QueryBudget {
  /** Takes one query. 0: it may leave now. Else nothing was taken, and after so many milliseconds it may be asked for again. */
  take(entityId: string, endpoint: QueryEndpoint, need: QueryNeed): Promise<number>;
  /** The gateway answered that there were too many. */
  throttled(entityId: string, endpoint: QueryEndpoint): Promise<void>;
}
