/** Reads one result code: what it says about an order that was sent. */
import { ANY_WAY, BY_GROUP, DOUBTS, OF_WAY, type CodeDoubt, type Rules } from './code-rules.js';
import type { RefusalClass } from './refusal-classes.js';
import {
  FLAGGED_SUCCESS_CODES,
  groupOf,
  isResultCode,
  PENDING_CODES,
  SUCCESS_CODES,
  TEST_SUCCESS_CODES,
  type GatewayHost,
} from './result-codes.js';
import type { Way } from './way.js';

export { REFUSAL_CLASSES, type RefusalClass } from './refusal-classes.js';
export type { CodeDoubt } from './code-rules.js';
export type { GatewayHost } from './result-codes.js';

/** `flagged`: done, and the gateway asks that somebody looks at it. */
export type CodeReading =
  | { readonly kind: 'succeeded'; readonly flagged: boolean }
  | { readonly kind: 'pending' }
  | { readonly kind: 'refused'; readonly class: RefusalClass }
  | { readonly kind: 'unknown'; readonly why: CodeDoubt };

/**
 * What `result.code` says about an order of this way. Success and pending are exact lists; then come the tables: doubts, the way's own,
 * those of any way, and the vendor's group for the rest. A code that is nowhere is `unknown`: neither a success nor a refusal.
 */
export function readCode(code: string, way: Way, host: GatewayHost): CodeReading {
  if (!isResultCode(code)) return { kind: 'unknown', why: 'malformed_code' };
  if (TEST_SUCCESS_CODES.has(code) && host === 'live')
    return { kind: 'unknown', why: 'test_success_on_live' };
  if (SUCCESS_CODES.has(code)) return { kind: 'succeeded', flagged: false };
  if (FLAGGED_SUCCESS_CODES.has(code)) return { kind: 'succeeded', flagged: true };
  if (PENDING_CODES.has(code)) return { kind: 'pending' };

  const doubt = longestMatch(DOUBT_INDEX, code);
  if (doubt !== undefined) return { kind: 'unknown', why: doubt };
  const refusal = longestMatch(WAY_INDEX[way], code) ?? longestMatch(ANY_WAY_INDEX, code);
  if (refusal !== undefined) return { kind: 'refused', class: refusal };
  const group = groupOf(code);
  return group === undefined ? { kind: 'unknown', why: 'unlisted_code' } : BY_GROUP[group.name];
}

type Index<T> = ReadonlyMap<string, T>;

const DOUBT_INDEX = indexOf(DOUBTS);
const ANY_WAY_INDEX = indexOf(ANY_WAY);
const WAY_INDEX: Readonly<Record<Way, Index<RefusalClass>>> = {
  refund: indexOf(OF_WAY.refund),
  reversal: indexOf(OF_WAY.reversal),
  credit: indexOf(OF_WAY.credit),
};

/** By beginning of the code; a whole code is its own beginning. */
function indexOf<T extends string>(rules: Rules<T>): Index<T> {
  const index = new Map<string, T>();
  for (const [verdict, entries] of rules)
    for (const beginning of entries.flatMap(expand)) {
      if (index.has(beginning)) throw new Error(`Two rules for ${beginning} in one table of result codes.`);
      index.set(beginning, verdict);
    }
  return index;
}

/** `700.500.001/004` becomes both codes; `800.2*` becomes its beginning. */
function expand(entry: string): string[] {
  if (entry.endsWith('*')) return [entry.slice(0, -1)];
  const stem = entry.slice(0, 'ddd.ddd.'.length);
  return entry
    .slice(stem.length)
    .split('/')
    .map((last) => stem + last);
}

function longestMatch<T>(index: Index<T>, code: string): T | undefined {
  for (let length = code.length; length > 0; length -= 1) {
    const found = index.get(code.slice(0, length));
    if (found !== undefined) return found;
  }
  return undefined;
}
