/** Processes stored notifications in the background: concurrently, in any number of processes, with retries. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  claimWebhooks,
  finishWebhooks,
  subjectsOf,
  type ClaimedWebhook,
  type WebhookSubject,
} from '../../ledger/inbox/inbox.js';
import { purge } from '../../ledger/maintenance/purge.js';
import type { Log } from '../../settings/log.js';
import type { NotificationParts } from '../../client/open.js';
import { createNotificationProcess } from './process-notification.js';

export interface ProcessorOptions extends NotificationParts {
  readonly log: Log;
  /**
   * Milliseconds between polls for notifications that other processes stored or that are due again. Those stored by this process are
   * processed immediately. Default 1,000.
   */
  readonly pollMs?: number;
  /**
   * Milliseconds after which another process takes over a notification from one that died. It must exceed the timeouts of Temporal and the
   * database. Default 30,000.
   */
  readonly leaseMs?: number;
}

export interface NotificationProcessor {
  /** Starts processing now, because a notification was stored. */
  poke(): void;
  /** Claims no more notifications. Resolves when those in progress have ended. */
  close(): Promise<void>;
}

/** Notifications processed concurrently. More are claimed when half of them have ended, so that a slow one does not block the others. */
const CONCURRENCY = 32;
const POLL_MS = 1_000;
/** Milliseconds between the first notification and the claim, so that those that arrive together are claimed together. */
const GATHER_MS = 20;
const LEASE_MS = 30_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 60_000;
const PURGE_EVERY_MS = 24 * 3_600_000;

/** Starts the processor immediately. */
export function startNotificationProcessor(options: ProcessorOptions): NotificationProcessor {
  const { database, log, pollMs = POLL_MS, leaseMs = LEASE_MS } = options;
  const process = createNotificationProcess(options);
  const stopped = new AbortController();
  let wakeUp: () => void = () => undefined;
  let isPoked = false;

  async function work(notification: ClaimedWebhook, subject: WebhookSubject | undefined): Promise<void> {
    const about = {
      webhookId: notification.id,
      entityId: notification.entityId,
      gatewayId: notification.transaction.id,
      paymentId: subject?.payment.id,
      refundId: subject?.refund?.id,
      attemptId: subject?.attempt?.id,
      code: notification.transaction.result.code,
    };
    try {
      log.info('webhook.processed', { ...about, state: await process(notification, subject) });
    } catch (error) {
      log.warn('webhook.failed', { ...about, tries: notification.tries }, error);
      const dueInMs = Math.min(RETRY_FIRST_MS * 2 ** Math.min(notification.tries - 1, 16), RETRY_MAX_MS);
      // This fails, too, if the database is unavailable; then the lease expires.
      await finishWebhooks(database, [notification], { state: notification.state, dueInMs }).catch(
        () => undefined,
      );
    }
  }

  const running = new Set<Promise<void>>();

  /** Claims notifications up to the concurrency limit. Resolves to true if there may be more. */
  async function claim(): Promise<boolean> {
    while (running.size > CONCURRENCY / 2) await Promise.race(running);
    if (stopped.signal.aborted) return false;
    const free = CONCURRENCY - running.size;
    const claimed = await claimWebhooks(database, free, leaseMs);
    const subjects = await subjectsOf(
      database,
      claimed.map(({ id }) => id),
    );
    for (const notification of claimed) {
      const working = work(notification, subjects.get(notification.id)).finally(() =>
        running.delete(working),
      );
      running.add(working);
    }
    return claimed.length === free;
  }

  async function run(): Promise<void> {
    let purgeAt = 0;
    let purging: Promise<void> = Promise.resolve();
    while (!stopped.signal.aborted) {
      isPoked = false;
      let more = false;
      try {
        more = await claim();
        if (performance.now() >= purgeAt) {
          purgeAt = performance.now() + PURGE_EVERY_MS;
          purging = purgeOld();
        }
      } catch (error) {
        log.warn('webhook.inbox_unreadable', {}, error);
      }
      if (!more) await pause();
    }
    await Promise.all([...running, purging]);
  }

  /** Deletes expired rows in small batches beside the processing. The next daily purge deletes the rest. */
  async function purgeOld(): Promise<void> {
    try {
      const deleted = await purge(database, { signal: stopped.signal });
      const count = Object.values(deleted).reduce((sum, of) => sum + of, 0);
      if (count > 0) log.info('ledger.purged', { count });
    } catch (error) {
      log.warn('ledger.purge_failed', {}, error);
    }
  }

  /** Waits for the next notification or poll, then a moment for those that arrive with it. */
  async function pause(): Promise<void> {
    if (!isPoked && !stopped.signal.aborted)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMs);
        wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    wakeUp = () => undefined;
    if (isPoked) await sleep(GATHER_MS);
  }

  const done = run();
  return {
    poke() {
      isPoked = true;
      wakeUp();
    },
    async close() {
      stopped.abort();
      wakeUp();
      await done;
    },
  };
}
