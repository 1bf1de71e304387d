/** Evaluates the conditions of a `where` on in-memory rows: only the operators that the ledger's queries use. */
import type { Row } from './tables.js';

export type Operator = '=' | '<>' | '<' | '>' | 'in' | 'not in' | 'is';

/** `outer`: the outer row, if the query runs for each row of another query. */
export interface Condition {
  readonly holds: (row: Row, outer: Row) => boolean;
}

const BARE = new Map<string, string>();

/** Returns the column without its table. */
export function bare(column: string): string {
  let name = BARE.get(column);
  if (name === undefined) {
    name = column.slice(column.lastIndexOf('.') + 1);
    BARE.set(column, name);
  }
  return name;
}

/** Compares a column with a value. */
export class Comparison implements Condition {
  readonly column: string;
  readonly operator: Operator;
  readonly value: unknown;

  constructor(column: string, operator: Operator, value: unknown) {
    this.column = bare(column);
    this.operator = operator;
    this.value = value;
  }

  holds(row: Row): boolean {
    const found = row[this.column];
    switch (this.operator) {
      case '=':
      case 'is':
        return found === this.value;
      case '<>':
        return found !== this.value;
      case '<':
        return isLess(found, this.value);
      case '>':
        return isLess(this.value, found);
      case 'in':
        return Array.isArray(this.value) && this.value.includes(found);
      case 'not in':
        return !(Array.isArray(this.value) && this.value.includes(found));
      default:
        throw new Error(
          `the database in memory does not know the operator ${String(this.operator satisfies never)}`,
        );
    }
  }
}

/** Compares a column with a column of the outer row. */
export class Reference implements Condition {
  readonly #own: string;
  readonly #outer: string;

  constructor(own: string, outer: string) {
    this.#own = bare(own);
    this.#outer = bare(outer);
  }

  holds(row: Row, outer: Row): boolean {
    return row[this.#own] === outer[this.#outer];
  }
}

export class Alternatives implements Condition {
  readonly #conditions: readonly Condition[];

  constructor(conditions: readonly Condition[]) {
    this.#conditions = conditions;
  }

  holds(row: Row, outer: Row): boolean {
    return this.#conditions.some((condition) => condition.holds(row, outer));
  }
}

export function isCondition(made: unknown): made is Condition {
  return made instanceof Comparison || made instanceof Reference || made instanceof Alternatives;
}

function isLess(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() < b.getTime();
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  return typeof a === 'string' && typeof b === 'string' && a < b;
}

export function compare(a: unknown, b: unknown): number {
  return isLess(a, b) ? -1 : isLess(b, a) ? 1 : 0;
}
