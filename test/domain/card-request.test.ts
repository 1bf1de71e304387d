/** Card data of a request: every wrong field is named with the gateway's code, and no value is repeated. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { looksLikeCard } from '../../domain/card/card-number.js';
import { readCardRequest, readCvvRequest } from '../../domain/card/card-request.js';
import { CARD_RANGES, hasCheckDigit } from '../../domain/card/schemes.js';

const RULES = { now: new Date('2026-11-30T12:00:00Z'), isLive: false };
const SEED = {
  brand: 'VISA',
  number: '4200000000000000',
  holder: 'John Smith',
  expiryMonth: '02',
  expiryYear: '2027',
  cvv: '123',
};
const billing = { street1: 'Main Street 1', city: 'Berlin', state: 'BE', postcode: '10115', country: 'DE' };
const customer = {
  givenName: 'John',
  surname: 'Smith',
  merchantCustomerId: 'c-1',
  email: 'john@shop.example',
  phone: '+49 30 1234567',
  ip: '2001:db8::1',
  birthDate: '1980-12-31',
};

const read = (change: Readonly<Record<string, unknown>>, rules = RULES) =>
  readCardRequest({ ...SEED, ...change }, rules);
function wrong(change: Readonly<Record<string, unknown>>, rules = RULES): readonly string[] {
  const reading = read(change, rules);
  return reading.ok
    ? []
    : reading.problems.map(({ field, code, gatewayCode }) => `${field} ${code} ${gatewayCode ?? '-'}`);
}

describe('a card', () => {
  it('of the gateway’s own sample is read', () => {
    expect(read({})).toEqual({ ok: true, value: SEED });
    expect(read({ billing, customer })).toEqual({ ok: true, value: { ...SEED, billing, customer } });
  });

  it.each([
    ['VISA', '4200000000000000'],
    ['VISA', '4111111111111111'],
    ['VISA', '4242424242424242'],
    ['MASTER', '5454545454545454'],
    ['MASTER', '5105105105105100'],
    ['AMEX', '377777777777770'],
    ['DINERS', '36961903000009'],
    ['DISCOVER', '6011587918359498'],
    ['MADA', '5888450000000003'],
    ['BCMC', '6703000000000000003'],
    ['CARTEBANCAIRE', '4111111111111111'],
  ])('of %s with a number of the test system is accepted', (brand, number) => {
    expect(wrong({ brand, number, cvv: undefined })).toEqual([]);
  });

  it.each([
    '4444444444444444',
    '4200000000000001',
    '42000000000',
    '42000000000000000000',
    '4200 0000 0000 0000',
  ])('with the number %s is refused', (number) => {
    expect(wrong({ number })).toContain('number invalid 100.100.101');
  });

  it.each([
    ['VISA', '5454545454545454'],
    ['AMEX', '4111111111111111'],
    ['VISA', '377777777777770'],
    ['MADA', '377777777777770'],
  ])('of brand %s is refused with a number of another one', (brand, number) => {
    expect(wrong({ brand, number, cvv: undefined })).toEqual(['brand brand_differs 100.100.700']);
  });
});

describe('the brand', () => {
  it.each([
    ['AMEX', '377777777777770'],
    ['DINERS', '36961903000009'],
    ['DISCOVER', '6011587918359498'],
    ['JCB', '3530111333300000'],
  ])('%s is derived from a number whose range decides it', (brand, number) => {
    const reading = read({ brand: undefined, number, cvv: undefined });
    expect(reading).toMatchObject({ ok: true, value: { brand } });
  });

  it.each([
    '4111111111111111',
    '5454545454545454',
    '5019717010103742',
    '6703000000000000003',
    '9682010000000005',
  ])('is asked for where the number %s does not decide it', (number) => {
    expect(wrong({ brand: undefined, number, cvv: undefined })).toEqual(['brand missing 100.100.500']);
  });

  it.each(['visa', 'MASTERCARD', 'X'])('%s is not one of the gateway', (brand) => {
    expect(wrong({ brand })).toEqual(['brand invalid 100.100.501']);
  });
});

describe('a field that is', () => {
  it.each([
    ['number', 'number missing 100.100.100'],
    ['holder', 'holder missing 100.100.400'],
    ['expiryMonth', 'expiryMonth missing 100.100.200'],
    ['expiryYear', 'expiryYear missing 100.100.300'],
  ])('missing (%s) is named', (field, problem) => {
    expect(wrong({ [field]: undefined })).toEqual([problem]);
  });

  it.each([
    [{ expiryMonth: '13' }, 'expiryMonth invalid 100.100.201'],
    [{ expiryMonth: 5 }, 'expiryMonth invalid 100.100.201'],
    [{ expiryYear: '27' }, 'expiryYear invalid 100.100.301'],
    [{ expiryYear: '2026', expiryMonth: '10' }, 'expiryYear expired 100.100.303'],
    [{ holder: 'Jo' }, 'holder invalid 100.100.401'],
    [{ holder: 'x'.repeat(129) }, 'holder invalid 100.100.401'],
    [{ holder: 'John 4111 1111 1111 1111' }, 'holder card_number 100.100.402'],
    [{ cvv: '12' }, 'cvv invalid 100.100.601'],
    [{ cvv: '1234' }, 'cvv invalid 100.100.601'],
    [{ brand: 'AMEX', number: '377777777777770' }, 'cvv invalid 100.100.601'],
    [{ billing: 'x' }, 'billing invalid -'],
    [{ billing: { country: 'Germany' } }, 'billing.country invalid 100.800.501'],
    [{ billing: { postcode: 'SW1A 1AA' } }, 'billing.postcode invalid 100.800.202'],
    [{ customer: { ip: '1.2.3' } }, 'customer.ip invalid 100.900.401'],
    [{ customer: { email: 'nobody' } }, 'customer.email invalid 100.900.101'],
    [{ pan: '4111111111111111' }, 'pan unknown_field -'],
    [{ '4111111111111111': 'x' }, '(name hidden) unknown_field -'],
    [{ billing: { 'cvv 123': 'x' } }, 'billing.(name hidden) unknown_field -'],
    [{ 'billing.city': 'x' }, '(name hidden) unknown_field -'],
  ])('wrong (%j) is named', (change, problem) => {
    expect(wrong(change)).toEqual([problem]);
  });

  it('wrong is named with all others', () => {
    const { length } = wrong({ number: '1', holder: '', expiryMonth: '0', expiryYear: '', cvv: 'abc', x: 1 });
    expect(length).toBe(6);
    expect(readCardRequest([], RULES)).toMatchObject({ ok: false });
    expect(readCardRequest(null, RULES)).toMatchObject({ ok: false });
  });

  it('an expiry is good until the month is over everywhere', () => {
    const change = { expiryYear: '2026', expiryMonth: '11' };
    const at = (time: string) => wrong(change, { ...RULES, now: new Date(time) });
    expect(at('2026-12-01T11:59:59Z')).toEqual([]);
    expect(at('2026-12-01T12:00:00Z')).toEqual(['expiryYear expired 100.100.303']);
  });

  it('a holder that is a result code passes on test hosts only', () => {
    expect(wrong({ holder: '800.100.151' })).toEqual([]);
    expect(wrong({ holder: '800.100.151' }, { ...RULES, isLive: true })).toEqual([
      'holder invalid 100.100.402',
    ]);
  });
});

describe('a message', () => {
  it('never repeats a value', () => {
    const request = {
      number: '4999999999999991',
      holder: 'QQ 4999 9999 9999 9996 ZZ',
      expiryMonth: '77',
      expiryYear: '1888',
      brand: 'QQQQ',
      cvv: '98765',
      billing: { country: 'QQQQ', x4999999999999996: 'QQQQ' },
      customer: { email: 'QQQQ', phone: 'QQQQ' },
      'n 4999999999999996': 'QQQQ',
    };
    const text = JSON.stringify(readCardRequest(request, RULES));
    expect(text).not.toMatch(/QQ|4999|98765|1888|"77/);
    expect(JSON.stringify(readCvvRequest({ cvv: '98765' }, 'VISA'))).not.toContain('98765');
  });

  it('has codes that the gateway has', () => {
    const codes = readFileSync(new URL('../../domain/card/card-fields.ts', import.meta.url), 'utf8').match(
      /100\.\d{3}\.\d{3}/g,
    );
    expect(codes?.every((code) => /^100\.(100|700|800|900)\.\d{3}$/.test(code))).toBe(true);
  });
});

describe('a new CVV', () => {
  it('has the length of the brand', () => {
    expect(readCvvRequest({ cvv: '123' }, 'VISA')).toEqual({ ok: true, value: '123' });
    expect(readCvvRequest({ cvv: '123' }, 'AMEX').ok).toBe(false);
    expect(readCvvRequest({ cvv: '1234' }, 'AMEX').ok).toBe(true);
    expect(readCvvRequest({ cvv: '1234' }, 'MADA').ok).toBe(true);
    for (const body of [undefined, null, {}, { cvv: 123 }, { cvv: '123', number: '4' }])
      expect(readCvvRequest(body, 'VISA').ok, JSON.stringify(body)).toBe(false);
  });
});

describe('the ranges', () => {
  it('that are searched are found in free text from fourteen digits on', () => {
    for (const { prefixes, lengths, isSearched } of CARD_RANGES)
      for (const prefix of prefixes)
        for (const length of lengths) {
          const body = prefix.padEnd(length - 1, '0');
          const number =
            Array.from({ length: 10 }, (_, digit) => `${body}${digit}`).find(hasCheckDigit) ?? '';
          if (isSearched) expect(looksLikeCard(`order ${number}`), number).toBe(length >= 14);
        }
  });
});
