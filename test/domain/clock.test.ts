/** Measures an interval with two clocks, because a machine may be suspended and a wall clock may be set. */
import { describe, expect, it } from 'vitest';
import { elapsed } from '../../domain/clock.js';

const since = { monotonic: 1_000, wall: 1_788_220_800_000 };
const after = (monotonic: number, wall: number): number =>
  elapsed(since, { monotonic: since.monotonic + monotonic, wall: since.wall + wall });

describe('an interval of one process', () => {
  it.each([
    ['both clocks agree', 5_000, 5_000, 5_000],
    ['the machine was suspended', 100, 600_000, 600_000],
    ['the wall clock was set forward', 5_000, 65_000, 65_000],
    ['the wall clock is being adjusted', 5_000, 4_500, 5_000],
    ['the wall clock was set back', 5_000, -60_000, Infinity],
    ['the wall clock was set back by little more than an adjustment', 5_000, 3_999, Infinity],
    ['a clock shows nothing', NaN, 5_000, Infinity],
  ])('if %s: %d ms and %d ms are %d ms', (_name, monotonic, wall, expected) => {
    expect(after(monotonic, wall)).toBe(expected);
  });
});
