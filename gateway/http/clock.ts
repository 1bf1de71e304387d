/** The clocks of this machine. */
import type { Moment } from '../../domain/clock.js';

export const machineClock = (): Moment => ({ monotonic: performance.now(), wall: Date.now() });
