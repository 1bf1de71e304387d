/** The current time as a React hook, for ages that keep counting while a page is open. */
import { useSyncExternalStore } from 'react';

const EVERY = 5_000;
let now = Date.now();
const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  now = Date.now();
  ticking ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, EVERY);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };
}

/** Returns the time in milliseconds since 1970, at most five seconds old. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
