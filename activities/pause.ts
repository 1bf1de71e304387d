/** Waits for `ms` milliseconds without keeping the process alive, so a worker can stop while it waits for an unavailable database. */
import { setTimeout as wait } from 'node:timers/promises';

export const pause = (ms: number): Promise<void> => wait(ms, undefined, { ref: false });
