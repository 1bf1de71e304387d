/** The query builder that the ledger's functions are written against, on tables in memory: as much of it as they use. */
import { evaluate, isFragment } from './fragments.js';
import type { MemoryTables, Row, TableName } from './tables.js';

/** Runs one query: inside of a transaction at once, outside when none is under way. */
export type Run = <T>(work: () => T) => Promise<T>;

type Operator = '=' | '<>' | '<' | 'in' | 'not in' | 'is';
type Condition = (row: Row, outer: Row) => boolean;
/** A column, a piece of SQL with its name, or a query for each row. */
type Selection = { readonly alias: string; readonly value: (row: Row, rows: readonly Row[]) => unknown };

const bare = (column: string): string => column.slice(column.lastIndexOf('.') + 1);

function condition(column: string, operator: Operator, value: unknown): Condition {
  const name = bare(column);
  switch (operator) {
    case '=':
    case 'is':
      return (row) => row[name] === value;
    case '<>':
      return (row) => row[name] !== value;
    case '<':
      return (row) => isLess(row[name], value);
    case 'in':
      return Array.isArray(value) ? (row) => value.includes(row[name]) : () => false;
    case 'not in':
      return Array.isArray(value) ? (row) => !value.includes(row[name]) : () => true;
    default:
      throw new Error(
        `the database in memory does not know the operator ${String(operator satisfies never)}`,
      );
  }
}

function isLess(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() < b.getTime();
  return typeof a === 'string' && typeof b === 'string' && a < b;
}

abstract class Query {
  readonly #run: Run;
  constructor(run: Run) {
    this.#run = run;
  }

  protected abstract rows(): readonly Row[];

  execute(): Promise<readonly Row[]> {
    return this.#run(() => this.rows());
  }

  executeTakeFirst(): Promise<Row | undefined> {
    return this.#run(() => this.rows()[0]);
  }

  executeTakeFirstOrThrow(): Promise<Row> {
    return this.#run(() => {
      const [first] = this.rows();
      if (first === undefined) throw new Error('no result');
      return first;
    });
  }
}

/** What `(eb) => …` is called with: a condition as a call, alternatives, a query for each row. */
interface Expressions {
  (column: string, operator: Operator, value: unknown): Condition;
  or(conditions: readonly Condition[]): Condition;
  selectFrom(table: TableName): Select;
}

export class Select extends Query {
  readonly #tables: MemoryTables;
  readonly #run: Run;
  readonly #table: TableName | undefined;
  readonly #conditions: Condition[] = [];
  readonly #selections: Selection[] = [];
  readonly #orders: { readonly column: string; readonly descending: boolean }[] = [];
  #join: { readonly table: TableName; readonly column: string; readonly own: string } | undefined;
  #limit = Infinity;
  #outer: Row = {};
  #alias = '';
  #isAll = false;

  constructor(tables: MemoryTables, run: Run, table: TableName | undefined) {
    super(run);
    this.#tables = tables;
    this.#run = run;
    this.#table = table;
  }

  selectAll(): this {
    this.#isAll = true;
    return this;
  }

  select(what: unknown): this {
    for (const item of Array.isArray(what) ? what : [what]) this.#selections.push(this.#selection(item));
    return this;
  }

