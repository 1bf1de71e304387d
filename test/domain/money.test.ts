/** Amounts at the edge: which are refused, how they are written, and that no cent is lost in between. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalsOf, isCurrencyCode } from '../../domain/money/currency.js';
import {
  formatAmount,
  gatewayAmount,
  parseAmount,
  parseGatewayAmount,
  storedMoney,
  type AmountErrorCode,
} from '../../domain/money/money.js';

/** One currency for each number of decimals that exists. */
const CURRENCIES = ['JPY', 'EUR', 'KWD'];
const currencies = fc.constantFrom(...CURRENCIES);
/** Up to ten digits before the point, with any number of decimals. */
const amounts = currencies.chain((currency) =>
  fc
    .bigInt(1n, 10n ** BigInt(10 + storedMoney(0n, currency).decimals) - 1n)
    .map((minor) => storedMoney(minor, currency)),
);

function minorOf(text: string, currency: string): bigint {
  const read = parseGatewayAmount(text, currency);
  if (!read.ok) throw new Error(read.error.code);
  return read.money.minor;
}

describe('an amount in a request', () => {
  it.each([
    ['12', 'EUR', 1200n],
    ['12.00', 'EUR', 1200n],
    ['12.30', 'EUR', 1230n],
    ['0.01', 'EUR', 1n],
    ['9999999999.99', 'EUR', 999999999999n],
    ['100', 'JPY', 100n],
    ['1.234', 'KWD', 1234n],
    ['12', 'KWD', 12000n],
  ])('%s %s is %s minor units', (text, currency, minor) => {
    expect(parseAmount(text, currency)).toEqual({ ok: true, money: storedMoney(minor, currency) });
  });

  it.each<[unknown, string, AmountErrorCode]>([
    [12, 'EUR', 'not_a_string'],
    [null, 'EUR', 'not_a_string'],
    [undefined, 'EUR', 'not_a_string'],
    [['12.00'], 'EUR', 'not_a_string'],
    ['', 'EUR', 'empty'],
    ['  ', 'EUR', 'empty'],
    [' 12.00', 'EUR', 'space'],
    ['12.00\n', 'EUR', 'space'],
    ['1 200.00', 'EUR', 'space'],
    ['1\u00a0200.00', 'EUR', 'space'],
    ['-12.00', 'EUR', 'sign'],
    ['\u221212.00', 'EUR', 'sign'],
    ['+12.00', 'EUR', 'sign'],
    ['1e3', 'EUR', 'exponent'],
    ['1.2E+3', 'EUR', 'exponent'],
    ['12,00', 'EUR', 'separator'],
    ['1,200.00', 'EUR', 'separator'],
    ['1.200.00', 'EUR', 'separator'],
    ["1'200.00", 'EUR', 'separator'],
    ['1_200', 'EUR', 'separator'],
    ['.50', 'EUR', 'malformed'],
    ['5.', 'EUR', 'malformed'],
    ['007.00', 'EUR', 'malformed'],
    ['0x10', 'EUR', 'malformed'],
    ['NaN', 'EUR', 'malformed'],
    ['EUR 5', 'EUR', 'space'],
    ['12-00', 'EUR', 'malformed'],
    ['EUR5', 'EUR', 'malformed'],
    ['5EUR', 'EUR', 'malformed'],
    ['12.00EUR', 'EUR', 'malformed'],
    ['1e33', 'EUR', 'exponent'],
    ['12.5e-1', 'EUR', 'exponent'],
    ['1e3x', 'EUR', 'malformed'],
    ['x1e3', 'EUR', 'malformed'],
    ['1..2', 'EUR', 'separator'],
    ['1’200', 'EUR', 'separator'],
    ['1,0x', 'EUR', 'malformed'],
    ['x1,0', 'EUR', 'malformed'],
    ['٥', 'EUR', 'malformed'],
    ['10000000000', 'EUR', 'too_large'],
    ['10000000000', 'JPY', 'too_large'],
    ['1.001', 'EUR', 'too_many_decimals'],
    ['1.000', 'EUR', 'too_many_decimals'],
    ['100.00', 'JPY', 'too_many_decimals'],
    ['1.2345', 'KWD', 'too_many_decimals'],
    ['12.3', 'EUR', 'ambiguous_decimals'],
    ['1.23', 'KWD', 'ambiguous_decimals'],
    ['0', 'EUR', 'zero'],
    ['0.00', 'EUR', 'zero'],
    ['12.00', 'EURO', 'unknown_currency'],
    ['12.00', 'eur', 'unknown_currency'],
    ['12.00', '', 'unknown_currency'],
    ['12.00', 'XXX', 'unknown_currency'],
  ])('%j %s is refused: %s', (text, currency, code) => {
    const read = parseAmount(text, currency);
    expect(read.ok ? read.money : read.error.code).toBe(code);
  });

  it('with too few decimals is answered with the correct notation', () => {
    const read = parseAmount('12.3', 'EUR');
    expect(read.ok ? '' : read.error.message).toContain('"12.30"');
  });

  it.each([
    ['EUR', '"12.00"'],
    ['JPY', '"12"'],
    ['KWD', '"12.000"'],
  ])('that is refused in %s is answered with a whole sentence of its own: %s', (currency, example) => {
    const wrong = [12, '', '1 2', '-1', '1e3', '1,0', 'x', '1.00001', '0'];
    const messages = wrong.map((text) => {
      const read = parseAmount(text, currency);
      return read.ok ? '' : read.error.message;
    });
    for (const message of messages) {
      expect(message).toMatch(/^(The amount|[A-Z]{3} has) [^.]+\. Write it like /);
      expect(message.endsWith(`Write it like ${example}.`)).toBe(true);
    }
    expect(new Set(messages).size).toBe(wrong.length);
  });

  it('that no currency or no number of digits allows is answered so', () => {
    const answer = (text: string, currency: string) => {
      const read = parseAmount(text, currency);
      return read.ok ? '' : read.error.message;
    };
    expect(answer('1', 'XXX')).toMatch(/^The currency is not .+\.$/);
    expect(answer('12345678901', 'EUR')).toMatch(/^The amount has more than 10 digits .+\.$/);
    expect(answer('1.001', 'EUR')).toMatch(/^EUR has 2 decimals, /);
    expect(answer('1.2', 'EUR')).toMatch(/^EUR has 2 decimals, .+ if that is meant\.$/);
  });

  it('is not repeated in a message, as it may be a card number', () => {
    for (const text of [
      '4200000000000000',
      '4200000000000000.1',
      '4200 0000 0000 0000',
      '-4200000000000000',
    ]) {
      const read = parseAmount(text, 'EUR');
      expect(read.ok ? text : read.error.message).not.toContain('42000000');
    }
  });

  it('reads back as the same amount, in any currency', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        expect(parseAmount(formatAmount(amount), amount.currency)).toEqual({ ok: true, money: amount });
      }),
    );
  });

  it('is read only from its one notation', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[-+0-9.,e ]{0,8}$/), currencies, (text, currency) => {
        const read = parseAmount(text, currency);
        if (!read.ok) return;
        const written = formatAmount(read.money);
        expect([written, written.split('.')[0]]).toContain(text);
      }),
    );
  });
});

