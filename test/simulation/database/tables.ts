/** The ledger's tables in memory: rows, defaults, and the constraints of the migrations. */
import type { Tables } from '../../../ledger/database.js';

export type TableName = keyof Tables;
export type Row = Readonly<Record<string, unknown>>;
/** What PostgreSQL would refuse: a CHECK or UNIQUE constraint, by name. */
export class ConstraintViolated extends Error {
  override readonly name = 'ConstraintViolated';
  readonly constraint: string;

  constructor(constraint: string, detail: string) {
    super(`${constraint}: ${detail}`);
    this.constraint = constraint;
  }
}

interface Unique {
  readonly name: string;
  readonly columns: readonly string[];
  /** A partial index counts only these rows. */
  readonly only?: (row: Row) => boolean;
}

const MAY_BE_SENT = new Set<unknown>(['submitting', 'unknown', 'pending', 'absent']);

const UNIQUE: Readonly<Record<TableName, readonly Unique[]>> = {
  payments: [{ name: 'payments_pkey', columns: ['id'] }],
  captures: [{ name: 'captures_pkey', columns: ['id'] }],
  refunds: [
    { name: 'refunds_pkey', columns: ['id'] },
    { name: 'refunds_by_key', columns: ['caller', 'idempotency_key'] },
  ],
  attempts: [
    { name: 'attempts_pkey', columns: ['id'] },
    { name: 'attempts_by_number', columns: ['refund_id', 'number'] },
    { name: 'attempts_by_reference', columns: ['reference'] },
    { name: 'attempts_by_gateway_id', columns: ['gateway_id'], only: (row) => row['gateway_id'] !== null },
    { name: 'attempts_one_open', columns: ['refund_id'], only: (row) => MAY_BE_SENT.has(row['state']) },
  ],
  events: [{ name: 'events_natural_key_key', columns: ['natural_key'] }],
  look_ups: [],
  cases: [
    { name: 'cases_one_open', columns: ['refund_id', 'why'], only: (row) => row['closed_at'] === null },
  ],
  approvals: [{ name: 'approvals_pkey', columns: ['refund_id', 'instruction'] }],
  proposals: [{ name: 'proposals_one_open', columns: ['refund_id'], only: (row) => row['verdict'] === null }],
};

/** Columns that are written as JSON text and read as what it holds. */
const JSON_COLUMNS: Readonly<Record<TableName, readonly string[]>> = {
  payments: [],
  captures: [],
  refunds: ['destination', 'metadata', 'blocks', 'instruction'],
  attempts: [],
  events: ['data'],
  look_ups: [],
  cases: ['details'],
  approvals: [],
  proposals: ['details'],
};

export class MemoryTables {
  readonly rows: { readonly [T in TableName]: Row[] } = {
    payments: [],
    captures: [],
    refunds: [],
    attempts: [],
    events: [],
    look_ups: [],
    cases: [],
    approvals: [],
    proposals: [],
  };
  readonly #clock: () => number;
  readonly #keys = new Set<unknown>();
  #undo: (() => void)[] | undefined;
  #now: Date | undefined;
  #sequence = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Of the transaction, as PostgreSQL's `now()`. */
  now(): Date {
    return this.#now ?? new Date(this.#clock());
  }

  begin(): void {
    this.#now = new Date(this.#clock());
    this.#undo = [];
  }

