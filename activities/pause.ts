/** Waiting that does not keep a process alive: what waits for a database that never comes back ends with its process. */
import { setTimeout as wait } from 'node:timers/promises';

export const pause = (ms: number): Promise<void> => wait(ms, undefined, { ref: false });
