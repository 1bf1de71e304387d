/** Card numbers in free text: what callers and persons write is kept in the clear, and a card must never be. */

interface Scheme {
  /** The first and the last of its prefixes, with equally many digits. */
  readonly prefixes: readonly [from: string, to: string];
  readonly lengths: readonly number[];
}

const scheme = (from: string, to: string, ...lengths: readonly number[]): Scheme => ({
  prefixes: [from, to],
  lengths,
});
const SIXTEEN_UP = [16, 17, 18, 19] as const;
const ANY = [14, 15, ...SIXTEEN_UP] as const;

/** Issuer ranges of ISO/IEC 7812 as the schemes publish them. A number that starts otherwise, or is longer or shorter, is no card. */
const SCHEMES: readonly Scheme[] = [
  // Visa. Its old length of thirteen is no longer issued, and is that of every article number (EAN).
  scheme('4', '4', 16, 19),
  // Mastercard
  scheme('51', '55', 16),
  scheme('2221', '2720', 16),
  // American Express
  scheme('34', '34', 15),
  scheme('37', '37', 15),
  // Diners Club
  scheme('300', '305', 14),
  scheme('309', '309', 14),
  scheme('36', '36', 14),
  scheme('38', '39', 14),
  // Discover
  scheme('6011', '6011', 16),
  scheme('644', '649', 16),
  scheme('65', '65', 16),
  // JCB
  scheme('3528', '3589', 16),
  // UnionPay
  scheme('62', '62', ...SIXTEEN_UP),
  // Maestro
  scheme('5018', '5018', ...ANY),
  scheme('5020', '5020', ...ANY),
  scheme('5038', '5038', ...ANY),
  scheme('5893', '5893', ...ANY),
  scheme('6304', '6304', ...ANY),
  scheme('6759', '6759', ...ANY),
  scheme('6761', '6763', ...ANY),
  // Dankort
  scheme('5019', '5019', 16),
  // Mir
  scheme('2200', '2204', ...SIXTEEN_UP),
];

/** Both prefixes of a scheme begin with the same digit. */
const BY_FIRST_DIGIT = new Map(
  ['2', '3', '4', '5', '6'].map((digit) => [
    digit,
    SCHEMES.filter(({ prefixes: [from] }) => from.startsWith(digit)),
  ]),
);

const SHORTEST = 13;
const LONGEST = 19;
/** ITU-T E.164, without the plus. */
const LONGEST_TELEPHONE_NUMBER = 15;
/** Of any version: an id, whatever its digits are. */
const UUID = /(?<![\p{L}\p{N}])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\p{L}\p{N}])/giu;
/** Groups of digits with blanks or dashes between them. Digits inside of a word are no card. */
const GROUPS = /(?<![\p{L}\p{N}])\+?\d+(?:[\s\p{Pd}]{1,3}\d+)*(?![\p{L}\p{N}])/gu;

/**
 * Whether a text holds what may be a card number: digits with the prefix, the length and the check digit of a scheme, alone or grouped
 * with blanks or dashes, beside any other words and numbers. A number of another meaning that has all three is taken for a card too
 * (docs/decisions/016-no-card-in-free-text.md).
 */
export function looksLikeCard(text: string): boolean {
  if (text.length < SHORTEST) return false;
  const runs = text.replace(UUID, '#').match(GROUPS) ?? [];
  return runs.some((run) => holdsCard(run.match(/\d+/g) ?? [], run.startsWith('+')));
}

/** Other numbers may stand beside a card, so it may begin and end with any of the groups. */
function holdsCard(groups: readonly string[], hasPlus: boolean): boolean {
  return groups.some((_group, first) => {
    let digits = '';
    for (const group of groups.slice(first, first + LONGEST)) {
      digits += group;
      if (digits.length > LONGEST) return false;
      const isTelephone = hasPlus && first === 0 && digits.length <= LONGEST_TELEPHONE_NUMBER;
      if (!isTelephone && isCard(digits)) return true;
    }
    return false;
  });
}

function isCard(digits: string): boolean {
  if (digits.length < SHORTEST) return false;
  const schemes = BY_FIRST_DIGIT.get(digits.slice(0, 1)) ?? [];
  return schemes.some(({ lengths, prefixes }) => {
    const [from, to] = prefixes;
    const start = digits.slice(0, from.length);
    return lengths.includes(digits.length) && start >= from && start <= to && hasCheckDigit(digits);
  });
}

/** ISO/IEC 7812-1, annex B. */
function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, isDoubled = false; at >= 0; at -= 1, isDoubled = !isDoubled) {
    const worth = Number(digits[at]) * (isDoubled ? 2 : 1);
    sum += worth > 9 ? worth - 9 : worth;
  }
  return sum % 10 === 0;
}
