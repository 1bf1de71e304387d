/** Works through the notices behind the receiver's back: many at once, in any number of processes, again where it failed. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  claimWebhooks,
  settleWebhooks,
  subjectsOf,
  type ClaimedWebhook,
  type WebhookSubject,
} from '../../ledger/inbox/inbox.js';
import { purge } from '../../ledger/maintenance/purge.js';
import type { Log } from '../../settings/log.js';
import type { NoticeParts } from '../../client/open.js';
import { createNoticeProcess } from './process.js';

export interface ProcessorOptions extends NoticeParts {
  readonly log: Log;
  /** Milliseconds between looks for what came elsewhere or is due again; what this process stores is seen at once. Default 1,000. */
  readonly pollMs?: number;
  /** Milliseconds that a notice stays with a process that died over it. Longer than Temporal and the database may take. Default 30,000. */
  readonly leaseMs?: number;
}

export interface NoticeProcessor {
  /** Something was stored. */
  poke(): void;
  /** Takes no more, and answers when what is under way has ended. */
  close(): Promise<void>;
}

/** Worked on side by side. More are taken when half of them have ended: one that waits for Temporal holds up no other. */
const AT_ONCE = 32;
const POLL_MS = 1_000;
/** Between the first of several notices and the look for them: what comes together is claimed together. */
const GATHER_MS = 20;
const LEASE_MS = 30_000;
const AGAIN_FIRST_MS = 1_000;
const AGAIN_MAX_MS = 60_000;
const PURGE_EVERY_MS = 24 * 3_600_000;

/** Starts at once. */
export function startNoticeProcessor(options: ProcessorOptions): NoticeProcessor {
  const { database, log, pollMs = POLL_MS, leaseMs = LEASE_MS } = options;
  const process = createNoticeProcess(options);
  const stopped = new AbortController();
  let wakeUp: () => void = () => undefined;
  let isPoked = false;

  async function work(notice: ClaimedWebhook, subject: WebhookSubject | undefined): Promise<void> {
    const about = {
      webhookId: notice.id,
      entityId: notice.entityId,
      gatewayId: notice.told.id,
      paymentId: subject?.payment.id,
      refundId: subject?.refund?.id,
      attemptId: subject?.attempt?.id,
      code: notice.told.result.code,
    };
    try {
      log.info('webhook.processed', { ...about, state: await process(notice, subject) });
    } catch (error) {
      log.warn('webhook.failed', { ...about, tries: notice.tries }, error);
      const dueInMs = Math.min(AGAIN_FIRST_MS * 2 ** Math.min(notice.tries - 1, 16), AGAIN_MAX_MS);
      // Where the database is away this fails too; then the lease ends by itself.
      await settleWebhooks(database, [notice], { state: notice.state, dueInMs }).catch(() => undefined);
    }
  }

  const running = new Set<Promise<void>>();

  /** Takes what there is room for, and answers whether there may be more. */
  async function take(): Promise<boolean> {
    while (running.size > AT_ONCE / 2) await Promise.race(running);
    if (stopped.signal.aborted) return false;
    const room = AT_ONCE - running.size;
    const claimed = await claimWebhooks(database, room, leaseMs);
    const subjects = await subjectsOf(
      database,
      claimed.map(({ id }) => id),
    );
    for (const notice of claimed) {
      const working = work(notice, subjects.get(notice.id)).finally(() => running.delete(working));
      running.add(working);
    }
    return claimed.length === room;
  }

  async function run(): Promise<void> {
    let purgeAt = 0;
    let purging: Promise<void> = Promise.resolve();
    while (!stopped.signal.aborted) {
      isPoked = false;
      let more = false;
      try {
        more = await take();
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

  /** Beside the work, and only a few rows at a time: what it does not get to is deleted a day later. */
  async function purgeOld(): Promise<void> {
    try {
      const deleted = await purge(database, { signal: stopped.signal });
      const count = Object.values(deleted).reduce((sum, of) => sum + of, 0);
      if (count > 0) log.info('ledger.purged', { count });
    } catch (error) {
      log.warn('ledger.purge_failed', {}, error);
    }
  }

  /** Until something was stored, and for those that come with it. */
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
