/** Card numbers in free text: texts that are taken for one, and ordinary ids that are not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksLikeCard } from '../../domain/card/card-number.js';

/** Numbers that the schemes and the vendor publish for tests. */
const CARDS: readonly [name: string, number: string][] = [
  ['Visa', '4111111111111111'],
  ['Visa of the vendor', '4200000000000000'],
  ['Visa of 19 digits', '4000000000000000006'],
  ['Mastercard', '5555555555554444'],
  ['Mastercard, first of its range', '5105105105105100'],
  ['Mastercard of the new range', '2223003122003222'],
  ['Mastercard, last of the new range', '2720990000000007'],
  ['American Express', '378282246310005'],
  ['American Express, 34', '343434343434343'],
  ['Diners Club', '30569309025904'],
  ['Diners Club, 36', '36148900647913'],
  ['Diners Club, 38', '38520000023237'],
  ['Diners Club, 309', withCheckDigit('3090000000000')],
  ['Discover', '6011111111111117'],
  ['Discover, 644', '6440000000000005'],
  ['Discover, 65', '6500000000000002'],
  ['JCB', '3530111333300000'],
  ['JCB, first of its range', '3528000000000007'],
  ['JCB, last of its range', '3589000000000003'],
  ['UnionPay', '6200000000000005'],
  ['UnionPay of 19 digits', '6205500000000000004'],
  ['Maestro', '6759649826438453'],
  ['Maestro, 5018', '5018000000000009'],
  ['Maestro, 5020', '5020000000000005'],
  ['Maestro, 5038', '5038000000000005'],
  ['Maestro, 5893', withCheckDigit('589300000000000')],
  ['Maestro, 6304', '6304000000000000'],
  ['Maestro, 6762', withCheckDigit('676200000000000')],
  ['Dankort', '5019717010103742'],
  ['Mir', '2200000000000004'],
];

/** Returns the digits with the check digit that makes the number valid. */
function withCheckDigit(digits: string): string {
  for (let last = 0; last < 10; last += 1) {
    const number = `${digits}${last}`;
    const sum = Array.from(number)
      .toReversed()
      .reduce((total, digit, at) => {
        const worth = at % 2 === 0 ? Number(digit) : [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][Number(digit)];
        return total + (worth ?? 0);
      }, 0);
    if (sum % 10 === 0) return number;
  }
  throw new Error('One of ten digits is right.');
}

describe('a card number', () => {
  it.each(CARDS)('of %s is found: %s', (_name, number) => {
    expect(looksLikeCard(number)).toBe(true);
  });

  it.each(CARDS)('of %s with another check digit is not one: %s', (_name, number) => {
    const last = (Number(number.slice(-1)) + 1) % 10;
    expect(looksLikeCard(number.slice(0, -1) + String(last))).toBe(false);
  });

  it.each([
    'card 4200 0000 0000 0000 says',
    '5555-5555-5555-4444',
    '3782 822463 10005',
    '4111\u00a01111\u00a01111\u00a01111',
    '4111 – 1111 – 1111 – 1111',
    '41 11 11 11 11 11 11 11',
    'card:4111111111111111',
    '+4111111111111111',
    '+49 30 1234567 and 4111111111111111',
    'card_4111111111111111',
    '"4111111111111111"',
    '(4111111111111111)',
    '2026-11-03 4111111111111111',
    'order 17 card 4111111111111111 12/34',
    '4111111111111111 123',
    '12 4111 1111 1111 1111 12 34',
    '4111111111111112 4111111111111111',
    'order4111111111111111',
    '4111111111111111x',
    'ж4111111111111111',
    'x4111.1111.1111.1111y',
    '4111.1111.1111.1111',
    '4111_1111_1111_1111',
    '4111/1111/1111/1111',
    '4111,1111,1111,1111',
    '4111:1111:1111:1111',
    '4111x1111x1111x1111',
    '4111·1111·1111·1111',
    '4111-1111.1111_1111',
    '4111 / 1111 / 1111 / 1111',
    'A3782-822463.10005B',
    '41.11.11.11.11.11.11.11',
    '411/1111-111.111_111',
    '411111_1111.111111',
    '4111     1111     1111     1111',
    '4111 and 1111 and 1111 and 1111',
    '4111&nbsp;1111&nbsp;1111&nbsp;1111',
    '4111%201111%201111%201111',
    '<4111><1111><1111><1111>',
    '4x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1',
    '4a1b1c1d1e1f1g1h1i1j1k1l1m1n1o1',
    '4⃣1⃣1⃣1⃣1⃣1⃣1⃣1⃣1⃣1⃣1⃣1⃣1⃣1⃣1⃣1⃣',
    '４１１１１１１１１１１１１１１１',
    '４１１１．１１１１．１１１１．１１１１',
    '٤١١١١١١١١١١١١١١١',
    '४१११ ११११ ११११ ११११',
    '๔๑๑๑๑๑๑๑๑๑๑๑๑๑๑๑',
    '𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏',
    '④①①①①①①①①①①①①①①①',
    '4111\u200b1111\u200b1111\u200b1111',
    '4\u00ad1\u00ad1\u00ad1111111111111',
    'id:aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa 4111111111111111',
    '302-1234567-1234567 4111111111111111',
    'DE89 3704 0044 0532 0130 00 4111 1111 1111 1111',
    'DE00 4111 1111 1111 1111',
  ])('is found among other words: %s', (text) => expect(looksLikeCard(text)).toBe(true));
});

