/** Posts events about refunds to the client's address. Several processes may do it at once: the events of one that dies are posted by the others. */
import { setTimeout as sleep } from 'node:timers/promises';
import { viewOf } from '../../client/view.js';
import type { Database } from '../../ledger/db/database.js';
import type { Ledger } from '../../ledger/ledger.js';
import { deleteDelivered, recordDelivery, takeDueEvents, type DueEvent } from '../../ledger/outbox/outbox.js';
import type { EventsSettings } from '../../settings/events.js';
import type { Log } from '../../settings/log.js';
import { createPoster } from './post.js';
import { settlementOf, type DeliveryTimings } from './retries.js';
import { signatureHeaders } from './signature.js';

export interface DispatcherOptions {
  readonly database: Database;
  readonly ledger: Pick<Ledger, 'findRefund'>;
  readonly events: EventsSettings;
  readonly timings: DeliveryTimings;
  readonly log: Log;
}

export interface Dispatcher {
  /** Stops taking events and resolves when running deliveries have an answer or have timed out. */
  stop(): Promise<void>;
}

const MOST_AT_ONCE = 20;
const DELETE_EVERY_MS = 3_600_000;
const DELETED_AT_ONCE = 1_000;

export function startDispatcher({ database, ledger, events, timings, log }: DispatcherOptions): Dispatcher {
  const poster = createPoster(events.url, timings.answerWithin, MOST_AT_ONCE);
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();

  async function deliver(event: DueEvent): Promise<void> {
    const startedAt = performance.now();
    const body = await bodyOf(ledger, event);
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'oppwa-refunds',
      ...signatureHeaders(event.id, Math.floor(Date.now() / 1_000), body, events.secrets),
    };
    const settlement = settlementOf(await poster.post(headers, body), event, timings, Math.random());
    await recordDelivery(database, event, settlement);
    const fields = {
      eventId: event.id,
      refundId: event.refundId,
      tries: event.tries,
      durationMs: Math.round(performance.now() - startedAt),
      ...(settlement.status === null ? {} : { status: settlement.status }),
      ...(settlement.kind === 'delivered' ? {} : { code: settlement.error }),
    };
    if (settlement.kind === 'delivered') log.info('event.delivered', fields);
    else if (settlement.kind === 'again') log.warn('event.not_delivered', fields);
    else log.error('event.given_up', fields);
  }

  function start(event: DueEvent): void {
    const delivery = deliver(event)
      // The lease expires, and the event is delivered again.
      .catch((error: unknown) => {
        log.error('event.delivery_failed', { eventId: event.id, refundId: event.refundId }, error);
      })
      .finally(() => running.delete(delivery));
    running.add(delivery);
  }

  let tick: Promise<void> | undefined;
  /** Shares one timer, also when deliveries end before it fires. */
  function nextTick(): Promise<void> {
    tick ??= pause(timings.poll, stopping.signal).finally(() => {
      tick = undefined;
    });
    return tick;
  }

  let deleteAt = 0;
  /** Deletes old delivered events once an hour, in batches, so that no event waits for it. */
  async function deleteOld(): Promise<void> {
    if (performance.now() < deleteAt) return;
    const count = await deleteDelivered(database, events.keptMs, DELETED_AT_ONCE);
    if (count < DELETED_AT_ONCE) deleteAt = performance.now() + DELETE_EVERY_MS;
    if (count > 0) log.info('event.forgotten', { count });
  }

  async function dispatch(): Promise<void> {
    while (!stopping.signal.aborted) {
      const free = MOST_AT_ONCE - running.size;
      try {
        if (free > 0) for (const event of await takeDueEvents(database, free, timings.lease)) start(event);
        await deleteOld();
      } catch (error) {
        log.warn('event.outbox_unreadable', {}, error);
      }
      // A delivery that ends may have held up the next event of its refund.
      await Promise.race([nextTick(), ...running]);
    }
    await Promise.all(running);
  }

  const stopped = dispatch().then(() => poster.close());
  return {
    async stop() {
      stopping.abort();
      await stopped;
    },
  };
}

/** Returns the event's body. `refund` is the current refund, which may be newer than the event; `state` is that of the event. */
async function bodyOf(ledger: Pick<Ledger, 'findRefund'>, event: DueEvent): Promise<string> {
  const record = await ledger.findRefund(event.refundId);
  if (record === null)
    throw new Error(`event ${event.id}: its refund ${event.refundId} is not in the ledger`);
  return JSON.stringify({
    id: event.id,
    type: event.type,
    createdAt: event.at.toISOString(),
    data: {
      state: event.type.replace(/^refund\./, ''),
      why: event.why,
      sequence: event.sequence,
      refund: viewOf(record),
    },
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
