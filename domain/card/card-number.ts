/** Finds card numbers in free text of clients and operators, which is stored unencrypted and must not contain any. */
import { CARD_RANGES, hasCheckDigit, isInRange } from './schemes.js';

/** By their first digit, which both prefixes of a range have in common. */
const BY_FIRST_DIGIT = new Map(
  ['2', '3', '4', '5', '6'].map((digit) => [
    digit,
    CARD_RANGES.filter(({ prefixes: [from], isSearched }) => isSearched && from.startsWith(digit)),
  ]),
);

/** Shorter numbers are not searched for: article numbers (EAN) have 13 digits. */
const SHORTEST = 14;
const LONGEST = 19;
/** ITU-T E.164, without the plus. */
const LONGEST_TELEPHONE_NUMBER = 15;
/** A UUID of any version is an id, whatever its digits are. */
const UUID = /(?<![\p{L}\p{N}])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\p{L}\p{N}])/giu;
/** An order number of Amazon. No card has such groups. */
const MARKETPLACE_ORDER = /(?<![\p{L}\p{N}]|\p{N}[-. ])\d{3}-\d{7}-\d{7}(?![\p{L}\p{N}]|[-. ]\p{N})/gu;
/** An account number with its country (ISO 13616), in one piece or in groups of four. It counts with its own check digits only. */
const IBAN = /(?<![\p{L}\p{N}])[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?(?![\p{L}\p{N}])/gu;
/** Between two groups of one number: blanks and dashes in any mixture. */
const PLAIN = /^[\s\p{Pd}]+$/u;
/** Longest text between two groups of one number, such as `&nbsp;` or ` and `. */
const LONGEST_SEPARATOR = 10;
/** Shortest group of a number with mixed separators. Shorter groups may be a date among other numbers. */
const SHORTEST_OF_MIXED = 3;
/** Groupings of the digits on cards. Any separator is accepted between these groups. */
const CARD_GROUPS: ReadonlySet<string> = new Set([
  '4 4 4 4',
  '4 4 4 4 1',
  '4 4 4 4 2',
  '4 4 4 4 3',
  '4 6 5',
  '4 6 4',
]);
/** Names of the card security code (three or four digits), as used on forms. A blank stands for any separator or none. */
const CODE_NAMES = [
  ...['c v v', 'c v c', 'c v n', 'cvd', 'csc', 'cav', 'cve'],
  ...['security code', 'card code', 'card (?:verification|validation|identification|security)'],
  ...['verification (?:code|value|number)', 'code de sécurité', 'cryptogramme', 'código de seguridad'],
  ...['prüfziffer', 'prüfnummer', 'sicherheitscode', 'kartenprüfnummer', 'kpn'],
].map((name) => name.replaceAll(' ', '[^\\p{L}\\p{N}]{0,3}'));
/** Words between the name and the digits. */
const FILLER =
  '(?:is|was|are|code|no|nr|num|number|value|digits?|of|the|my|your|this|card|lautet|ist|est|es|for|to)';
const GAP = '[^\\p{L}\\p{N}]';
const CODE_DIGITS = `\\p{Nd}(?:${GAP}{0,2}\\p{Nd}){2,3}(?!${GAP}{0,1}\\p{Nd})(?!\\p{L})`;
const SECURITY_CODE = new RegExp(
  [
    // `cvv 123`, `cvv2 code is: 1 2 3`
    `(?<!\\p{L})(?:${CODE_NAMES.join('|')})2?${GAP}{0,12}(?:${FILLER}${GAP}{1,12}){0,4}${CODE_DIGITS}`,
    // `123 (cvv)`, `123 is the cvv`
    `(?<!\\p{N})\\p{Nd}{3,4}${GAP}{0,3}(?:\\(|(?:is|was|as)${GAP}{1,3}(?:(?:the|my|your|card)${GAP}{1,3}){0,2})(?:${CODE_NAMES.join('|')})2?(?!\\p{L})`,
  ].join('|'),
  'u',
);

/**
 * True if a text contains what may be a card number, or a card security code with its name. A card number has the prefix, the length and
 * the check digit of a scheme, in digits of any alphabet, in one piece or in groups, beside any other letters, words and numbers. Any other
 * number with all three counts as a card too (docs/decisions/015-no-card-in-free-text.md).
 */
export function looksLikeCard(given: string): boolean {
  const text = plain(given);
  const decoded = withoutPercents(text);
  return [text, ...(decoded === text ? [] : [plain(decoded)])].some(
    (one) => SECURITY_CODE.test(asTokens(one)) || holdsCardNumber(one),
  );
}

/** Splits names such as `cardCvv` and `CARDCvv` into words: each word of a name in code begins with a capital. */
const asTokens = (text: string): string =>
  text.replace(/(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/gu, ' ').toLowerCase();

/** Undoes percent-encoding. */
function withoutPercents(text: string): string {
  if (!/%[0-9a-f]{2}/i.test(text)) return text;
  try {
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'));
  } catch {
    return text.replace(/%[0-9a-f]{2}/gi, ' ');
  }
}

/** Normalizes text: one form of each letter, digits 0 to 9, no invisible characters. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replace(/(?![0-9])\p{Nd}/gu, digitOf);
}

/** Returns the value of a digit. Unicode lists the ten digits of an alphabet from a code point that ends in 0 or in 6. */
function digitOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const last = code % 16;
  const beginsAtSix = last >= 6 && !/\p{Nd}/u.test(String.fromCodePoint(code - last));
  return String(beginsAtSix ? last - 6 : last);
}

interface Group {
  readonly digits: string;
  /** Text between the group before and this one; undefined if it is too long for one number. */
  readonly separator: string | undefined;
  readonly hasPlus: boolean;
}

function holdsCardNumber(text: string): boolean {
  if (text.length < SHORTEST) return false;
  const groups: Group[] = [];
  const shown = text
    .replace(UUID, '####')
    .replace(MARKETPLACE_ORDER, '####')
    .replace(IBAN, (found) => (isIban(found.replaceAll(' ', '')) ? '####' : found));
  let end = 0;
  for (const { 0: digits, index } of shown.matchAll(/[0-9]+/g)) {
    const separator =
      index - end <= LONGEST_SEPARATOR && groups.length > 0 ? shown.slice(end, index) : undefined;
    groups.push({ digits, separator, hasPlus: separator === undefined && shown[index - 1] === '+' });
    end = index + digits.length;
  }
  return groups.some((_group, first) => beginsCard(groups, first));
}

/** ISO 13616: the country and its check digits moved to the end, letters as 10 to 35; modulo 97 the number is 1. */
function isIban(text: string): boolean {
  const moved = `${text.slice(4)}${text.slice(0, 4)}`.replace(/[A-Z]/g, (letter) =>
    String(letter.charCodeAt(0) - 55),
  );
  return BigInt(moved) % 97n === 1n;
}

/** True if a card number begins with the group at `first`. It may end with any later group: other numbers may follow it. */
function beginsCard(groups: readonly Group[], first: number): boolean {
  const members = groups.slice(first, first + LONGEST);
  let digits = '';
  for (const [index, group] of members.entries()) {
    if (index > 0 && group.separator === undefined) return false;
    digits += group.digits;
    if (digits.length > LONGEST) return false;
    const isTelephone = members[0]?.hasPlus === true && digits.length <= LONGEST_TELEPHONE_NUMBER;
    if (!isTelephone && isCard(digits) && isOneNumber(members.slice(0, index + 1))) return true;
  }
  return false;
}

/** True if the groups are one number, by their separators or by a grouping that cards have. */
function isOneNumber([first, ...others]: readonly Group[]): boolean {
  const separators = others.map(({ separator = '' }) => separator);
  if (separators.every((separator) => PLAIN.test(separator))) return true;
  const [one = ''] = separators;
  if (separators.every((separator) => separator === one) && !/\p{L}/u.test(one)) return true;
  const members = [first, ...others].flatMap((group) => group?.digits ?? []);
  const isSpelled = members.every(({ length }) => length === 1);
  const isMixed = members.every(({ length }) => length >= SHORTEST_OF_MIXED);
  // Single digits in a row are a spelled number, whatever the separators are.
  if (isSpelled || (isMixed && separators.every((separator) => !/\p{L}/u.test(separator)))) return true;
  const lengths = [first?.digits.length, ...others.map(({ digits }) => digits.length)];
  return CARD_GROUPS.has(lengths.join(' '));
}

function isCard(digits: string): boolean {
  if (digits.length < SHORTEST) return false;
  const ranges = BY_FIRST_DIGIT.get(digits.slice(0, 1)) ?? [];
  return ranges.some(
    (range) => range.lengths.includes(digits.length) && isInRange(digits, range) && hasCheckDigit(digits),
  );
}
