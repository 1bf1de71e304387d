/** Reads answer bodies: the conditions of an outcome, and its fields. Arbitrary bodies are in `test/fuzz`. */
import { describe, expect, it } from 'vitest';
import { readTransactionBody } from '../../gateway/oppwa/answer.js';
import { fuzz } from '../fuzz/fuzz.js';
import { changed, edited, noise, written } from '../fuzz/mutations.js';
import { CARD_NUMBER, gatewayAt, PAYMENT, refunded, refundOrder, TOKEN } from './orders.js';
import { answer, startRawServer } from './raw-server.js';

const unreadable = (why: string) => ({ ok: false, why });
const body = (more: object) => JSON.stringify({ ...refunded, ...more });

describe('an answer', () => {
  it.each(['id', 'amount', 'currency', 'paymentType', 'merchantTransactionId', 'referencedId'])(
    'with something that is no text for %s is not believed at all',
    (field) => {
      for (const wrong of [92, true, {}, ['x'], 'x'.repeat(256)]) {
        expect(readTransactionBody(body({ [field]: wrong }))).toEqual(unreadable('not_json'));
      }
    },
  );

  it('with null for a field counts as without that field', () => {
    expect(readTransactionBody(body({ id: null, referencedId: null, resultDetails: null }))).toEqual({
      ok: true,
      value: { ...refunded, id: undefined, referencedId: undefined },
    });
  });

  it.each<[string, object]>([
    ['registrationId', { registrationId: 1 }],
    ['paymentBrand', { paymentBrand: {} }],
    ['timestamp', { timestamp: 1 }],
    ['resultDetails', { resultDetails: 'x' }],
    ['ExtendedDescription', { resultDetails: { ExtendedDescription: 7 } }],
    ['card', { card: '0042' }],
    ['last4Digits', { card: { last4Digits: 42 } }],
    ['last4Digits of another length', { card: { last4Digits: '00042' } }],
    ['shortId', { shortId: 7548 }],
    ['descriptor', { descriptor: null }],
    [
      'ConnectorTxID1',
      { resultDetails: { ConnectorTxID1: 852105, ConnectorTxIDx: '1', reconciliationId: [] } },
    ],
    ['parameterErrors', { result: { ...refunded.result, parameterErrors: 'x' } }],
  ])('with a wrong type for the remark %s is believed without it', (_field, more) => {
    expect(readTransactionBody(body(more))).toEqual({ ok: true, value: refunded });
  });

  it.each([
    '4200.0000.0000.0000',
    'x4200000000000000x',
    '4200_0000_0000_0000',
    'cvv 123',
    '４２００ ００００ ００００ ００００',
  ])('that quotes a card in whatever form is believed without the quotation: %s', (quoted) => {
    const read = readTransactionBody(
      body({
        result: {
          ...refunded.result,
          description: `invalid ${quoted}`,
          parameterErrors: [{ name: 'card.number', message: `${quoted} is invalid` }],
        },
        resultDetails: { ExtendedDescription: `card ${quoted}` },
      }),
    );
    expect(read).toMatchObject({ ok: true, value: { result: { code: refunded.result.code } } });
    expect(JSON.stringify(read)).not.toContain(quoted);
  });

  it('has the details that find it in settlement, each of them bounded, and none that may hold a card', () => {
    const read = readTransactionBody(
      body({
        descriptor: '7548.8324.7369 ECOMChannel ',
        shortId: '7548.8324.7369',
        card: { bin: '420000', last4Digits: '0042', holder: 'John Smith' },
        resultDetails: {
          reconciliationId: 'r'.repeat(300),
          ConnectorTxID1: '852105',
          ConnectorTxID2: CARD_NUMBER,
          ConnectorTxID3: '26K00001',
          ConnectorTxID10: 'x',
          AcquirerResponse: `00 cvv 123`,
          clearingInstituteName: 'Bank\u0000',
        },
      }),
    );
    expect(read).toEqual({
      ok: true,
      value: {
        ...refunded,
        cardLast4: '0042',
        settlement: {
          reconciliationId: 'r'.repeat(255),
          connectorTxIds: { ConnectorTxID1: '852105', ConnectorTxID3: '26K00001' },
          clearingInstituteName: 'Bank\ufffd',
          shortId: '7548.8324.7369',
          descriptor: '7548.8324.7369 ECOMChannel ',
        },
      },
    });
  });

  it('names the parameters of a parameter error, and never their values', () => {
    const parameterErrors = [
      { name: 'paymentType', value: 'RF', message: 'must be one of [PA, DB]' },
      { name: 'card.number', value: CARD_NUMBER, message: 1 },
    ];
    const read = readTransactionBody(
      JSON.stringify({ result: { code: '200.300.404', description: 'invalid', parameterErrors } }),
    );
    expect(read).toEqual({
      ok: true,
      value: {
        result: { code: '200.300.404', description: 'invalid' },
        parameterErrors: ['paymentType: must be one of [PA, DB]', 'card.number: ?'],
      },
    });
  });

  it.each([
    '000.100.1100',
    '000.100.11',
    ' 000.100.110',
    '000.100.110\n',
    '000,100,110',
    '٠٠٠.١٠٠.١١٠',
    '',
    'abc',
  ])('with the result code %j has none', (code) => {
    expect(readTransactionBody(body({ result: { code, description: '' } }))).toEqual(
      unreadable('no_result_code'),
    );
  });

  it.each([
    '{}',
    '{"result":null}',
    '{"result":"000.100.110"}',
    '{"result":{"code":0}}',
    '{"result":["000.100.110"]}',
  ])('of %s has no result code', (text) => {
    expect(readTransactionBody(text)).toEqual(unreadable('no_result_code'));
  });

  it.each([
    '{"result":{"code":"800.100.152"},"result":{"code":"000.000.000"}}',
    '{"result":{"code":"800.100.152","code":"000.000.000"}}',
    '{"amount":"1.00","result":{"code":"000.000.000"},"\\u0061mount":"2.00"}',
  ])('that says something twice is not believed: %s', (text) => {
    expect(readTransactionBody(text)).toEqual(unreadable('not_json'));
  });

  it('may hold colons, quotes and braces in its texts', () => {
    const description = 'a "quoted": {"code":"x"} \\ text: \\" , :';
    expect(readTransactionBody(body({ result: { code: '000.000.000', description } }))).toMatchObject({
      ok: true,
      value: { result: { description } },
    });
  });

  it('with a text that no database stores is refused in a decisive field, and cleaned in a mere description', () => {
    for (const text of ['Rf\u0000', 'Rf\ud800', '\udc00Rf'])
      expect(readTransactionBody(body({ merchantTransactionId: text }))).toEqual(unreadable('not_json'));
    const description = `\u0000 ${'x'.repeat(997)}👩`;
    expect(readTransactionBody(body({ result: { code: '000.000.000', description } }))).toMatchObject({
      ok: true,
      value: { result: { description: `\ufffd ${'x'.repeat(997)}\ufffd` } },
    });
  });

  it('cannot forge an outcome through a prototype', () => {
    const text = '{"__proto__":{"result":{"code":"000.000.000"}},"constructor":{"prototype":{"result":1}}}';
    expect(readTransactionBody(text)).toEqual(unreadable('no_result_code'));
    expect(Object.hasOwn(Object.prototype, 'result')).toBe(false);
    const inside = '{"result":{"__proto__":{"code":"000.000.000"}}}';
    expect(readTransactionBody(inside)).toEqual(unreadable('no_result_code'));
  });

  it.each(['[', '{"a":'])('nested without end does not crash the reader: %s', (opening) => {
    const depth = 200_000;
    const closing = opening === '[' ? ']' : '}';
    const deep = `${opening.repeat(depth)}1${closing.repeat(depth)}`;
    expect(readTransactionBody(deep).ok).toBe(false);
    expect(readTransactionBody(`{"result":{"code":"000.000.000"},"x":${deep}}`)).toMatchObject({
      ok: true,
      value: { result: { code: '000.000.000' } },
    });
  });
});

describe('any answer on the wire', () => {
  it('makes one request, and no token is in the result', async () => {
    const server = await startRawServer();
    const gateway = gatewayAt(server.url, { maxBodyBytes: 4_096 });
    let sent = 0;
    await fuzz(400, async (random) => {
      const text = written(random, changed(random, refunded, [PAYMENT, '000.100.110', '800.100.152']));
      const whole = Buffer.from(
        random.chance(0.3)
          ? edited(random, answer(200, text))
          : answer(random.between(200, 599), random.chance(0.2) ? noise(random) : text),
      );
      const bytes = random.chance(0.3) ? whole.subarray(0, random.between(0, whole.length)) : whole;
      server.reply = (socket) => socket.end(bytes);
      const result = await gateway.refund(refundOrder());
      sent += 1;
      expect(server.requests.length).toBe(sent);
      expect(['answered', 'no_answer']).toContain(result.kind);
      if (result.kind === 'answered') expect(result.transaction.result.code).toMatch(/^\d{3}\.\d{3}\.\d{3}$/);
      expect(JSON.stringify(result)).not.toContain(TOKEN);
    });
    await gateway.close();
    await server.close();
  }, 60_000);
});
