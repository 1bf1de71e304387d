/** Number of runs and seed of property tests. By default the seed differs each time. */

const seed = process.env['FUZZ_SEED'];
const share = Number(process.env['FUZZ_SHARE'] ?? '1');

/**
 * Returns the options of `fc.assert`. A failure prints its seed; `FUZZ_SEED` repeats that seed. `FUZZ_SHARE=0.05` runs a twentieth,
 * which keeps mutation testing affordable.
 */
export function runs(count: number): { numRuns: number; seed?: number } {
  return { numRuns: Math.ceil(count * share), ...(seed === undefined ? {} : { seed: Number(seed) }) };
}
