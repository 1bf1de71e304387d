/** How codes, amounts and spans of time read. */
import { APPROVAL_REASONS, CREDIT_BLOCKS } from '../../../domain/refund/credit-guard.js';
import { CASE_REASONS, END_REASONS } from '../../../domain/payment/finding.js';

/** `awaiting_approval` → `awaiting approval`. */
export const words = (code: string): string => code.replaceAll('_', ' ');

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What a code means; a code that this version does not know, and what a person wrote, stay as they are. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(CREDIT_BLOCKS),
  ...Object.entries(APPROVAL_REASONS),
  ...Object.entries(END_REASONS),
  ...Object.entries(CASE_REASONS).map(([code, { why }]): [string, string] => [code, why]),
]);
export const meaning = (code: string): string => MEANINGS.get(code) ?? code;

/** Thin spaces between thousands, which no language reads as a decimal point: `12 345.00`. */
export function grouped(amount: string): string {
  const [whole = '', fraction] = amount.split('.');
  const spaced = whole.replace(/\B(?=(\d{3})+$)/gu, '\u202f');
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

/** An amount of a currency in its smallest unit; all amounts of one currency have the same number of decimals. */
export const minor = (amount: string): bigint => BigInt(amount.replace('.', ''));

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `42 s`, `5 min`, `3 h 12 min`, `4 d 6 h`: the two largest units. */
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

/** To the second and with its zone: what one compares with another system's log. The year where it is not this one. */
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

/** The first and last characters of a long id, by which people recognise it. */
export const shortId = (id: string): string => (id.length > 16 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id);