describe('an amount in an order to the gateway', () => {
  it.each([
    [1230n, 'EUR', '12.30'],
    [1n, 'EUR', '0.01'],
    [100n, 'JPY', '100.00'],
    [1230n, 'KWD', '1.23'],
    [10n, 'KWD', '0.01'],
    [999999999999n, 'EUR', '9999999999.99'],
    [9999999999n, 'JPY', '9999999999.00'],
  ])('%s minor units of %s are written as %s', (minor, currency, text) => {
    expect(gatewayAmount(storedMoney(minor, currency))).toEqual({ ok: true, text });
  });

  it.each([
    [1234n, 'KWD', 'not_expressible'],
    [1n, 'BHD', 'not_expressible'],
    [0n, 'EUR', 'out_of_range'],
    [-100n, 'EUR', 'out_of_range'],
    [1000000000000n, 'EUR', 'out_of_range'],
    [10000000000n, 'JPY', 'out_of_range'],
  ])('%s minor units of %s are %s, never rounded', (minor, currency, error) => {
    expect(gatewayAmount(storedMoney(minor, currency))).toEqual({ ok: false, error });
  });

  it('has the form that the gateway accepts, and reads back as the same money', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        const written = gatewayAmount(amount);
        if (!written.ok) {
          expect([amount.currency, amount.minor % 10n === 0n]).toEqual(['KWD', false]);
          return;
        }
        expect(written.text).toMatch(/^[0-9]{1,10}\.[0-9]{2}$/);
        expect(minorOf(written.text, amount.currency)).toBe(amount.minor);
      }),
    );
  });

  it('adds up: the parts of a payment, sent one by one, equal the payment to the cent', () => {
    const cuts = fc.array(fc.bigInt(1n, 99_999_999n), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom('JPY', 'EUR'), cuts, (currency, parts) => {
        const whole = parts.reduce((sum, part) => sum + part, 0n);
        const sent = parts.map((part) => gatewayAmount(storedMoney(part, currency)));
        const received = sent.reduce((sum, part) => sum + (part.ok ? minorOf(part.text, currency) : 0n), 0n);
        expect(received).toBe(whole);
      }),
    );
  });

  it('leaves the last cent of a third refundable', () => {
    const third = parseAmount('33.33', 'EUR');
    if (!third.ok) throw new Error(third.error.code);
    const left = storedMoney(10_000n - 3n * third.money.minor, 'EUR');
    expect(gatewayAmount(left)).toEqual({ ok: true, text: '0.01' });
  });
});

