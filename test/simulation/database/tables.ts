/** The ledger's tables in memory: rows, defaults, and the constraints of the migrations. */
import type { Tables } from '../../../ledger/db/database.js';
import { Comparison, type Condition } from './conditions.js';
import { evaluate, isFragment } from './fragments.js';

export type TableName = keyof Tables;
export type Row = Readonly<Record<string, unknown>>;
/** Thrown when PostgreSQL would reject a row: names the CHECK or UNIQUE constraint. */
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
  /** A partial index counts only the rows for which `holds` is true; `on`: the columns that it reads. */
  readonly only?: { readonly on: readonly string[]; readonly holds: (row: Row) => boolean };
}

const MAY_BE_SENT = new Set<unknown>(['submitting', 'unknown', 'pending', 'absent']);

const UNIQUE: Readonly<Record<TableName, readonly Unique[]>> = {
  payments: [{ name: 'payments_pkey', columns: ['id'] }],
  captures: [{ name: 'captures_pkey', columns: ['id'] }],
  refunds: [
    { name: 'refunds_pkey', columns: ['id'] },
    { name: 'refunds_by_key', columns: ['client_id', 'idempotency_key'] },
  ],
  attempts: [
    { name: 'attempts_pkey', columns: ['id'] },
    { name: 'attempts_by_number', columns: ['refund_id', 'number'] },
    { name: 'attempts_by_reference', columns: ['reference'] },
    {
      name: 'attempts_by_gateway_id',
      columns: ['gateway_id'],
      only: { on: ['gateway_id'], holds: ({ gateway_id }) => gateway_id !== null },
    },
    {
      name: 'attempts_one_open',
      columns: ['refund_id'],
      only: { on: ['state'], holds: ({ state }) => MAY_BE_SENT.has(state) },
    },
  ],
  events: [{ name: 'events_natural_key_key', columns: ['natural_key'] }],
  queries: [],
  cases: [
    {
      name: 'cases_one_open',
      columns: ['refund_id', 'why'],
      only: { on: ['closed_at'], holds: ({ closed_at }) => closed_at === null },
    },
  ],
  command_results: [
    {
      name: 'command_results_by_command',
      columns: ['refund_id', 'command_id'],
      only: { on: ['command_id'], holds: ({ command_id }) => command_id !== null },
    },
    {
      name: 'command_results_one_decision',
      columns: ['refund_id', 'instruction'],
      only: {
        on: ['command', 'state'],
        holds: ({ command, state }) => (command === 'decide' || command === 'link') && state !== null,
      },
    },
    {
      name: 'command_results_one_open',
      columns: ['refund_id'],
      only: { on: ['state'], holds: ({ state }) => state === 'open' },
    },
  ],
  cards: [{ name: 'cards_pkey', columns: ['id'] }],
  card_keys: [{ name: 'card_keys_pkey', columns: ['card_id', 'field'] }],
  card_registrations: [
    { name: 'card_registrations_pkey', columns: ['card_id', 'entity_id'] },
    { name: 'card_registrations_reference_key', columns: ['reference'] },
  ],
};

/** Columns that are written as JSON text and read as parsed JSON. */
const JSON_COLUMNS: Readonly<Record<TableName, readonly string[]>> = {
  payments: ['declared'],
  captures: [],
  refunds: ['destination', 'metadata', 'blocks', 'instruction'],
  attempts: ['settlement'],
  events: ['data'],
  queries: [],
  cases: ['details'],
  command_results: ['result', 'details'],
  cards: [],
  card_keys: [],
  card_registrations: [],
};

const isTable = (name: string): name is TableName => name in UNIQUE;
const TABLES = Object.keys(UNIQUE).filter(isTable);

