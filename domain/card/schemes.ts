/** Number ranges of card schemes: one table for validation of cards and for finding card numbers in free text. */

export interface CardRange {
  /** Brand in the gateway's spelling; null if the gateway has none for the scheme. */
  readonly brand: string | null;
  /** The first and the last of its prefixes, with equally many digits. */
  readonly prefixes: readonly [from: string, to: string];
  readonly lengths: readonly number[];
  /** Digits of the card security code. */
  readonly cvvLength: 3 | 4;
  /**
   * True if every number of the range has this brand. Ranges of Visa and Mastercard also hold cards of mada, Dankort, Cartes Bancaires and
   * others, that the gateway knows as brands of their own.
   */
  readonly decidesBrand: boolean;
  /** True if free text is searched for numbers of the range. False for ranges so wide that many order numbers would be in them. */
  readonly isSearched: boolean;
}

type Brand = string | null;
type More = Partial<Pick<CardRange, 'cvvLength' | 'decidesBrand' | 'isSearched'>>;

const range = (
  brand: Brand,
  from: string,
  to: string,
  lengths: readonly number[],
  more: More = {},
): CardRange => ({
  brand,
  prefixes: [from, to],
  lengths,
  cvvLength: 3,
  decidesBrand: false,
  isSearched: true,
  ...more,
});
const DECIDES = { decidesBrand: true } as const;
const NOT_SEARCHED = { isSearched: false } as const;
const SIXTEEN_UP = [16, 17, 18, 19] as const;
const ANY = [12, 13, 14, 15, ...SIXTEEN_UP] as const;

/** Issuer ranges of ISO/IEC 7812 as the schemes publish them. */
export const CARD_RANGES: readonly CardRange[] = [
  // Numbers of 13 digits are not included: Visa no longer issues them.
  range('VISA', '4', '4', [16, 19]),
  range('MASTER', '51', '55', [16]),
  range('MASTER', '2221', '2720', [16]),
  range('AMEX', '34', '34', [15], { cvvLength: 4, ...DECIDES }),
  range('AMEX', '37', '37', [15], { cvvLength: 4, ...DECIDES }),
  range('DINERS', '300', '305', [14], DECIDES),
  range('DINERS', '309', '309', [14], DECIDES),
  range('DINERS', '36', '36', [14], DECIDES),
  // Hipercard has numbers of this range too.
  range('DINERS', '38', '39', [14]),
  range('DISCOVER', '6011', '6011', [16], DECIDES),
  range('DISCOVER', '644', '649', [16], DECIDES),
  // Elo has numbers of this range too.
  range('DISCOVER', '65', '65', [16]),
  range('JCB', '3528', '3589', [16], DECIDES),
  // The gateway has two brands for it, UNIONPAY and UNIONPAY_SMS.
  range('UNIONPAY', '62', '62', SIXTEEN_UP),
  range('MAESTRO', '5018', '5018', ANY),
  range('MAESTRO', '5020', '5020', ANY),
  range('MAESTRO', '5038', '5038', ANY),
  range('MAESTRO', '5893', '5893', ANY),
  range('MAESTRO', '6304', '6304', ANY),
  range('MAESTRO', '6759', '6759', ANY),
  range('MAESTRO', '6761', '6763', ANY),
  range('MAESTRO', '50', '50', ANY, NOT_SEARCHED),
  range('MAESTRO', '56', '59', ANY, NOT_SEARCHED),
  range('MAESTRO', '60', '69', ANY, NOT_SEARCHED),
  range('DANKORT', '5019', '5019', [16]),
  range('DANKORT', '4571', '4571', [16]),
  // Mir
  range(null, '2200', '2204', SIXTEEN_UP),
];

/** Brands of cards at the gateway. */
export const CARD_BRANDS: ReadonlySet<string> = new Set([
  ...['AIRPLUS', 'ALIA', 'AMEX', 'ARGENCARD', 'ASYACARD', 'AXESS', 'BCMC', 'BONUS', 'CABAL', 'CABALDEBIT'],
  ...['CARNET', 'CARTEBANCAIRE', 'CARTEBLEUE', 'CENCOSUD', 'DANKORT', 'DINERS', 'DISCOVER', 'ELO'],
  ...['HIPERCARD', 'JCB', 'MADA', 'MAESTRO', 'MASTER', 'MASTERDEBIT', 'MEEZA', 'MERCADOLIVRE', 'NARANJA'],
  ...['NATIVA', 'SERVIRED', 'SISTEMACLAVE', 'TARJETASHOPPING', 'TCARD', 'TCARDDEBIT', 'UNIONPAY'],
  ...['UNIONPAY_SMS', 'VISA', 'VISADEBIT', 'VISAELECTRON', 'VPAY', 'WORLD'],
]);

export const isInRange = (digits: string, { prefixes: [from, to] }: CardRange): boolean => {
  const start = digits.slice(0, from.length);
  return start.length === from.length && start >= from && start <= to;
};

/** Returns the brand of a number if its range decides it, else null. */
export function brandOf(digits: string): string | null {
  const found = CARD_RANGES.filter((one) => one.isSearched && isInRange(digits, one));
  return found.length === 1 && found[0]?.decidesBrand === true ? found[0].brand : null;
}

/** True if a card of this brand can have the number, by prefix and length. Brands without ranges of their own can have any. */
export function canBe(digits: string, brand: string): boolean {
  const own = CARD_RANGES.filter((one) => one.brand === brand);
  return own.length === 0 || own.some((one) => isInRange(digits, one) && one.lengths.includes(digits.length));
}

/** Returns the digits of the card security code of a brand: one length, or both if the brand has no ranges of its own. */
export function cvvLengthsOf(brand: string): readonly number[] {
  const own = CARD_RANGES.filter((one) => one.brand === brand).map(({ cvvLength }) => cvvLength);
  return own.length === 0 ? [3, 4] : [...new Set(own)];
}

/** ISO/IEC 7812-1, annex B. */
export function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, isDoubled = false; at >= 0; at -= 1, isDoubled = !isDoubled) {
    const worth = Number(digits[at]) * (isDoubled ? 2 : 1);
    sum += worth > 9 ? worth - 9 : worth;
  }
  return sum % 10 === 0;
}