describe('a security code', () => {
  it.each([
    'cvv 123',
    'CVV: 1234',
    'cvv2=123',
    'cvc 123',
    'CVC2 is 123',
    'the security code: 123',
    'card verification value 123',
    'cvv\u200b 123',
    'ＣＶＶ １２３',
    'cvv١٢٣',
    'exp 12/29, cvv123.',
    'Prüfziffer 123',
    'Kartenprüfnummer 123',
    'Sicherheitscode: 123',
    'cvv code is: 123',
    'the cvv of the card is 123',
    'cvv 1 2 3',
    'c v v 123',
    'C.V.V. 123',
    'cardCvv: 123',
    'CARDCvv=123',
    'securityCode: 123',
    'card_security_code=123',
    'Card-Security-Code 1234',
    'card code 123',
    'csc 123',
    'cvd:123',
    '"cvv":"123"',
    'cvv%3D123',
    '123 (cvv)',
    '123 is the cvv',
  ])('is found: %s', (text) => expect(looksLikeCard(text)).toBe(true));
});

describe('a text without a card number', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['an order', '4711'],
    ['an order with a year in it', '2026-1125-0000-0042'],
    ['digits of no scheme', '1234567812345670'],
    ['one digit too few', '400000000002'],
    ['an article number, thirteen digits from 4', '4222222222222'],
    ['a length that Visa does not have', withCheckDigit('4'.repeat(13))],
    ['a length that Visa does not have either', withCheckDigit('4'.repeat(14))],
    ['a length that Mastercard does not have', withCheckDigit(`51${'0'.repeat(16)}`)],
    ['a length that American Express does not have', withCheckDigit(`34${'0'.repeat(13)}`)],
    ['a length that Diners Club does not have', withCheckDigit(`36${'0'.repeat(12)}`)],
    ['more digits than any card', withCheckDigit(`4${'1'.repeat(19)}`)],
    ['a prefix before the new range of Mastercard', withCheckDigit('222099999999999')],
    ['a prefix after the new range of Mastercard', withCheckDigit('272100000000000')],
    ['a prefix before JCB', withCheckDigit('352799999999999')],
    ['a prefix after JCB', withCheckDigit('359000000000000')],
    ['a prefix before Discover', withCheckDigit('643000000000000')],
    ['a time in milliseconds', '1764081100000'],
    ['a reference of an acquirer', 'ARN 74027010123456789012345'],
    ['a settlement line', 'settlement line 2026-11-03 40.00'],
    ['a telephone number', `+${withCheckDigit('491512345678')}`],
    ['an id of the gateway', '8ac7a4a289d210fc0189d5b4e9572cc8'],
    ['an id of the gateway with digits only', '41111111111111114111111111111111'],
    ['a UUID', '41111111-1111-4111-8111-111111111111'],
    ['a UUID with a card at its end', 'aaaaaaaa-aaaa-4aaa-8aaa-411111111111'],
    ['a UUID whose first groups would be one', '41111111-1111-1111-abcd-abcdabcdabcd'],
    ['a reference of ours', 'KHQDEW3SX4Y3D2Q8'],
    ['a time with parts of a second', '2026-11-29T20:48:20.123456789Z'],
    ['an address and a port', '41.111.111.111:11111 and 111.111.1'],
    ['groups that other things part', '41111111, then 11111111'],
    ['groups in the way of no card, with different letters between them', '411a1111b111c111d111'],
    ['pairs and more, with different things between them', '41/1111-1111.1111_11'],
    ['a security code without digits', 'the cvv was refused'],
    ['a number that only ends in such letters', 'recvv 123'],
    ['a customer', 'cid 1234'],
    ['a code that was not checked', 'error 100 - cvv missing; cvv check 200; 123 cvv'],
    ['a part of a longer word', 'cvv 123abc'],
    ['a code of another length', 'cvv 12345'],
  ])('is accepted: %s', (_name, text) => expect(looksLikeCard(text)).toBe(false));

  it('with an ordinary number: of ten thousand hardly any is taken for a card', () => {
    const random = mulberry32(20_261_129);
    const digits = (count: number): string =>
      Array.from({ length: count }, () => Math.floor(random() * 10)).join('');
    const hex = (count: number): string =>
      Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('');
    const between = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
    const two = (from: number, to: number): string => String(between(from, to)).padStart(2, '0');
    const day = (): string => `20${two(20, 35)}-${two(1, 12)}-${two(1, 28)}`;
    const time = (): string => `${two(0, 23)}:${two(0, 59)}:${two(0, 59)}`;
    const upper = (count: number): string =>
      Array.from({ length: count }, () => String.fromCharCode(between(65, 90))).join('');
    const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
    const letters = (alphabet: string, count: number): string =>
      Array.from({ length: count }, () => alphabet.charAt(between(0, alphabet.length - 1))).join('');
    const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    /** The check digit of EAN and GTIN. */
    const withGtinDigit = (body: string): string => {
      const sum = Array.from(body).reduceRight(
        (all, digit, at) => all + Number(digit) * ((body.length - at) % 2 === 1 ? 3 : 1),
        0,
      );
      return `${body}${(10 - (sum % 10)) % 10}`;
    };
    const iban = (country: string, account: string): string => {
      const number = `${account}${country}00`.replace(/[A-Z]/g, (letter) =>
        String(letter.charCodeAt(0) - 55),
      );
      return `${country}${String(98n - (BigInt(number) % 97n)).padStart(2, '0')}${account}`;
    };
    const inFours = (text: string): string => text.replaceAll(/.{4}(?=.)/g, '$& ');
    const forms: Readonly<Record<string, () => string>> = {
      'a number of up to twelve digits': () => digits(between(4, 12)),
      'letters and a number': () =>
        `${['ORD', 'SO', 'R', 'INV-'][between(0, 3)] ?? ''}${digits(between(6, 12))}`,
      'a date and a number': () => `${day()}-${digits(between(3, 6))}`,
      'a date in one piece and a number': () => `${day().replaceAll('-', '')}${digits(between(4, 8))}`,
      'a date and time in one piece': () => `${day()}${time()}`.replaceAll(/\D/g, ''),
      'a date, a time and a number in one piece': () => `${day()}${time()}${digits(4)}`.replaceAll(/\D/g, ''),
      'a shop, a year and a number': () => `${digits(2)}/20${two(20, 35)}/${digits(between(4, 8))}`,
      'a sequence with leading zeros': () => digits(between(3, 6)).padStart(between(8, 16), '0'),
      'Shopify, the number': () => `#${between(1_001, 999_999)}`,
      'Shopify, the id': () => String(between(5_000_000_000_000, 6_999_999_999_999)),
      Magento: () => `${between(1, 9)}${digits(8).padStart(8, '0')}`,
      'Magento, a second shipment': () => `${between(1, 9)}0000${digits(5)}-${between(1, 3)}`,
      'WooCommerce, the key': () => `wc_order_${letters(BASE62, 13)}`,
      Amazon: () => `${between(100, 999)}-${digits(7)}-${digits(7)}`,
      'Amazon, in a sentence': () => `order ${between(100, 999)}-${digits(7)}-${digits(7)} of ${day()}`,
      eBay: () => `${two(1, 29)}-${digits(5)}-${digits(5)}`,
      Etsy: () => String(between(1_000_000_000, 3_999_999_999)),
      'a time in milliseconds': () => String(between(1_500_000_000_000, 2_000_000_000_000)),
      'a time in milliseconds and a number': () =>
        `${between(1_500_000_000_000, 2_000_000_000_000)}${digits(3)}`,
      'a time in microseconds': () => `${between(1_500_000_000, 2_000_000_000)}${digits(6)}`,
      'a Snowflake id': () => `1${digits(18)}`,
      'a time': () => `${day()}T${time()}.${digits(between(3, 9))}Z`,
      'a UUID': () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
      'a ULID': () => `01${letters(CROCKFORD, 24)}`,
      'a nano id': () => letters(`${BASE62}_-`, 21),
      'an id of the gateway': () => hex(32),
      'EAN-8': () => withGtinDigit(digits(7)),
      'EAN-13': () => withGtinDigit(`${['40', '50', '30', '87', '76'][between(0, 4)] ?? ''}${digits(10)}`),
      'GTIN-14': () => withGtinDigit(`${between(1, 8)}${digits(12)}`),
      SSCC: () => `00${withGtinDigit(digits(17))}`,
      'a German IBAN': () => inFours(iban('DE', digits(18))),
      'a German IBAN in one piece': () => iban('DE', digits(18)),
      'a Dutch IBAN': () => inFours(iban('NL', `${upper(4)}${digits(10)}`)),
      'a French IBAN': () => iban('FR', `${digits(10)}${upper(1)}${digits(12)}`),
      UPS: () => `1Z${letters(CROCKFORD, 6)}${digits(10)}`,
      DHL: () => `00340434${digits(12)}`,
      FedEx: () => digits(12),
      USPS: () => `9400 1${digits(3)} ${digits(4)} ${digits(4)} ${digits(4)} ${digits(2)}`,
      'a postal item': () => `${upper(2)}${digits(9)}DE`,
      'an ARN': () => `7${digits(22)}`,
      'a telephone number': () => `+${between(1, 99)} ${digits(3)} ${digits(between(6, 9))}`,
      'an amount and a date': () => `${digits(between(2, 4))}.${digits(2)} EUR of ${day()}`,
      'sixteen digits': () => digits(16),
    };
    const kinds = Object.entries(forms);
    const hits: Record<string, number> = {};
    let all = 0;
    for (let number = 0; number < 10_000; number += 1) {
      const [kind, make] = kinds[number % kinds.length] ?? ['', () => ''];
      if (!looksLikeCard(make())) continue;
      all += 1;
      hits[kind] = (hits[kind] ?? 0) + 1;
    }
    const each = Math.floor(10_000 / kinds.length);
    process.stdout.write(
      `taken for a card: ${all} of 10000 ordinary numbers, of about ${each} of each form ${JSON.stringify(hits)}\n`,
    );
    // A number of digits alone is all that a card is. Every other form is taken for one hardly ever.
    expect(all - (hits['sixteen digits'] ?? 0)).toBeLessThan(4);
    expect(hits['sixteen digits'] ?? 0).toBeLessThan(each / 20);
  });

  it('with a number of which only the digits are known is taken for a card about once in fifty', () => {
    let hits = 0;
    const numbers = fc.sample(fc.stringMatching(/^\d{16}$/), { numRuns: 5_000, seed: 7 });
    for (const number of numbers) if (looksLikeCard(number)) hits += 1;
    expect(hits / numbers.length).toBeLessThan(0.04);
  });

  it.each(['4 ', '4'])('takes as long to check if long as many short ones (%j)', (digits) => {
    const cost = (work: () => void): number => {
      const started = process.cpuUsage().user;
      work();
      return process.cpuUsage().user - started;
    };
    const [short, long] = [digits.repeat(200), digits.repeat(8_000)];
    const many = cost(() => {
      for (let times = 0; times < 40; times += 1) looksLikeCard(short);
    });
    // Both check the same number of characters. Quadratic time would make the long text forty times slower.
    expect(cost(() => looksLikeCard(long))).toBeLessThan(10 * many + 100_000);
  });
});

/** Draws pseudo-random numbers, the same each time. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