export class MemoryTables {
  readonly rows: { readonly [T in TableName]: Row[] } = {
    payments: [],
    captures: [],
    refunds: [],
    attempts: [],
    events: [],
    queries: [],
    cases: [],
    command_results: [],
    cards: [],
    card_keys: [],
    card_registrations: [],
  };
  readonly #clock: () => number;
  readonly #keys = new Set<unknown>();
  /** Events by refund: the only table that grows with every step. */
  readonly #events = new Map<unknown, Row[]>();
  /** Changes of this transaction, for a rollback: an inserted row, a row that replaced `before`, or a deleted one that was `before`. */
  readonly #done: {
    readonly table: TableName;
    readonly row: Row | undefined;
    readonly before: Row | undefined;
  }[] = [];
  #now: Date | undefined;
  #sequence = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Returns tables with the current rows of `before`: rows are replaced and never changed, so both may share them. */
  static after(before: MemoryTables, clock: () => number): MemoryTables {
    const tables = new MemoryTables(clock);
    for (const table of TABLES) tables.rows[table].push(...before.rows[table]);
    for (const key of before.#keys) tables.#keys.add(key);
    for (const [refundId, events] of before.#events) tables.#events.set(refundId, [...events]);
    tables.#sequence = before.#sequence;
    return tables;
  }

  /** Time of the transaction, as PostgreSQL's `now()`. */
  now(): Date {
    return this.#now ?? new Date(this.#clock());
  }

  begin(): void {
    this.#now = new Date(this.#clock());
    this.#done.length = 0;
  }

  end(retain: boolean): void {
    if (!retain) this.#takeBack();
    this.#done.length = 0;
    this.#now = undefined;
  }

  #takeBack(): void {
    for (let index = this.#done.length - 1; index >= 0; index -= 1) {
      const done = this.#done[index];
      if (done === undefined) continue;
      const rows = this.rows[done.table];
      if (done.row === undefined) {
        if (done.before !== undefined) rows.push(done.before);
        continue;
      }
      const at = rows.lastIndexOf(done.row);
      if (done.before !== undefined) {
        rows[at] = done.before;
        continue;
      }
      rows.splice(at, 1);
      if (done.table !== 'events') continue;
      this.#keys.delete(done.row['natural_key']);
      this.#events.get(done.row['refund_id'])?.pop();
    }
  }

  /** Returns the rows that may fulfill `conditions`: the whole table, or fewer by an index. */
  among(table: TableName, conditions: readonly Condition[]): readonly Row[] {
    if (table === 'events')
      for (const condition of conditions)
        if (condition instanceof Comparison && condition.column === 'refund_id' && condition.operator === '=')
          return this.#events.get(condition.value) ?? [];
    return this.rows[table];
  }

  /** Inserts a row; undefined if a row with the same values in `unless` exists. */
  insert(table: TableName, values: Row, unless: readonly string[] | undefined): Row | undefined {
    const row = this.#withDefaults(table);
    this.#assign(table, row, values, row);
    for (const unique of UNIQUE[table]) {
      if (!this.#isTaken(table, unique, row, undefined)) continue;
      if (unless !== undefined && sameColumns(unless, unique.columns)) return undefined;
      throw violated(unique, row);
    }
    this.rows[table].push(row);
    this.#done.push({ table, row, before: undefined });
    if (table === 'payments') {
      row['excess_minor'] = excessOf(row);
      checkPayment(row);
    }
    if (table === 'events') {
      this.#keys.add(row['natural_key']);
      const own = this.#events.get(row['refund_id']);
      if (own === undefined) this.#events.set(row['refund_id'], [row]);
      else own.push(row);
      this.#applyEvent(row);
    }
    return row;
  }

  /** Updates a row by replacing it: a row that was read before stays as it was. */
  update(table: TableName, row: Row, change: Row): Row {
    const after: Record<string, unknown> = { ...row };
    this.#assign(table, after, change, row);
    for (const unique of UNIQUE[table])
      if (concerns(unique, change) && this.#isTaken(table, unique, after, row)) throw violated(unique, after);
    if (table === 'payments') {
      after['excess_minor'] = excessOf(after);
      checkPayment(after);
    }
    this.#replace(table, row, after);
    return after;
  }

  /** Deletes a row. Tables with an index of their own are append-only. */
  delete(table: TableName, row: Row): void {
    if (table === 'events' || table === 'payments') throw new Error(`rows of ${table} are never deleted`);
    const rows = this.rows[table];
    rows.splice(rows.indexOf(row), 1);
    this.#done.push({ table, row: undefined, before: row });
  }

  #replace(table: TableName, row: Row, after: Row): void {
    if (table === 'events') throw new Error('events are never changed');
    const rows = this.rows[table];
    rows[rows.indexOf(row)] = after;
    this.#done.push({ table, row: after, before: row });
  }

  /** Assigns `values`; pieces of SQL among them are evaluated on `before`. */
  #assign(table: TableName, after: Record<string, unknown>, values: Row, before: Row): void {
    const json = JSON_COLUMNS[table];
    for (const column in values) {
      const value = values[column];
      if (typeof value === 'string') after[column] = json.includes(column) ? JSON.parse(value) : value;
      else after[column] = isFragment(value) ? evaluate(value, before, [], this.now()) : value;
    }
  }

  #isTaken(table: TableName, { columns, only }: Unique, row: Row, self: Row | undefined): boolean {
    if (only?.holds(row) === false) return false;
    if (table === 'events') return this.#keys.has(row['natural_key']);
    for (const other of this.rows[table])
      if (other !== self && isAlike(columns, row, other) && (only === undefined || only.holds(other)))
        return true;
    return false;
  }

  /** Returns a row with every column, in one order: rows of a table have one shape. */
  #withDefaults(table: TableName): Record<string, unknown> {
    const now = this.now();
    this.#sequence += 1;
    const id = String(this.#sequence);
    switch (table) {
      case 'payments':
        return {
          id: null,
          entity_id: null,
          type: null,
          state: null,
          currency: null,
          authorized_minor: null,
          captured_minor: null,
          registration_id: null,
          reserved_minor: 0n,
          succeeded_minor: 0n,
          returned_minor: 0n,
          disputed_minor: 0n,
          released_minor: 0n,
          excess_minor: 0n,
          declared: null,
          is_confirmed: true,
          not_found_count: 0,
          last_not_found_at: null,
          imported_at: now,
          observed_at: null,
        };
      case 'captures':
        return {
          ...{ id: null, payment_id: null, amount_minor: null },
          ...{ elsewhere_minor: 0n, doubtful_minor: 0n },
        };
      case 'refunds':
        return {
          id: null,
          payment_id: null,
          capture_id: null,
          client_id: null,
          idempotency_key: null,
          fingerprint: null,
          amount_minor: null,
          currency: null,
          reason: null,
          requested_by: null,
          asked_for: 'refund',
          order_id: null,
          destination: null,
          metadata: null,
          state: null,
          why: null,
          blocks: null,
          instruction: null,
          unread_for: null,
          unread_since: null,
          unread_at: null,
          unread_count: 0,
          unread_answer: null,
          replays: 0,
          attempts_before_replay: 0,
          elsewhere_minor: 0n,
          charged_back_minor: 0n,
          version: 1,
          state_since: now,
          created_at: now,
          updated_at: now,
        };
      case 'attempts':
        return {
          id: null,
          refund_id: null,
          payment_id: null,
          entity_id: null,
          number: null,
          operation: null,
          original_id: null,
          registration_id: null,
          card_id: null,
          destination_key: null,
          with_cvv: false,
          reference: null,
          amount_minor: null,
          paid_back_minor: null,
          currency: null,
          requester: null,
          approved: false,
          state: null,
          send_by: null,
          gateway_id: null,
          seen_ids: null,
          result_code: null,
          result_description: null,
          decline_class: null,
          settlement: null,
          other_last4: null,
          note: null,
          submissions: 1,
          not_sent_count: 0,
          submissions_before: 0,
          queries: 0,
          queried_at: null,
          not_found_count: 0,
          last_not_found_at: null,
          opened_at: now,
          sent_at: now,
          answered_at: null,
        };
      case 'events':
        return {
          id: this.#sequence,
          natural_key: null,
          type: null,
          payment_id: null,
          refund_id: null,
          attempt_id: null,
          reserved_delta: 0n,
          succeeded_delta: 0n,
          returned_delta: 0n,
          disputed_delta: 0n,
          released_delta: 0n,
          from_outside: false,
          actor: null,
          data: NOTHING,
          at: now,
        };
      case 'queries':
        return { id, attempt_id: null, answer: null, at: now };
      case 'cases':
        return {
          id,
          payment_id: null,
          refund_id: null,
          why: null,
          details: NOTHING,
          opened_at: now,
          closed_at: null,
          closed_by: null,
        };
      case 'command_results':
        return {
          id: this.#sequence,
          refund_id: null,
          payment_id: null,
          command: null,
          command_id: null,
          by: null,
          author: null,
          reason: null,
          ticket: null,
          at: now,
          attempt_id: null,
          instruction: null,
          result: null,
          state: null,
          details: null,
          amount_minor: null,
          currency: null,
          decided_by: null,
          decided_at: null,
        };
      case 'cards':
        return {
          id: null,
          client_id: null,
          brand: null,
          last4: null,
          initials: null,
          fingerprint: null,
          format_version: null,
          sealed: null,
          sealed_cvv: null,
          needs_cvv: false,
          created_at: now,
          expires_at: null,
          grace_ms: null,
          destroyed_at: null,
          destroyed_by: null,
          destroyed_why: null,
        };
      case 'card_keys':
        return { card_id: null, field: null, kek_id: null, wrapped: null, sealed_at: now };
      case 'card_registrations':
        return {
          card_id: null,
          entity_id: null,
          reference: null,
          state: null,
          registration_id: null,
          result_code: null,
          result_description: null,
          not_found_count: 0,
          last_not_found_at: null,
          send_by: null,
          sent_at: now,
          answered_at: null,
        };
      default:
        return table satisfies never;
    }
  }

  /** The trigger on events: keeps the balances equal to the sum of the events. */
  #applyEvent(event: Row): void {
    const reserved = minor(event, 'reserved_delta');
    const succeeded = minor(event, 'succeeded_delta');
    const returned = minor(event, 'returned_delta');
    const disputed = minor(event, 'disputed_delta');
    if (reserved === 0n && succeeded === 0n && returned === 0n && disputed === 0n) return;
    const payment = this.rows.payments.find((row) => row['id'] === event['payment_id']);
    if (payment === undefined)
      throw new ConstraintViolated('events_payment_id_fkey', String(event['payment_id']));
    const after: Record<string, unknown> = { ...payment };
    after['reserved_minor'] = minor(payment, 'reserved_minor') + reserved;
    after['succeeded_minor'] = minor(payment, 'succeeded_minor') + succeeded;
    after['returned_minor'] = minor(payment, 'returned_minor') + returned;
    after['disputed_minor'] = minor(payment, 'disputed_minor') + disputed;
    after['released_minor'] = minor(payment, 'released_minor') + minor(event, 'released_delta');
    after['excess_minor'] = excessOf(after);
    checkPayment(after);
    if (event['from_outside'] !== true && minor(after, 'excess_minor') > minor(payment, 'excess_minor'))
      throw new ConstraintViolated('payment_balance', String(event['natural_key']));
    this.#replace('payments', payment, after);
  }
}

