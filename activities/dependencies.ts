/** What the activities work with. Built once by the worker; tests and the client build their own. */
import type { QueryNeed } from '../domain/query-budget.js';
import type { Moment } from '../domain/clock.js';
import type { GatewayHost } from '../domain/refusals.js';
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
  /** Both clocks of this machine: deadlines are intervals of one process, never a comparison with another machine. */
  readonly now: () => Moment;
  /** Waits so many milliseconds, without keeping the process alive. */
  readonly pause: (ms: number) => Promise<void>;
}

/** The same, with queries of this urgency: the entity's budget serves the more urgent first. */
export function queryingFor(need: QueryNeed, deps: Dependencies): Dependencies {
  const { gateway } = deps;
  return {
    ...deps,
    gateway: {
      refund: (order) => gateway.refund(order),
      reverse: (order) => gateway.reverse(order),
      creditRegistration: (order) => gateway.creditRegistration(order),
      creditCard: (order) => gateway.creditCard(order),
      findByReference: (entityId, reference) => gateway.findByReference(entityId, reference, need),
      findWithLinked: (entityId, id) => gateway.findWithLinked(entityId, id, need),
      findById: (entityId, id) => gateway.findById(entityId, id, need),
      resultCodes: (entityId) => gateway.resultCodes(entityId),
      close: () => gateway.close(),
    },
  };
}
