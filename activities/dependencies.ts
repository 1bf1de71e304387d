/** Dependencies of the activities. The worker builds them once; tests and the client library build their own. */
import type { QueryNeed } from '../domain/query-budget.js';
import type { Moment } from '../domain/clock.js';
import type { CardOpener } from '../domain/card/sealed-card.js';
import type { Gateway } from '../gateway/gateway.js';
import type { Ledger } from '../ledger/ledger.js';

export interface Dependencies {
  readonly ledger: Ledger;
  readonly gateway: Gateway;
  /** Opens sealed cards. Only workers whose settings have the keys of cards have it; the API never does. */
  readonly cards?: CardOpener;
  /** The entity of a payment that is not in the ledger yet, if the request names none. */
  readonly defaultEntityId: string;
  /** True if the entity is configured here. */
  readonly hasEntity: (entityId: string) => boolean;
  /** True if the settings have keys of cards. Without them a request that names a card is refused. */
  readonly hasCardKeys: boolean;
  /** Reads both clocks of this machine. Deadlines are intervals of one process, never a comparison with another machine. */
  readonly now: () => Moment;
  /** Waits for `ms` without keeping the process alive. */
  readonly pause: (ms: number) => Promise<void>;
}

/** Returns `deps` whose gateway queries have the urgency `need`. The query budget of an entity serves the most urgent queries first. */
export function queryingFor(need: QueryNeed, deps: Dependencies): Dependencies {
  const { gateway } = deps;
  return {
    ...deps,
    gateway: {
      refund: (order) => gateway.refund(order),
      reverse: (order) => gateway.reverse(order),
      creditRegistration: (order) => gateway.creditRegistration(order),
      creditCard: (order) => gateway.creditCard(order),
      registerCard: (order) => gateway.registerCard(order),
      removeRegistration: (entityId, registrationId, limits) =>
        gateway.removeRegistration(entityId, registrationId, limits),
      findByReference: (entityId, reference) => gateway.findByReference(entityId, reference, need),
      findWithLinked: (entityId, id) => gateway.findWithLinked(entityId, id, need),
      findById: (entityId, id) => gateway.findById(entityId, id, need),
      resultCodes: (entityId) => gateway.resultCodes(entityId),
      interpret: (entityId, recorded) => gateway.interpret(entityId, recorded),
      close: () => gateway.close(),
    },
  };
}
