/** Requests at the edge: every problem is named, invalid requests are refused, and secrets are not repeated. */
import { describe, expect, it } from 'vitest';
import {
  canonicalRequest,
  readCreditRequest,
  readRefundRequest,
  USUAL_REASONS,
  type RefundRequest,
} from '../../domain/refund/request.js';

const GOOD = {
  paymentId: '8ac7a4a192b3b5060192b471c0d82dfb',
  amount: '12.30',
  currency: 'EUR',
  reason: 'goods_returned',
};
const CARD_REF = '0199b0a4-7c1e-7f3a-9d52-2f6f1c1f4b11';
const CARD = '4111111111111111';

function accepted(input: unknown): RefundRequest {
  const reading = readRefundRequest(input);
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.request;
}

function problems(input: unknown): string[] {
  const reading = readRefundRequest(input);
  return reading.ok ? [] : reading.problems.map(({ field, code }) => `${field}: ${code}`);
}

describe('a request', () => {
  it('is read with its amount as money', () => {
    // Strict equality: a field that was not set does not exist.
    expect(accepted(GOOD)).toStrictEqual({
      paymentId: GOOD.paymentId,
      money: { minor: 1_230n, currency: 'EUR', decimals: 2 },
      reason: 'goods_returned',
    });
  });

  it('keeps every allowed field, and no other', () => {
    const full = {
      ...GOOD,
      orderId: 'A-4711',
      entityId: 'e'.repeat(32),
      destination: { registrationId: 'a'.repeat(32) },
      metadata: { shop: 'Köln', note: 'line one\nline two' },
    };
    const { amount: _amount, currency: _currency, ...kept } = full;
    expect(accepted(full)).toMatchObject(kept);
    for (const reason of USUAL_REASONS) expect(accepted({ ...GOOD, reason }).reason).toBe(reason);
  });

  it.each<[string, object, string[]]>([
    ['no payment', { paymentId: undefined }, ['paymentId: invalid']],
    ['an empty payment', { paymentId: '' }, ['paymentId: invalid']],
    ['a payment in capitals', { paymentId: GOOD.paymentId.toUpperCase() }, ['paymentId: invalid']],
    ['a path for a payment', { paymentId: '../../v1/payments/0000000000000000' }, ['paymentId: invalid']],
    ['a line break after the payment', { paymentId: `${GOOD.paymentId}\n` }, ['paymentId: invalid']],
    ['more before the payment', { paymentId: `x${GOOD.paymentId}` }, ['paymentId: invalid']],
    ['a number for an amount', { amount: 12.3 }, ['amount: invalid']],
    ['a negative amount', { amount: '-12.30' }, ['amount: sign']],
    ['a comma', { amount: '12,30' }, ['amount: separator']],
    ['nothing', { amount: '0.00' }, ['amount: zero']],
    ['half a cent', { amount: '12.305' }, ['amount: too_many_decimals']],
    ['a tenth', { amount: '12.3' }, ['amount: ambiguous_decimals']],
    ['an exponent', { amount: '1e3' }, ['amount: exponent']],
    ['more than the gateway can express', { amount: '10000000000.00' }, ['amount: too_large']],
    ['thousandths of a dinar', { amount: '1.234', currency: 'KWD' }, ['amount: not_expressible']],
    ['thousandths of a rial', { amount: '0.005', currency: 'OMR' }, ['amount: not_expressible']],
    ['decimals of a yen', { amount: '100.00', currency: 'JPY' }, ['amount: too_many_decimals']],
    ['a currency in small letters', { currency: 'eur' }, ['currency: unknown_currency']],
    ['gold', { currency: 'XAU' }, ['currency: unknown_currency']],
    [
      'a comma in an unknown currency',
      { currency: 'ZZZ', amount: '5,00' },
      ['currency: unknown_currency', 'amount: separator'],
    ],
    [
      'many decimals of an unknown currency',
      { currency: 'ZZZ', amount: '5.0000' },
      ['currency: unknown_currency'],
    ],
    [
      'few decimals of an unknown currency',
      { currency: 'ZZZ', amount: '5.0' },
      ['currency: unknown_currency'],
    ],
    ['no reason', { reason: ' ' }, ['reason: invalid']],
    ['a length that is no number', { reason: { length: { toString: 1 } } }, ['reason: invalid']],
    ['a long reason', { reason: 'x'.repeat(201) }, ['reason: invalid']],
    ['a reason with a line break', { reason: 'a\r\nb' }, ['reason: invalid']],
    ['half a character', { reason: 'a\ud800' }, ['reason: invalid']],
    ['a long order', { orderId: 'x'.repeat(256) }, ['orderId: invalid']],
    ['null for what may be left out', { orderId: null }, ['orderId: invalid']],
    [
      'a destination that is a card',
      { destination: { number: CARD } },
      ['destination: unknown_field', 'destination: invalid'],
    ],
    ['an empty destination', { destination: {} }, ['destination: invalid']],
    [
      'a registration and a card as its destination',
      { destination: { registrationId: 'a'.repeat(32), cardRef: CARD_REF } },
      ['destination: invalid'],
    ],
    ['a malformed card reference', { destination: { cardRef: CARD } }, ['destination.cardRef: invalid']],
    ['an unknown field', { amout: '1.00' }, ['(request): unknown_field']],
    ['metadata that is no text', { metadata: { a: 1 } }, ['metadata.a: invalid']],
    ['metadata that no database keeps', { metadata: { a: 'x\u0000' } }, ['metadata.a: invalid']],
    ['half a character in metadata', { metadata: { a: '\udc00' } }, ['metadata.a: invalid']],
    ['a long text in metadata', { metadata: { a: 'x'.repeat(501) } }, ['metadata.a: invalid']],
    ['nothing for metadata', { metadata: null }, ['metadata: invalid']],
    ['a name in metadata with a blank', { metadata: { 'b 1': 1 } }, ['metadata.(name hidden): invalid']],
    ['a name in metadata with a number', { metadata: { b1: 1 } }, ['metadata.b1: invalid']],
    ['a list for metadata', { metadata: ['a'] }, ['metadata: invalid']],
    ['a card for a reason', { reason: `card ${CARD}` }, ['reason: card_number']],
    ['a card for an order', { orderId: '4111-1111-1111-1111' }, ['orderId: card_number']],
    ['a card in metadata', { metadata: { a: CARD } }, ['metadata.a: card_number']],
    ['a card for a name in metadata', { metadata: { [CARD]: 'x' } }, ['metadata.(name hidden): card_number']],
    ['a name in metadata that is empty', { metadata: { '': 'x' } }, ['metadata.(name hidden): invalid']],
    [
      'too much metadata',
      { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, number) => [`k${number}`, 'v'])) },
      ['metadata: invalid'],
    ],
    [
      'everything at once',
      { paymentId: 'x', amount: '-1', currency: 'EUR', reason: '', entityId: 'y' },
      ['paymentId: invalid', 'reason: invalid', 'entityId: invalid', 'amount: sign'],
    ],
  ])('with %s is refused', (_name, change, expected) => {
    expect(problems({ ...GOOD, ...change })).toEqual(expected);
  });

  it('with fifty entries of metadata is accepted', () => {
    const metadata = Object.fromEntries(Array.from({ length: 50 }, (_, number) => [`k${number}`, 'v']));
    expect(accepted({ ...GOOD, metadata }).metadata).toEqual(metadata);
  });

  it.each<[object, string]>([
    [{ paymentId: 12 }, 'must be text'],
    [{ paymentId: 'x' }, 'must be 32 lowercase hexadecimal characters, as the gateway gave it'],
    [{ amount: 12 }, 'must be a decimal string, for example "12.34"'],
    [{ currency: 978 }, 'must be an ISO 4217 code, for example "EUR"'],
    [
      { amount: '1.234', currency: 'KWD' },
      'The gateway takes two decimals; the third must be 0, as in "1.230".',
    ],
    [{ reason: ' ' }, 'must not be empty'],
    [{ reason: 'a\nb' }, 'must not contain control characters'],
    [{ reason: 'a\ud800' }, 'must be well-formed Unicode'],
    [{ metadata: { a: '\u0000' } }, 'must be well-formed Unicode without U+0000'],
    [
      { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, number) => [`k${number}`, 'v'])) },
      'must have at most 50 entries',
    ],
    [{ metadata: JSON.parse('{"__proto__":"8"}') as unknown }, 'must not have an entry named __proto__'],
    [{ one: 1, other: 2 }, 'unknown: one, other'],
  ])('is answered with what is allowed: %j', (change, message) => {
    const reading = readRefundRequest({ ...GOOD, ...change });
    expect(reading.ok ? [] : reading.problems.map((problem) => problem.message)).toEqual([message]);
  });

  it.each([undefined, null, 'text', 12, true, [], [GOOD], () => GOOD, new Map(Object.entries(GOOD))])(
    'that is %o is refused',
    (input) => {
      expect(problems(input)).not.toEqual([]);
    },
  );

  it('accepts three decimals that end in zero, and whole yen', () => {
    expect(accepted({ ...GOOD, amount: '1.230', currency: 'KWD' }).money.minor).toBe(1_230n);
    expect(accepted({ ...GOOD, amount: '100', currency: 'JPY' }).money.minor).toBe(100n);
    expect(accepted({ ...GOOD, amount: '9999999999.99' }).money.minor).toBe(999_999_999_999n);
  });

  it('is refused if an entry of its metadata would be lost silently', () => {
    const metadata: unknown = JSON.parse('{"shop":"7","__proto__":"8"}');
    expect(problems({ ...GOOD, metadata })).toEqual(['metadata: invalid']);
  });

  it('never repeats a possible card number, in whatever field it is', () => {
    for (const input of [
      { ...GOOD, paymentId: CARD },
      { ...GOOD, amount: CARD },
      { ...GOOD, currency: CARD },
      { ...GOOD, [CARD]: 'x' },
      { ...GOOD, metadata: { [CARD]: 1 } },
      { ...GOOD, metadata: { [CARD]: 'x' } },
      { ...GOOD, metadata: { a: CARD } },
      { ...GOOD, reason: CARD },
      { ...GOOD, orderId: CARD },
      { ...GOOD, destination: { [CARD]: CARD } },
      { ...GOOD, entityId: CARD },
      CARD,
    ]) {
      const reading = readRefundRequest(input);
      expect(reading.ok).toBe(false);
      expect(JSON.stringify(reading)).not.toContain(CARD);
    }
    const grouped = '4111-1111-1111-1111';
    expect(
      JSON.stringify(readRefundRequest({ ...GOOD, [grouped]: 1, metadata: { [grouped]: 1 } })),
    ).not.toContain(grouped);
  });

  it('with a card is answered with what is allowed instead, and with ordinary ids is accepted', () => {
    const reading = readRefundRequest({ ...GOOD, orderId: CARD });
    expect(reading.ok ? [] : reading.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('Use another number'),
    ]);
    for (const orderId of [
      `order${CARD.slice(0, 8)}`,
      '41111111-1111-4111-8111-111111111111',
      '4111111111111112',
      '4711',
    ])
      expect(accepted({ ...GOOD, orderId }).orderId).toBe(orderId);
  });
});

