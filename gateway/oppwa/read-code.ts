/** Reads one result code: its meaning for a submitted order, a query or a chargeback. */
import { DECLINE_CLASSES, type DeclineClass } from '../../domain/decline-class.js';
import type { Operation } from '../../domain/refund/operation.js';
import type { GatewayResult, RecordedResult, ResultDoubt, ResultMeaning } from '../../domain/transaction.js';
import type { HostKind } from '../settings.js';
import { CODE_GROUPS, CODE_ROWS, type CodeMeaning, type CodeRow, type QueryMeaning } from './result-codes.js';

/** Adds to a result the meaning of its code for each operation. On a live host a success code of the test system means that no money moved. */
export function readResult({ code, description }: RecordedResult, host: HostKind): GatewayResult {
  return {
    code,
    description,
    meaning: {
      refund: readCode(code, 'refund', host),
      reversal: readCode(code, 'reversal', host),
      credit: readCode(code, 'credit', host),
    },
    isChargeback: isChargeback(code),
  };
}

/** Returns the meaning of a code for an order of this operation. A code without a row or group is `unknown`: neither a success nor a decline. */
export function readCode(code: string, operation: Operation, host: HostKind): ResultMeaning {
  const meaning = meaningOf(code, operation);
  if (meaning === 'done_in_test' && host === 'live') return { kind: 'unknown', why: 'test_success_on_live' };
  if (isCertain(meaning)) return CERTAIN[meaning];
  return isDeclineClass(meaning) ? { kind: 'declined', class: meaning } : { kind: 'unknown', why: meaning };
}

const CERTAIN = {
  done: { kind: 'succeeded', flagged: false },
  done_in_test: { kind: 'succeeded', flagged: false },
  flagged: { kind: 'succeeded', flagged: true },
  pending: { kind: 'pending' },
} as const satisfies Partial<Record<CodeMeaning, ResultMeaning>>;
const isCertain = (meaning: CodeMeaning): meaning is keyof typeof CERTAIN => meaning in CERTAIN;

/** True if a chargeback with this code was executed. */
export const isChargeback = (code: string): boolean => rowOf(code)?.isChargeback === true;

/** Returns the meaning of a code as the answer to a query; undefined if it has none of its own. */
export const queryMeaningOf = (code: string): QueryMeaning | undefined => rowOf(code)?.query;

/** Form of every code. Checked before the vendor's patterns, which also match malformed codes. */
const CODE = /^\d{3}\.\d{3}\.\d{3}$/;

/** Returns the vendor's group of a code; undefined if the code is malformed, or in no group (such as `000.500.000`). */
export function groupOf(code: string): (typeof CODE_GROUPS)[number] | undefined {
  return CODE.test(code) ? CODE_GROUPS.find(({ pattern }) => pattern.test(code)) : undefined;
}

function meaningOf(code: string, operation: Operation): CodeMeaning {
  if (!CODE.test(code)) return 'malformed_code';
  return longestMatch(MEANINGS[operation], code) ?? groupOf(code)?.all ?? 'unlisted_code';
}

const rowOf = (code: string): CodeRow | undefined => (CODE.test(code) ? longestMatch(ROWS, code) : undefined);

const CLASSES: ReadonlySet<string> = new Set(DECLINE_CLASSES);
const isDeclineClass = (meaning: ResultDoubt | DeclineClass): meaning is DeclineClass => CLASSES.has(meaning);

/** Values by prefix of a code. A whole code is a prefix too. */
type Index<T> = ReadonlyMap<string, T>;

const ROWS: Index<CodeRow> = indexOf((row) => row);
const MEANINGS: Readonly<Record<Operation, Index<CodeMeaning>>> = {
  refund: indexOf(({ refund, linked, all }) => refund ?? linked ?? all),
  reversal: indexOf(({ reversal, linked, all }) => reversal ?? linked ?? all),
  credit: indexOf(({ credit, all }) => credit ?? all),
};

function indexOf<T>(cell: (row: CodeRow) => T | undefined): Index<T> {
  const index = new Map<string, T>();
  for (const row of CODE_ROWS) {
    const value = cell(row);
    if (value !== undefined) for (const beginning of beginningsOf(row)) index.set(beginning, value);
  }
  return index;
}

/** Expands the codes of a row: `700.500.001/004` becomes two codes, `800.2*` becomes the prefix `800.2`. */
export function beginningsOf({ codes }: Pick<CodeRow, 'codes'>): readonly string[] {
  return codes.split(' ').flatMap((entry) => {
    if (entry.endsWith('*')) return [entry.slice(0, -1)];
    const stem = entry.slice(0, 'ddd.ddd.'.length);
    return entry
      .slice(stem.length)
      .split('/')
      .map((last) => stem + last);
  });
}

function longestMatch<T>(index: Index<T>, code: string): T | undefined {
  for (let length = code.length; length > 0; length -= 1) {
    const found = index.get(code.slice(0, length));
    if (found !== undefined) return found;
  }
  return undefined;
}
