/** Gives the running harness to modules that cannot receive it as an argument. */
import type { Harness } from './harness.js';

let running: Harness | undefined;

/** Sets the running harness. One harness runs at a time in one thread. */
export function enter(harness: Harness): void {
  running = harness;
}

export function leave(): void {
  running = undefined;
}

export function runningHarness(asked: string): Harness {
  if (running === undefined) throw new Error(`${asked} outside of a simulated run`);
  return running;
}
