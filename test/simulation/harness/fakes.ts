/** What modules that cannot be handed a world find it by: the one that is running. */
import type { Harness } from './harness.js';

let running: Harness | undefined;

/** One world runs at a time in one thread. */
export function enter(harness: Harness): void {
  running = harness;
}

export function leave(): void {
  running = undefined;
}

export function runningHarness(asked: string): Harness {
  if (running === undefined) throw new Error(`${asked} outside of a simulated world`);
  return running;
}
