/** Evaluates the pieces of raw SQL that the ledger uses on in-memory rows. Add an entry here for each new piece. */
import type { RawBuilder } from 'kysely';
import { minor, type Row } from './tables.js';

interface Inputs {
  /** Values of the template's parameters, in their order. */
  readonly values: readonly unknown[];
  readonly row: Row;
  /** All rows that the query found; sums need them. */
  readonly rows: readonly Row[];
  readonly now: Date;
}

const since = ({ values: [moment], now }: Inputs): number | null =>
  moment instanceof Date ? now.getTime() - moment.getTime() : null;
const sumOf =
  (column: string) =>
  ({ rows }: Inputs): string =>
    rows.reduce((sum, row) => sum + minor(row, column), 0n).toString();
const oneMore =
  (column: string) =>
  ({ row }: Inputs): number =>
    Number(row[column]) + 1;
const dataField =
  (name: string) =>
  ({ row }: Inputs): unknown => {
    const { data } = row;
    return typeof data === 'object' && data !== null
      ? Object.getOwnPropertyDescriptor(data, name)?.value
      : undefined;
  };

const MEANINGS: Readonly<Record<string, (inputs: Inputs) => unknown>> = {
  // Every transaction here runs alone, so the lock is always free.
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
  "coalesce((data->>'final')::boolean, false)": (inputs) => dataField('final')(inputs) ?? false,
  'coalesce(registration_id, ?)': ({ row, values: [other] }) => row['registration_id'] ?? other,
};

/** Cache by the constant part of a template, so that the text of a piece of SQL is joined once for each place in the code. */
const meanings = new WeakMap<object, (inputs: Inputs) => unknown>();

/** Evaluates a piece of raw SQL. Throws if it is not in `MEANINGS`. */
export function evaluate(fragment: RawBuilder<unknown>, row: Row, rows: readonly Row[], now: Date): unknown {
  const node = fragment.toOperationNode();
  if (!('sqlFragments' in node && 'parameters' in node)) throw new Error('not a piece of raw SQL');
  const { sqlFragments, parameters } = node;
  if (!Array.isArray(sqlFragments) || !Array.isArray(parameters))
    throw new Error('raw SQL without its parts');
  const meaning = meanings.get(sqlFragments) ?? read(sqlFragments);
  return meaning({ values: parameters.length === 0 ? parameters : parameters.map(valueOf), row, rows, now });
}

function read(fragments: readonly unknown[]): (inputs: Inputs) => unknown {
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

/** True if a value of an update or insert is a piece of SQL. */
export function isFragment(value: unknown): value is RawBuilder<unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && 'isRawBuilder' in value;
}
