/** Formats codes, amounts, durations and times for display. */
import { APPROVAL_REASONS, CREDIT_BLOCKS } from '../../../domain/refund/credit-guard.js';
import { CASE_REASONS, END_REASONS } from '../../../domain/refund/reasons.js';

/** Formats a code: `awaiting_approval` → `awaiting approval`. */
export const texts = (code: string): string => code.replaceAll('_', ' ');

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Sentences for codes of blocks, approvals, cases and ends. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(CREDIT_BLOCKS),
  ...Object.entries(APPROVAL_REASONS),
  ...Object.entries(END_REASONS),
  ...Object.entries(CASE_REASONS).map(([code, { why }]): [string, string] => [code, why]),
]);
/** Returns the sentence for a code. Unknown codes and an operator's own text are returned unchanged. */
export const meaning = (code: string): string => MEANINGS.get(code) ?? code;

/** Groups thousands with a thin space, which no language reads as a decimal separator: `12 345.00`. */
export function grouped(amount: string): string {
  const [whole = '', fraction] = amount.split('.');
  const spaced = whole.replace(/\B(?=(\d{3})+$)/gu, '\u202f');
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

/** Converts a decimal amount to its smallest unit. Amounts of one currency all have the same number of decimals. */
export const minor = (amount: string): bigint => BigInt(amount.replace('.', ''));

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Formats a duration with its two largest units: `42 s`, `5 min`, `3 h 12 min`, `4 d 6 h`. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < MINUTE) return `${s} s`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min`;
  const [large, small, unit, rest] =
    s < DAY
      ? [Math.floor(s / HOUR), Math.floor((s % HOUR) / MINUTE), 'h', 'min']
      : [Math.floor(s / DAY), Math.floor((s % DAY) / HOUR), 'd', 'h'];
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${rest}`;
}

/** Formats a time with seconds and time zone, for comparison with other systems' logs. Shows the year unless it is the current one. */
export function exactTime(iso: string): string {
  const time = new Date(iso);
  return time.toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    ...(time.getFullYear() === new Date().getFullYear() ? {} : { year: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
}

/** Shortens a long id to its first and last characters. */
export const shortId = (id: string): string => (id.length > 16 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id);
