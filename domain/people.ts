/** Who said what: the words of persons about refunds, and when two names are one person. */

/** Who speaks, why, and where it was discussed. All three are kept with what they brought about. */
export interface Word {
  readonly by: string;
  readonly reason: string;
  readonly ticket?: string;
}

/** Two people are needed where one asks or proposes: capitals and blanks do not make a second one. */
export function isSamePerson(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}

const DIGITS = /\d(?:[ -]?\d)*/g;

/** Thirteen to nineteen digits with a card's check digit, however grouped. What persons write is kept in the clear. */
export function looksLikeCard(text: string): boolean {
  return (text.match(DIGITS) ?? []).some((found) => {
    const digits = found.replaceAll(/[ -]/g, '');
    return digits.length >= 13 && digits.length <= 19 && hasCheckDigit(digits);
  });
}

/** ISO/IEC 7812-1, annex B. */
function hasCheckDigit(digits: string): boolean {
  const sum = Array.from(digits)
    .toReversed()
    .reduce((total, digit, index) => {
      const doubled = Number(digit) * (index % 2 === 1 ? 2 : 1);
      return total + (doubled > 9 ? doubled - 9 : doubled);
    }, 0);
  return sum % 10 === 0;
}
