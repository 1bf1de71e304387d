/** Replaces `uuid` in the simulation: ids drawn from the harness's seed that grow with its clock, as version 7 does. */
import { runningHarness } from './harness/fakes.js';

export function v7(): string {
  const { random, scheduler } = runningHarness('a uuid');
  const time = scheduler.now.toString(16).padStart(12, '0');
  const rest = random.hex(18);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6)}`;
}
