/** Stores notifications before they are acknowledged. Those that arrive during a transaction are stored together in the next one. */
import type { Notification } from '../../domain/refund/notification.js';
import { isDatabaseUnavailable } from '../../ledger/db/unavailable.js';
import type { Database } from '../../ledger/db/database.js';
import { storeWebhooks, type StoredWebhook } from '../../ledger/inbox/webhooks.js';
import { Problem } from '../api/problems.js';

/** Resolves when the notification is stored durably. Rejects if it could not be stored. */
export type StoreNotification = (notification: Notification) => Promise<StoredWebhook>;

/** PostgreSQL takes 65,535 values in one statement, and a notification has 18. */
const MAX_BATCH = 500;
/** Limit for a database that hangs without failing. Above it notifications are refused, and the gateway sends them again. */
const MAX_WAITING = 5_000;

interface Waiting {
  readonly notification: Notification;
  readonly resolve: (stored: StoredWebhook) => void;
  readonly reject: (error: unknown) => void;
}

/** Creates the function that stores notifications. It runs one transaction at a time, so one connection is enough. */
export function storeNotifications(database: Database): StoreNotification {
  const waiting: Waiting[] = [];
  let isBusy = false;

  async function storeWaiting(): Promise<void> {
    isBusy = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MAX_BATCH);
      try {
        await storeBatch(database, batch);
      } catch (error) {
        // The database is unavailable: the waiting ones would fail, too.
        for (const { reject } of [...batch, ...waiting.splice(0)]) reject(error);
      }
    }
    isBusy = false;
  }

  return async (notification) => {
    if (waiting.length >= MAX_WAITING)
      throw new Problem(
        'not_ready',
        'too many notifications are waiting for the database; send this one again',
      );
    return new Promise((resolve, reject) => {
      waiting.push({ notification, resolve, reject });
      if (!isBusy) void storeWaiting();
    });
  };
}

/** Stores the batch and settles each promise. Throws if the database is unavailable. */
async function storeBatch(database: Database, batch: readonly Waiting[]): Promise<void> {
  const notifications = batch.map(({ notification }) => notification);
  try {
    const stored = await storeWebhooks(database, notifications);
    for (const [index, own] of stored.entries()) batch[index]?.resolve(own);
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error;
    const [only, ...more] = batch;
    if (more.length === 0) only?.reject(error);
    // A notification that cannot be stored must not fail the others of its batch.
    else for (const one of batch) await storeBatch(database, [one]);
  }
}