describe('a declared payment', () => {
  const payment = { type: 'PA', amount: '20.00', currency: 'EUR', registrationId: 'a'.repeat(32) };

  it('is read with its amount', () => {
    expect(accepted({ ...GOOD, payment }).payment).toEqual({
      ...{ type: 'preauthorization', registrationId: payment.registrationId },
      money: { minor: 2_000n, currency: 'EUR', decimals: 2 },
    });
  });

  it.each([
    ['payment.type', { ...payment, type: 'RF' }],
    ['payment.amount', { ...payment, amount: '20,00' }],
    ['payment.amount', { ...payment, amount: '0.00' }],
    ['payment.amount', { type: 'DB', currency: 'EUR' }],
    ['payment.currency', { ...payment, currency: 'USD' }],
    ['payment.currency', { ...payment, currency: 'euro' }],
    ['payment.registrationId', { ...payment, registrationId: '4111111111111111' }],
    ['payment', { ...payment, captured: true }],
  ])('is refused for its %s', (field, wrong) => {
    const reading = readRefundRequest({ ...GOOD, payment: wrong });
    expect(reading.ok ? [] : reading.problems.map((problem) => problem.field)).toEqual([field]);
  });

  it('is undefined for a credit, which needs the records of the gateway', () => {
    const credit = { ...GOOD, destination: { registrationId: 'a'.repeat(32) }, payment };
    const reading = readCreditRequest(credit);
    expect(reading.ok ? [] : reading.problems.map(({ code }) => code)).toEqual(['unknown_field']);
  });
});

