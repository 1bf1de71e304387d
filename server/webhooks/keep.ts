/** Keeps notices before they are answered. What comes while the disk is busy with others goes to it together, and waits for it once. */
import type { Notice } from '../../domain/refund/notice.js';
import { isDatabaseAway } from '../../ledger/db/away.js';
import type { Database } from '../../ledger/db/database.js';
import { storeWebhooks, type StoredWebhook } from '../../ledger/inbox/webhooks.js';
import { Problem } from '../api/problems.js';

/** Answers when the notice is on the disk, and rejects where it is not. */
export type KeepNotice = (notice: Notice) => Promise<StoredWebhook>;

/** PostgreSQL takes 65,535 values in one statement, and a notice has 18. */
const MOST_AT_ONCE = 500;
/** What a database that does not even fail can make wait here. The gateway sends the rest again. */
const MOST_WAITING = 5_000;

interface Waiting {
  readonly notice: Notice;
  readonly answer: (stored: StoredWebhook) => void;
  readonly reject: (why: unknown) => void;
}

/** One transaction at a time, so that one connection is enough. */
export function keepNotices(database: Database): KeepNotice {
  const waiting: Waiting[] = [];
  let isBusy = false;

  async function work(): Promise<void> {
    isBusy = true;
    while (waiting.length > 0) {
      const together = waiting.splice(0, MOST_AT_ONCE);
      try {
        await keepTogether(database, together);
      } catch (error) {
        // The database is away, for those that wait as well.
        for (const { reject } of [...together, ...waiting.splice(0)]) reject(error);
      }
    }
    isBusy = false;
  }

  return async (notice) => {
    if (waiting.length >= MOST_WAITING)
      throw new Problem('not_ready', 'the database keeps too many notices waiting; send this one again');
    return new Promise((answer, reject) => {
      waiting.push({ notice, answer, reject });
      if (!isBusy) void work();
    });
  };
}

/** Tells each how it went; throws where the database is away. */
async function keepTogether(database: Database, together: readonly Waiting[]): Promise<void> {
  const notices = together.map(({ notice }) => notice);
  try {
    const stored = await storeWebhooks(database, notices);
    for (const [index, own] of stored.entries()) together[index]?.answer(own);
  } catch (error) {
    if (isDatabaseAway(error)) throw error;
    const [only, ...more] = together;
    if (more.length === 0) only?.reject(error);
    // One that cannot be kept must not take others with it.
    else for (const one of together) await keepTogether(database, [one]);
  }
}
