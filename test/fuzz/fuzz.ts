/** Runs a property on very many inputs, each from a seed of its own, so that a failing input can be repeated alone. */
import { setImmediate as turn } from 'node:timers/promises';
import { Random } from '../simulation/harness/random.js';
import { isLongTier } from '../support/tier.js';

const FIRST = process.env['FUZZ_SEED'];
const COUNT = process.env['FUZZ_COUNT'];

/** Returns the whole count in the long tier, which runs this folder again, and a tenth otherwise. */
export const inTier = (count: number): number => (isLongTier ? count : Math.ceil(count / 10));

/** Inputs between two turns of the event loop: vitest expects messages from its worker, and unhandled rejections have to surface. */
const BATCH = 2_000;

/**
 * Calls `one` for `count` consecutive seeds, from a random one or from `FUZZ_SEED`; `FUZZ_COUNT` overrides the count. Stops at the first
 * that throws, with its seed in the message.
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

/** Throws `sentence` unless `that` holds. Cheaper than `expect`, for up to 200,000 inputs. `show` is printed only on failure. */
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