describe('the same request', () => {
  it('is always written in the same form: the ledger stores it, and the next version has to find it', () => {
    const { paymentId } = GOOD;
    const destination = { registrationId: 'a'.repeat(32) };
    const full = { ...GOOD, orderId: 'A-4711', destination, metadata: { b: '2', a: '1' } };
    expect(canonicalRequest(accepted(full))).toBe(
      `{"paymentId":"${paymentId}","minor":"1230","currency":"EUR","reason":"goods_returned","orderId":"A-4711","registrationId":"${destination.registrationId}","metadata":[["a","1"],["b","2"]]}`,
    );
    expect(canonicalRequest(accepted(GOOD))).not.toContain('payment"');
    const payment = { type: 'DB', amount: '20.00', currency: 'EUR' };
    expect(canonicalRequest(accepted({ ...GOOD, payment }))).toBe(
      canonicalRequest(accepted(GOOD)).replace('}', ',"payment":["debit","2000",null]}'),
    );
  });

  const one = accepted({ ...GOOD, metadata: { a: '1', b: '2' } });

  it('is the same with any order of its metadata and any form of its amount', () => {
    expect(canonicalRequest(accepted({ ...GOOD, metadata: { b: '2', a: '1' } }))).toBe(canonicalRequest(one));
    expect(canonicalRequest(accepted({ ...GOOD, amount: '12' }))).toBe(
      canonicalRequest(accepted({ ...GOOD, amount: '12.00' })),
    );
    expect(canonicalRequest(accepted({ ...GOOD, metadata: {} }))).toBe(canonicalRequest(accepted(GOOD)));
  });

  it.each([
    ['payment', { paymentId: 'b'.repeat(32) }],
    ['amount', { amount: '12.31' }],
    ['currency', { currency: 'USD' }],
    ['reason', { reason: 'goodwill' }],
    ['order', { orderId: 'A' }],
    ['destination', { destination: { registrationId: 'a'.repeat(32) } }],
    ['card', { destination: { cardRef: CARD_REF } }],
    ['entity', { entityId: 'e'.repeat(32) }],
    ['metadata', { metadata: { a: '1' } }],
    ['declared payment', { payment: { type: 'DB', amount: '20.00', currency: 'EUR' } }],
  ])('is another with another %s', (_name, change) => {
    expect(canonicalRequest(accepted({ ...GOOD, ...change }))).not.toBe(canonicalRequest(accepted(GOOD)));
  });
});
