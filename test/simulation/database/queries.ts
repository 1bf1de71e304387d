/** Kysely's query builder on in-memory tables: the part of it that the ledger's functions use. */
import {
  Alternatives,
  bare,
  compare,
  Comparison,
  isCondition,
  Reference,
  type Condition,
  type Operator,
} from './conditions.js';
import { evaluate, isFragment } from './fragments.js';
import type { MemoryTables, Row, TableName } from './tables.js';

/** Returns the running transaction, which a query outside of it waits for; undefined if there is none, and inside of a transaction. */
export type Turn = () => Promise<unknown> | undefined;

/** A column, a piece of SQL with an alias, or a query for each row. */
type Selection =
  | { readonly alias: string; readonly value?: never }
  | { readonly alias: string; readonly value: (row: Row, rows: readonly Row[]) => unknown };

const NO_ROW: Row = {};

/** One row of each shape that has more columns than its table, by the table and the added columns. */
const WIDER = new Map<string, Row>();

/**
 * Returns a copy of a row with all added columns at once. Columns added one by one would give each copy a V8 hidden class of its own, which
 * makes every read of it slow.
 */
function widened(row: Row, shape: string, selections: readonly Selection[]): Record<string, unknown> {
  let wider = WIDER.get(shape);
  if (wider === undefined) {
    wider = { ...row, ...Object.fromEntries(selections.map(({ alias }) => [alias, null])) };
    WIDER.set(shape, wider);
  }
  return Object.assign({ ...wider }, row);
}

abstract class Query {
  protected readonly tables: MemoryTables;
  protected readonly table: TableName | undefined;
  protected readonly turn: Turn;
  protected readonly conditions: Condition[] = [];

  constructor(tables: MemoryTables, turn: Turn, table: TableName | undefined) {
    this.tables = tables;
    this.turn = turn;
    this.table = table;
  }

  protected abstract rows(): readonly Row[];

  async execute(): Promise<readonly Row[]> {
    for (let wait = this.turn(); wait !== undefined; wait = this.turn()) await wait;
    return this.rows();
  }

  async executeTakeFirst(): Promise<Row | undefined> {
    for (let wait = this.turn(); wait !== undefined; wait = this.turn()) await wait;
    return this.rows()[0];
  }

  async executeTakeFirstOrThrow(): Promise<Row> {
    for (let wait = this.turn(); wait !== undefined; wait = this.turn()) await wait;
    const [first] = this.rows();
    if (first === undefined) throw new Error('no result');
    return first;
  }

  protected found(outer: Row): Row[] {
    const { tables, table, conditions } = this;
    if (table === undefined) return [NO_ROW];
    const found: Row[] = [];
    for (const row of tables.among(table, conditions)) if (holdAll(conditions, row, outer)) found.push(row);
    return found;
  }
}

function holdAll(conditions: readonly Condition[], row: Row, outer: Row): boolean {
  for (const condition of conditions) if (!condition.holds(row, outer)) return false;
  return true;
}

/** The expression builder of `(eb) => …`: a condition as a call, alternatives, a query for each row. */
interface Expressions {
  (column: string, operator: Operator, value: unknown): Condition;
  or(conditions: readonly Condition[]): Condition;
  selectFrom(table: TableName): Select;
}

export class Select extends Query {
  readonly #selections: Selection[] = [];
  #orders: { readonly column: string; readonly sign: 1 | -1 }[] | undefined;
  #join: { readonly table: TableName; readonly column: string; readonly own: string } | undefined;
  #limit = Infinity;
  #alias = '';
  #isAll = false;
  /** Name of the row's shape: the table and the columns added to it. */
  #shape = String(this.table);
  /** True if all columns are selected unchanged: then the stored row can be returned. */
  #isPlain = true;
  /** True for a sum: it has one row, also over no rows. */
  #isSum = false;

  selectAll(): this {
    this.#isAll = true;
    return this;
  }

  select(what: unknown): this {
    if (Array.isArray(what)) for (const item of what) this.#add(item);
    else this.#add(what);
    return this;
  }

