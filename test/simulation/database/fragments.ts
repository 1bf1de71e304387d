/** The pieces of raw SQL that the ledger uses, each with what it means for rows in memory. A new one has to be added here. */
import type { RawBuilder } from 'kysely';
import { minor, type Row } from './tables.js';

interface Fixture {
  /** Values put into the template, in their order. */
  readonly values: readonly unknown[];
  readonly row: Row;
  /** All rows that the query found, for sums. */
  readonly rows: readonly Row[];
  readonly now: Date;
}

const since = ({ values: [moment], now }: Fixture): number | null =>
  moment instanceof Date ? now.getTime() - moment.getTime() : null;
const sumOf =
  (column: string) =>
  ({ rows }: Fixture): string =>
    rows.reduce((sum, row) => sum + minor(row, column), 0n).toString();
const oneMore =
  (column: string) =>
  ({ row }: Fixture): number =>
    Number(row[column]) + 1;
const dataField =
  (name: string) =>
  ({ row }: Fixture): unknown => {
    const { data } = row;
    return typeof data === 'object' && data !== null
      ? Object.getOwnPropertyDescriptor(data, name)?.value
      : undefined;
  };

const MEANINGS: Readonly<Record<string, (fixture: Fixture) => unknown>> = {
  // Every transaction here runs alone: nobody else holds the lock.
  'pg_advisory_xact_lock(hashtextextended(?, 0))': () => null,
  amount_minor: ({ row }) => minor(row, 'amount_minor'),
  'now()': ({ now }) => now,
  "now() + ? * interval '1 millisecond'": ({ now, values: [ms] }) => new Date(now.getTime() + Number(ms)),
  '(extract(epoch from now() - ?::timestamptz) * 1000)::float8': since,
  'version + 1': oneMore('version'),
  'queries + 1': oneMore('queries'),
  'coalesce(sum(reserved_delta), 0)::text': sumOf('reserved_delta'),
  'coalesce(sum(amount_minor), 0)::text': sumOf('amount_minor'),
  "data->>'gatewayId'": dataField('gatewayId'),
  "coalesce((data->>'final')::boolean, false)": (fixture) => dataField('final')(fixture) ?? false,
  'coalesce(registration_id, ?)': ({ row, values: [other] }) => row['registration_id'] ?? other,
};

/** By the constant part of a template: the text of a piece of SQL is put together once for each place that has it. */
const meanings = new WeakMap<object, (fixture: Fixture) => unknown>();

/** A piece of raw SQL, evaluated. Throws for one that is not in the list. */
export function evaluate(fragment: RawBuilder<unknown>, row: Row, rows: readonly Row[], now: Date): unknown {
  const node = fragment.toOperationNode();
  if (!('sqlFragments' in node && 'parameters' in node)) throw new Error('not a piece of raw SQL');
  const { sqlFragments, parameters } = node;
  if (!Array.isArray(sqlFragments) || !Array.isArray(parameters))
    throw new Error('raw SQL without its parts');
  const meaning = meanings.get(sqlFragments) ?? read(sqlFragments);
  return meaning({ values: parameters.length === 0 ? parameters : parameters.map(valueOf), row, rows, now });
}

function read(fragments: readonly unknown[]): (fixture: Fixture) => unknown {
  const text = fragments.join('?').replaceAll(/\s+/g, ' ').trim();
  const meaning = MEANINGS[text];
  if (meaning === undefined) throw new Error(`the database in memory does not know this SQL: ${text}`);
  meanings.set(fragments, meaning);
  return meaning;
}

function valueOf(parameter: unknown): unknown {
  return typeof parameter === 'object' && parameter !== null && 'value' in parameter
    ? parameter.value
    : undefined;
}

/** Whether a value of an update or insert is a piece of SQL. */
export function isFragment(value: unknown): value is RawBuilder<unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && 'isRawBuilder' in value;
}
