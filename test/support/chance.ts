/** How often a property is tried and from which seed: by default often and from another one each time. */

const seed = process.env['FUZZ_SEED'];
const share = Number(process.env['FUZZ_SHARE'] ?? '1');

/**
 * For `fc.assert`. A failure prints its seed; `FUZZ_SEED` tries from that one again. `FUZZ_SHARE=0.05` tries a twentieth, which is
 * what mutation testing can afford.
 */
export function runs(count: number): { numRuns: number; seed?: number } {
  return { numRuns: Math.ceil(count * share), ...(seed === undefined ? {} : { seed: Number(seed) }) };
}
