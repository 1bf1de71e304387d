/** Makes card requests of any shape: right ones, and right ones with typical mistakes. */
import type { Random } from '../simulation/harness/random.js';
import { changed, odd, type Value } from './mutations.js';

const NUMBERS: readonly [readonly [string, string], ...(readonly [string, string])[]] = [
  ['VISA', '4929719847263519'],
  ['VISA', '4200000000000000'],
  ['MASTER', '5454545454545454'],
  ['AMEX', '377777777777770'],
  ['DINERS', '36961903000009'],
  ['DISCOVER', '6011587918359498'],
  ['MAESTRO', '5018000000000009'],
  ['VISA', '4929 7198 4726 3519'],
  ['VISA', '4929719847263518'],
  ['MASTER', '4929719847263519'],
];
const HOLDERS = [
  'Jane Jones',
  'Zoë Søn',
  'J',
  '4929719847263519',
  'Jane 4929 7198 4726 3519',
  '800.100.151',
  'x'.repeat(129),
] as const;
const TEXTS = ['4929719847263519', '4929-7198-4726-3519', '91735', 'cvv 9173', '13', '2020', '9173'] as const;

/** The digits of a security code that no right message has in it. */
export const CODE = '9173';

export function cardRequest(random: Random): Value {
  const [brand, number] = random.pick(NUMBERS);
  const right: Value = {
    number,
    brand,
    holder: random.chance(0.8) ? HOLDERS[0] : random.pick(HOLDERS),
    expiryMonth: String(random.between(1, random.chance(0.9) ? 12 : 14)).padStart(2, '0'),
    expiryYear: String(random.chance(0.9) ? random.between(2027, 2040) : random.between(1990, 2027)),
    ...(random.chance(0.5) ? { cvv: brand === 'AMEX' ? CODE : '737' } : {}),
    ...(random.chance(0.3) ? { billing: { street1: 'Street 1', city: 'Kraków', country: 'PL' } } : {}),
    ...(random.chance(0.3) ? { customer: { email: 'jane@example.org', ip: '::1' } } : {}),
  };
  let body: Value = random.chance(0.02) ? odd(random) : right;
  for (let times = random.between(0, 3); times > 0; times -= 1) body = changed(random, body, TEXTS);
  return body;
}

/** True if an answer repeats digits of a card or of a code. A result code has at most three digits in a row, a year four. */
export const showsCard = (answer: string): boolean =>
  /\d{5}|\d{4}[ -]\d{4}/.test(answer) || answer.includes(CODE);
