/** Reads columns of in-memory rows with their types. */
import type { Row } from '../database/tables.js';

export function text(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : '';
}

export function amount(row: Row, column: string): bigint {
  const value = row[column];
  return typeof value === 'bigint' ? value : 0n;
}

export const sumOf = (rows: readonly Row[], column: string): bigint =>
  rows.reduce((sum, row) => sum + amount(row, column), 0n);

/** Returns an event's time in milliseconds. */
export const atOf = (event: Row): number => (event['at'] instanceof Date ? event['at'].getTime() : Infinity);
