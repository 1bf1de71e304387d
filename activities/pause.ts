/** Waits for `ms` without keeping the process alive: waiting for a database that stays unavailable ends with the process. */
import { setTimeout as wait } from 'node:timers/promises';

export const pause = (ms: number): Promise<void> => wait(ms, undefined, { ref: false });