  end(keep: boolean): void {
    if (!keep) for (const undo of this.#undo?.toReversed() ?? []) undo();
    this.#undo = undefined;
    this.#now = undefined;
  }

  /** Undefined where a row with the same values in `unless` is there already. */
  insert(table: TableName, values: Row, unless: readonly string[] | undefined): Row | undefined {
    const row = this.#withDefaults(table, values);
    const conflict = UNIQUE[table].find((unique) => this.#isTaken(table, unique, row, undefined));
    if (conflict !== undefined) {
      if (unless !== undefined && sameColumns(unless, conflict.columns)) return undefined;
      throw new ConstraintViolated(conflict.name, JSON.stringify(conflict.columns.map((name) => row[name])));
    }
    const rows = this.rows[table];
    rows.push(row);
    this.#undo?.push(() => rows.splice(rows.indexOf(row), 1));
    if (table === 'payments') checkPayment(row);
    if (table === 'events') {
      this.#keys.add(row['natural_key']);
      this.#undo?.push(() => this.#keys.delete(row['natural_key']));
      this.#applyEvent(row);
    }
    return row;
  }

  /** Rows are replaced, never changed: what somebody read before stays as it was. */
  update(table: TableName, row: Row, change: Row): Row {
    const rows = this.rows[table];
    const index = rows.indexOf(row);
    const after = { ...row, ...fromJson(table, change) };
    for (const unique of UNIQUE[table])
      if (this.#isTaken(table, unique, after, row))
        throw new ConstraintViolated(unique.name, JSON.stringify(unique.columns.map((name) => after[name])));
    if (table === 'payments') checkPayment(after);
    rows[index] = after;
    this.#undo?.push(() => (rows[rows.indexOf(after)] = row));
    return after;
  }

  #isTaken(table: TableName, { columns, only }: Unique, row: Row, self: Row | undefined): boolean {
    if (only !== undefined && !only(row)) return false;
    if (table === 'events') return this.#keys.has(row['natural_key']);
    return this.rows[table].some(
      (other) =>
        other !== self &&
        columns.every((column) => other[column] === row[column]) &&
        (only === undefined || only(other)),
    );
  }

  #withDefaults(table: TableName, values: Row): Row {
    const now = this.now();
    const given = fromJson(table, values);
    this.#sequence += 1;
    const id = String(this.#sequence);
    switch (table) {
      case 'payments':
        return {
          reserved_minor: 0n,
          succeeded_minor: 0n,
          returned_minor: 0n,
          disputed_minor: 0n,
          excess_minor: 0n,
          misses: 0,
          last_miss_at: null,
          imported_at: now,
          looked_up_at: now,
          ...given,
        };
      case 'captures':
        return given;
      case 'refunds':
        return { version: 1, state_since: now, created_at: now, updated_at: now, ...given };
      case 'attempts':
        return {
          sends: 1,
          look_ups: 0,
          misses: 0,
          last_miss_at: null,
          opened_at: now,
          sent_at: now,
          answered_at: null,
          ...given,
        };
      case 'events':
        return {
          id: this.#sequence,
          refund_id: null,
          attempt_id: null,
          reserved_delta: 0n,
          succeeded_delta: 0n,
          returned_delta: 0n,
          disputed_delta: 0n,
          from_outside: false,
          data: {},
          at: now,
          ...given,
        };
      case 'look_ups':
        return { id, at: now, ...given };
      case 'cases':
        return { id, details: {}, opened_at: now, closed_at: null, ...given };
      case 'approvals':
        return { at: now, ...given };
      case 'proposals':
        return { id: this.#sequence, proposed_at: now, ...given };
      default:
        return table satisfies never;
    }
  }

  /** The trigger on events: balances are a function of them. */
  #applyEvent(event: Row): void {
    const deltas = ['reserved', 'succeeded', 'returned', 'disputed'].map(
      (kind) => [`${kind}_minor`, minor(event, `${kind}_delta`)] as const,
    );
    if (deltas.every(([, delta]) => delta === 0n)) return;
    const payment = this.rows.payments.find((row) => row['id'] === event['payment_id']);
    if (payment === undefined)
      throw new ConstraintViolated('events_payment_id_fkey', String(event['payment_id']));
    const after = {
      ...payment,
      ...Object.fromEntries(deltas.map(([column, delta]) => [column, minor(payment, column) + delta])),
    };
    const above = usedOf(after) - limitOf(after);
    const beyond = above > 0n ? above : 0n;
    const kept = minor(payment, 'excess_minor');
    this.update('payments', payment, {
      ...after,
      excess_minor: event['from_outside'] === true || beyond < kept ? beyond : kept,
    });
  }
}

/** An amount in a column. */
export function minor(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value !== 'bigint') throw new TypeError(`${column} holds no amount`);
  return value;
}

function usedOf(payment: Row): bigint {
  return (
    minor(payment, 'reserved_minor') +
    minor(payment, 'succeeded_minor') -
    minor(payment, 'returned_minor') +
    minor(payment, 'disputed_minor')
  );
}

function limitOf(payment: Row): bigint {
  const captured = minor(payment, 'captured_minor');
  return captured > 0n ? captured : minor(payment, 'authorized_minor');
}

function checkPayment(row: Row): void {
  for (const kind of ['reserved', 'succeeded', 'returned', 'disputed', 'excess'])
    if (minor(row, `${kind}_minor`) < 0n)
      throw new ConstraintViolated(`payments_${kind}_minor_check`, 'below zero');
  if (usedOf(row) > limitOf(row) + minor(row, 'excess_minor'))
    throw new ConstraintViolated('payment_balance', String(row['id']));
}

function fromJson(table: TableName, values: Row): Row {
  let parsed: Record<string, unknown> | undefined;
  for (const column of JSON_COLUMNS[table]) {
    const value = values[column];
    if (typeof value !== 'string') continue;
    parsed ??= { ...values };
    parsed[column] = JSON.parse(value);
  }
  return parsed ?? values;
}

function sameColumns(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((column) => b.includes(column));
}