  #add(item: unknown): void {
    const selection = this.#selection(item);
    this.#selections.push(selection);
    this.#shape += ` ${selection.alias}`;
    if (selection.value === undefined) return;
    this.#isPlain = false;
    if (selection.alias === 'held' || selection.alias === 'taken') this.#isSum = true;
  }

  #selection(item: unknown): Selection {
    if (typeof item === 'string') return { alias: bare(item) };
    if (typeof item === 'function') {
      const made: unknown = Reflect.apply(item, undefined, [this.#expressions()]);
      if (!(made instanceof Select)) throw new Error('only a query can be selected for each row');
      return { alias: made.#alias, value: (row) => made.#forOuter(row) };
    }
    if (typeof item === 'object' && item !== null && 'alias' in item && 'expression' in item) {
      const { alias, expression } = item;
      if (typeof alias === 'string' && isFragment(expression))
        return { alias, value: (row, rows) => evaluate(expression, row, rows, this.tables.now()) };
    }
    throw new Error('the database in memory cannot select this');
  }

  where(column: unknown, operator?: Operator, value?: unknown): this {
    const made: unknown =
      typeof column === 'string' && operator !== undefined
        ? new Comparison(column, operator, value)
        : typeof column === 'function'
          ? Reflect.apply(column, undefined, [this.#expressions()])
          : undefined;
    if (!isCondition(made)) throw new Error('the database in memory does not know this condition');
    this.conditions.push(made);
    return this;
  }

  whereRef(column: string, operator: Operator, other: string): this {
    if (operator !== '=') throw new Error('only = is known between columns');
    this.conditions.push(new Reference(column, other));
    return this;
  }

  innerJoin(table: TableName, column: string, own: string): this {
    this.#join = { table, column: bare(column), own: bare(own) };
    return this;
  }

  orderBy(column: string, direction: 'asc' | 'desc' = 'asc'): this {
    (this.#orders ??= []).push({ column: bare(column), sign: direction === 'desc' ? -1 : 1 });
    return this;
  }

  limit(count: number): this {
    this.#limit = count;
    return this;
  }

  /** Only changes types. */
  $castTo(): this {
    return this;
  }

  /** Does nothing: every transaction here runs alone, so the row is never locked. */
  forUpdate(): this {
    return this;
  }

  /** As `forUpdate`. */
  forShare(): this {
    return this;
  }

  as(alias: string): this {
    this.#alias = alias;
    return this;
  }

  #forOuter(outer: Row): unknown {
    const alias = this.#selections[0]?.alias ?? '';
    return this.#rowsFor(outer)[0]?.[alias];
  }

  protected rows(): readonly Row[] {
    return this.#rowsFor(NO_ROW);
  }

  #rowsFor(outer: Row): readonly Row[] {
    const own = this.found(outer);
    const found = this.#join === undefined ? own : this.#joined(own, this.#join);
    const orders = this.#orders;
    if (orders !== undefined && found.length > 1)
      for (let index = orders.length - 1; index >= 0; index -= 1) {
        const order = orders[index];
        if (order !== undefined) found.sort((a, b) => compare(a[order.column], b[order.column]) * order.sign);
      }
    const kept = found.length > this.#limit ? found.slice(0, this.#limit) : found;
    // Rows are replaced, never changed: a row that was returned stays as it was.
    if (this.#isPlain) return kept;
    if (this.#isSum && !this.#isAll) return [this.#shaped(NO_ROW, kept)];
    return kept.map((row) => this.#shaped(row, kept));
  }

  #joined(rows: readonly Row[], join: { table: TableName; column: string; own: string }): Row[] {
    const joined: Row[] = [];
    for (const row of rows)
      for (const other of this.tables.rows[join.table]) {
        if (other[join.column] !== row[join.own]) continue;
        const both = widened(row, this.#shape, this.#selections);
        // Only the selected columns of the other table.
        for (const { alias } of this.#selections) if (!(alias in row)) both[alias] = other[alias];
        joined.push(both);
      }
    return joined;
  }

  #shaped(row: Row, rows: readonly Row[]): Row {
    const shaped: Record<string, unknown> = this.#isAll ? widened(row, this.#shape, this.#selections) : {};
    for (const { alias, value } of this.#selections)
      shaped[alias] = value === undefined ? row[alias] : value(row, rows);
    return shaped;
  }

  #expressions(): Expressions {
    return Object.assign(
      (column: string, operator: Operator, value: unknown) => new Comparison(column, operator, value),
      {
        or: (conditions: readonly Condition[]) => new Alternatives(conditions),
        selectFrom: (table: TableName) => new Select(this.tables, this.turn, table),
      },
    );
  }
}

export class Update extends Query {
  #change: Row = NO_ROW;

  set(change: Row): this {
    this.#change = change;
    return this;
  }

  where(column: string, operator: Operator, value: unknown): this {
    this.conditions.push(new Comparison(column, operator, value));
    return this;
  }

  returningAll(): this {
    return this;
  }

  protected rows(): readonly Row[] {
    const { tables, table } = this;
    if (table === undefined) return [];
    const found = this.found(NO_ROW);
    for (let index = 0; index < found.length; index += 1) {
      const row = found[index];
      if (row !== undefined) found[index] = tables.update(table, row, this.#change);
    }
    return found;
  }
}

export class Delete extends Query {
  where(column: string, operator: Operator, value: unknown): this {
    this.conditions.push(new Comparison(column, operator, value));
    return this;
  }

  protected rows(): readonly Row[] {
    const { tables, table } = this;
    if (table === undefined) return [];
    const found = this.found(NO_ROW);
    for (const row of found) tables.delete(table, row);
    return found;
  }
}

/** Columns of `onConflict((conflict) => conflict.column('id').doNothing())`. */
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

  /** Does nothing: the tables know their partial indexes. */
  where(): this {
    return this;
  }

  doNothing(): this {
    return this;
  }
}

export class Insert extends Query {
  #values: Row = NO_ROW;
  #unless: readonly string[] | undefined;

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
    if (this.table === undefined) return [];
    const row = this.tables.insert(this.table, this.#values, this.#unless);
    return row === undefined ? [] : [row];
  }
}
