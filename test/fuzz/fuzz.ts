/** Tries a property on very many inputs, each from a seed of its own, so that the one that failed can be tried again alone. */
import { setImmediate as turn } from 'node:timers/promises';
import { Random } from '../simulation/harness/random.js';
import { isLongTier } from '../support/tier.js';

const FIRST = process.env['FUZZ_SEED'];
const COUNT = process.env['FUZZ_COUNT'];

/** All of them in the long tier, which runs this folder once more, else a tenth. */
export const inTier = (count: number): number => (isLongTier ? count : Math.ceil(count / 10));

/** The event loop is let go this often: vitest wants to hear of its worker, and a rejection that nobody handles has to surface. */
const BATCH = 2_000;

/**
 * Calls `one` for `count` seeds in a row, from a random one, or from `FUZZ_SEED`; `FUZZ_COUNT` overrules the count. The first that
 * throws ends it, with the seed in the message.
 */
export async function fuzz(count: number, one: (random: Random) => void | Promise<void>): Promise<void> {
  const first = FIRST === undefined ? Math.floor(Math.random() * 2 ** 40) : Number(FIRST);
  const end = first + (COUNT === undefined ? count : Number(COUNT));
  for (let seed = first; seed < end; seed += 1) {
    try {
      const running = one(new Random(seed));
      if (running !== undefined) await running;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${why}\nThe same input again: FUZZ_SEED=${seed} FUZZ_COUNT=1 npm test -- test/fuzz`, {
        cause,
      });
    }
    if (seed % BATCH === 0) await turn();
  }
}

/** Cheaper than `expect`, which 200,000 inputs would notice. `show` is printed only when it fails. */
export function holds(that: boolean, sentence: string, show: unknown): asserts that {
  if (!that) throw new Error(`${sentence}\n${printed(show)}`);
}

function printed(value: unknown): string {
  const text =
    typeof value === 'string'
      ? JSON.stringify(value)
      : JSON.stringify(value, (_key, inner: unknown) =>
          typeof inner === 'bigint' || typeof inner === 'symbol' ? String(inner) : inner,
        );
  return text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text;
}