const NOTHING: Row = Object.freeze({});

/** Returns the amount in a column. */
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
  return captured > 0n ? captured + minor(payment, 'released_minor') : minor(payment, 'authorized_minor');
}

const BALANCES = [
  'reserved_minor',
  'succeeded_minor',
  'returned_minor',
  'disputed_minor',
  'released_minor',
] as const;

/** The generated column: the excess of a payment. */
function excessOf(payment: Row): bigint {
  const above = usedOf(payment) - limitOf(payment);
  return above > 0n ? above : 0n;
}

function checkPayment(row: Row): void {
  for (const column of BALANCES)
    if (minor(row, column) < 0n) throw new ConstraintViolated(`payments_${column}_check`, 'below zero');
}

function violated({ name, columns }: Unique, row: Row): ConstraintViolated {
  return new ConstraintViolated(name, JSON.stringify(columns.map((column) => row[column])));
}

/** True if a change of these columns can violate the index. */
function concerns({ columns, only }: Unique, change: Row): boolean {
  return columns.some((column) => column in change) || only?.on.some((column) => column in change) === true;
}

function isAlike(columns: readonly string[], a: Row, b: Row): boolean {
  for (const column of columns) if (a[column] !== b[column]) return false;
  return true;
}

function sameColumns(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((column) => b.includes(column));
}
