/** What the routes work with. */
import type { Database } from '../../ledger/db/database.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Log } from '../../settings/log.js';
import type { RefundsClient } from '../../client/refunds-client.js';

export interface ApiParts {
  readonly client: RefundsClient;
  /** For reading. Who writes is the workflow. */
  readonly ledger: Ledger;
  readonly database: Database;
  readonly log: Log;
  /** Aborts when the process is about to end: nobody is kept waiting. */
  readonly closing: AbortSignal;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What a request turned out to be about, for its line in the log. */
    about: { readonly refundId?: string; readonly paymentId?: string };
  }
}
