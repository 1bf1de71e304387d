/** Dependencies of the routes. */
import type { Database } from '../../ledger/db/database.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Log } from '../../settings/log.js';
import type { CreditLimitsView, LimitsQuery } from '../../client/credit-limits.js';
import type { RefundsClient } from '../../client/refunds-client.js';

export interface ApiParts {
  readonly client: RefundsClient;
  /** For reads only. Workflows write. */
  readonly ledger: Ledger;
  readonly database: Database;
  /** Reads the limits of credits without an approval, and what is used of them. */
  readonly limits: (query: LimitsQuery) => Promise<readonly CreditLimitsView[]>;
  readonly log: Log;
  /** Aborts when the server shuts down, so that long polls and streams end. */
  readonly closing: AbortSignal;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Ids of the refund and payment that the request concerns, for its log line. */
    about: { readonly refundId?: string; readonly paymentId?: string };
  }
}