  #selection(item: unknown): Selection {
    if (typeof item === 'string') {
      const name = bare(item);
      return { alias: name, value: (row) => row[name] };
    }
    if (typeof item === 'function') {
      const made: unknown = Reflect.apply(item, undefined, [this.#expressions()]);
      if (!(made instanceof Select)) throw new Error('only a query can be selected for each row');
      return { alias: made.#alias, value: (row) => made.#forOuter(row) };
    }
    if (typeof item === 'object' && item !== null && 'alias' in item && 'expression' in item) {
      const { alias, expression } = item;
      if (typeof alias === 'string' && isFragment(expression))
        return { alias, value: (row, rows) => evaluate(expression, row, rows, this.#tables.now()) };
    }
    throw new Error('the database in memory cannot select this');
  }

  where(column: unknown, operator?: Operator, value?: unknown): this {
    if (typeof column === 'string' && operator !== undefined)
      this.#conditions.push(condition(column, operator, value));
    else if (typeof column === 'function') {
      const made: unknown = Reflect.apply(column, undefined, [this.#expressions()]);
      if (typeof made !== 'function') throw new Error('the database in memory does not know this condition');
      this.#conditions.push((row) => Reflect.apply(made, undefined, [row, {}]) === true);
    } else throw new Error('the database in memory does not know this condition');
    return this;
  }

  whereRef(column: string, operator: Operator, other: string): this {
    if (operator !== '=') throw new Error('only = is known between columns');
    const [own, outer] = [bare(column), bare(other)];
    this.#conditions.push((row, around) => row[own] === around[outer]);
    return this;
  }

  innerJoin(table: TableName, column: string, own: string): this {
    this.#join = { table, column: bare(column), own: bare(own) };
    return this;
  }

  orderBy(column: string, direction: 'asc' | 'desc' = 'asc'): this {
    this.#orders.push({ column: bare(column), descending: direction === 'desc' });
    return this;
  }

  limit(count: number): this {
    this.#limit = count;
    return this;
  }

  /** Every transaction here runs alone: the lock is held by nobody else. */
  forUpdate(): this {
    return this;
  }

  as(alias: string): this {
    this.#alias = alias;
    return this;
  }

  #forOuter(outer: Row): unknown {
    this.#outer = outer;
    const alias = this.#selections[0]?.alias ?? '';
    return this.rows()[0]?.[alias];
  }

  protected rows(): readonly Row[] {
    const found = this.#table === undefined ? [{}] : this.#found(this.#tables.rows[this.#table]);
    for (const { column, descending } of this.#orders.toReversed())
      found.sort((a, b) => compare(a[column], b[column]) * (descending ? -1 : 1));
    const kept = found.length > this.#limit ? found.slice(0, this.#limit) : found;
    if (this.#selections.length === 0) return kept;
    // A sum is one row, also over nothing.
    if (!this.#isAll && this.#selections.some(({ alias }) => alias === 'held' || alias === 'taken'))
      return [this.#shaped({}, kept)];
    return kept.map((row) =>
      this.#isAll ? { ...row, ...this.#shaped(row, kept) } : this.#shaped(row, kept),
    );
  }

  #found(rows: readonly Row[]): Row[] {
    const found: Row[] = [];
    for (const row of rows)
      if (this.#conditions.every((holds) => holds(row, this.#outer))) {
        const join = this.#join;
        if (join === undefined) found.push(row);
        else
          for (const other of this.#tables.rows[join.table])
            if (other[join.column] === row[join.own]) found.push({ ...other, ...row });
      }
    return found;
  }

  #shaped(row: Row, rows: readonly Row[]): Row {
    const shaped: Record<string, unknown> = {};
    for (const { alias, value } of this.#selections) shaped[alias] = value(row, rows);
    return shaped;
  }

  #expressions(): Expressions {
    return Object.assign(
      (column: string, operator: Operator, value: unknown) => condition(column, operator, value),
      {
        or: (conditions: readonly Condition[]) => (row: Row, outer: Row) =>
          conditions.some((holds) => holds(row, outer)),
        selectFrom: (table: TableName) => new Select(this.#tables, this.#run, table),
      },
    );
  }
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return isLess(a, b) ? -1 : isLess(b, a) ? 1 : 0;
}

export class Update extends Query {
  readonly #tables: MemoryTables;
  readonly #table: TableName;
  readonly #conditions: Condition[] = [];
  #change: Row = {};

  constructor(tables: MemoryTables, run: Run, table: TableName) {
    super(run);
    this.#tables = tables;
    this.#table = table;
  }

  set(change: Row): this {
    this.#change = change;
    return this;
  }

  where(column: string, operator: Operator, value: unknown): this {
    this.#conditions.push(condition(column, operator, value));
    return this;
  }

  returningAll(): this {
    return this;
  }

  protected rows(): readonly Row[] {
    const tables = this.#tables;
    const now = tables.now();
    return tables.rows[this.#table]
      .filter((row) => this.#conditions.every((holds) => holds(row, row)))
      .map((row) => tables.update(this.#table, row, resolved(this.#change, row, now)));
  }
}

/** The columns of `onConflict((conflict) => conflict.column('id').doNothing())`. */
class Conflict {
  readonly names: string[] = [];

  column(name: string): this {
    this.names.push(name);
    return this;
  }

  columns(names: readonly string[]): this {
    this.names.push(...names);
    return this;
  }

  /** Of a partial index, which the tables know themselves. */
  where(): this {
    return this;
  }

  doNothing(): this {
    return this;
  }
}

export class Insert extends Query {
  readonly #tables: MemoryTables;
  readonly #table: TableName;
  #values: Row = {};
  #unless: readonly string[] | undefined;

  constructor(tables: MemoryTables, run: Run, table: TableName) {
    super(run);
    this.#tables = tables;
    this.#table = table;
  }

  values(values: Row): this {
    this.#values = values;
    return this;
  }

  onConflict(build: (conflict: Conflict) => Conflict): this {
    this.#unless = build(new Conflict()).names;
    return this;
  }

  returning(): this {
    return this;
  }

  protected rows(): readonly Row[] {
    const row = this.#tables.insert(
      this.#table,
      resolved(this.#values, {}, this.#tables.now()),
      this.#unless,
    );
    return row === undefined ? [] : [row];
  }
}

function resolved(values: Row, row: Row, now: Date): Row {
  let after: Record<string, unknown> | undefined;
  for (const column of Object.keys(values)) {
    const value = values[column];
    if (!isFragment(value)) continue;
    after ??= { ...values };
    after[column] = evaluate(value, row, [], now);
  }
  return after ?? values;
}
