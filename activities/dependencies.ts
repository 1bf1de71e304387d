/** What the activities work with. Built once by the worker; tests and the client build their own. */
import type { GatewayHost } from '../domain/result-codes.js';
import type { Gateway } from '../gateway/gateway.js';
import type { Ledger } from '../ledger/ledger.js';

export interface Dependencies {
  readonly ledger: Ledger;
  readonly gateway: Gateway;
  /** The entity of a payment that is not known yet and for which none was named. */
  readonly defaultEntityId: string;
  /** Whether an entity is configured here. */
  readonly hasEntity: (entityId: string) => boolean;
  /** A test host's success codes are successes; on a live host they mean that no money moved. */
  readonly hostOf: (entityId: string) => GatewayHost;
  /** Monotonic milliseconds: deadlines are measured by one process, never by comparing two clocks. */
  readonly now: () => number;
}
