/** Card data that an operator typed: reads it from the input fields, checks it, and clears the fields. */
import { hasCheckDigit } from '../../../domain/card/schemes.js';
import type { FieldProblem } from './data/request.js';

/** Fields that are cleared as soon as they are sent. */
export const SECRET_FIELDS = ['number', 'cvv'] as const;
const CARD_FIELDS = [...SECRET_FIELDS, 'holder', 'expiryMonth', 'expiryYear', 'brand'] as const;
export type CardField = (typeof CARD_FIELDS)[number];

/** Card data as `POST /v1/cards` takes it. Absent: the field is empty. */
export type CardEntry = Readonly<Partial<Record<CardField, string>>>;

const fieldIn = (box: Element, field: CardField): HTMLInputElement | HTMLSelectElement | null => {
  const found = box.querySelector(`[data-card-field="${field}"]`);
  return found instanceof HTMLInputElement || found instanceof HTMLSelectElement ? found : null;
};

/** Reads the fields in `box`. The caller passes the result on and keeps no part of it. */
export function readEntry(box: Element): CardEntry {
  return entryOf(
    Object.fromEntries(CARD_FIELDS.map((field) => [field, fieldIn(box, field)?.value.trim() ?? ''])),
  );
}

/** Normalizes typed text: digits without blanks and dashes, a month of two digits. Leaves out empty fields. */
export function entryOf(typed: CardEntry): CardEntry {
  const { number = '', expiryMonth = '' } = typed;
  const normal = {
    ...typed,
    number: number.replace(/[\s\p{Pd}]/gu, ''),
    expiryMonth: /^[1-9]$/u.test(expiryMonth) ? `0${expiryMonth}` : expiryMonth,
  };
  return Object.fromEntries(Object.entries(normal).filter(([, value]) => value !== ''));
}

/** Empties the fields in `box`. */
export function clearFields(box: Element, fields: readonly CardField[] = CARD_FIELDS): void {
  for (const field of fields) {
    const element = fieldIn(box, field);
    if (element !== null) element.value = '';
  }
}

const REQUIRED: readonly (readonly [CardField, string])[] = [
  ['number', 'Enter the number of the card.'],
  ['holder', 'Enter the name on the card.'],
  ['expiryMonth', 'Enter the month.'],
  ['expiryYear', 'Enter the year.'],
];

/** Returns the problems that show before anything is sent. The API checks everything again. No message repeats a value. */
export function problemsOfEntry(entry: CardEntry): readonly FieldProblem[] {
  const problems = REQUIRED.flatMap(([field, message]) =>
    entry[field] === undefined ? [{ field, code: 'missing', message }] : [],
  );
  const { number, cvv } = entry;
  if (number !== undefined && !isCardNumber(number))
    problems.push({
      field: 'number',
      code: 'invalid',
      message: 'This is not a card number: a digit is wrong or missing.',
    });
  if (cvv !== undefined && !isCvv(cvv))
    problems.push({ field: 'cvv', code: 'invalid', message: 'A CVV has three or four digits.' });
  return problems;
}

export const isCvv = (text: string): boolean => /^\d{3,4}$/u.test(text);

const isCardNumber = (digits: string): boolean => /^\d{12,19}$/u.test(digits) && hasCheckDigit(digits);
