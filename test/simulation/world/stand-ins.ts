/** What modules that cannot be handed a world find it by: the one that is running. */
import type { World } from './world.js';

let running: World | undefined;

/** One world runs at a time in one thread. */
export function enter(world: World): void {
  running = world;
}

export function leave(): void {
  running = undefined;
}

export function runningWorld(asked: string): World {
  if (running === undefined) throw new Error(`${asked} outside of a simulated world`);
  return running;
}