describe('an amount in an answer of the gateway', () => {
  it.each([
    ['92', 'EUR', 9200n],
    ['92.0', 'EUR', 9200n],
    ['92.00', 'EUR', 9200n],
    ['0.00', 'EUR', 0n],
    ['1.23', 'KWD', 1230n],
    ['1.234', 'KWD', 1234n],
    ['100.00', 'JPY', 100n],
    ['100', 'JPY', 100n],
    ['123456789012.00', 'EUR', 12345678901200n],
    ['1.05', 'EUR', 105n],
    ['100.0000', 'EUR', 10000n],
  ])('%s %s is %s minor units', (text, currency, minor) => {
    expect(minorOf(text, currency)).toBe(minor);
  });

  it.each([
    ['100.50', 'JPY', 'too_many_decimals'],
    ['1.001', 'EUR', 'too_many_decimals'],
    ['-20.20', 'EUR', 'malformed'],
    ['', 'EUR', 'malformed'],
    ['1,00', 'EUR', 'malformed'],
    ['1e2', 'EUR', 'malformed'],
    ['92.00 ', 'EUR', 'malformed'],
    ['92.', 'EUR', 'malformed'],
    ['1234567890123', 'EUR', 'malformed'],
    ['1.00000', 'EUR', 'malformed'],
    ['EUR92.00', 'EUR', 'malformed'],
    ['92.00EUR', 'EUR', 'malformed'],
    ['1.00', 'XAU', 'unknown_currency'],
  ])('%j %s is not an amount: %s', (text, currency, code) => {
    const read = parseGatewayAmount(text, currency);
    expect(read.ok ? read.money : read.error.code).toBe(code);
    expect(read.ok ? '' : read.error.message).toMatch(/^The gateway .+\.$/);
  });
});

describe('an amount in a text for people', () => {
  it.each([
    [0n, 'EUR', '0.00'],
    [-1n, 'EUR', '-0.01'],
    [-1230n, 'EUR', '-12.30'],
    [-100n, 'JPY', '-100'],
    [5n, 'KWD', '0.005'],
  ])('%s minor units of %s are %s', (minor, currency, text) => {
    expect(formatAmount(storedMoney(minor, currency))).toBe(text);
  });
});

describe('currencies', () => {
  it.each([
    ['EUR', 2],
    ['HUF', 2],
    ['IDR', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['XOF', 0],
    ['XPF', 0],
    ['XCD', 2],
    ['XCG', 2],
    ['XAD', 2],
    ['BHD', 3],
    ['KWD', 3],
    ['OMR', 3],
    ['TND', 3],
  ])('%s has %i decimals, as ISO 4217 says', (code, decimals) => {
    expect(isCurrencyCode(code) ? decimalsOf(code) : undefined).toBe(decimals);
  });

  it.each([
    'XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX'.split(' '),
    'BOV CHE CHW CLF COU MXV USN UYI UYW'.split(' '),
    ['eur', 'EU', 'EURO', '978', '', 'constructor'],
  ])('cannot pay in %s', (...codes) => {
    expect(codes.filter(isCurrencyCode)).toEqual([]);
  });

  it('are limited to currencies that exist', () => {
    expect(() => storedMoney(1n, 'XXX')).toThrow(/^No money is stored in XXX/);
  });
});
