/** Reading bodies: what counts as an outcome, and that no body whatever crashes the reader or passes for one. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTransactionBody } from '../../gateway/answer.js';
import { CARD_NUMBER, gatewayAt, refunded, refundOrder, TOKEN } from './orders.js';
import { answer, startRawServer } from './raw-server.js';

const sample = readFileSync(new URL('fixtures/credit-by-card.json', import.meta.url), 'utf8');
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

  it('with null for a field has left it out', () => {
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
    ['parameterErrors', { result: { ...refunded.result, parameterErrors: 'x' } }],
  ])('with a wrong type for the remark %s is believed without it', (_field, more) => {
    expect(readTransactionBody(body(more))).toEqual({ ok: true, value: refunded });
  });

  it('names what a parameter error is about, and never the value', () => {
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

  it('cannot smuggle an outcome in by a prototype', () => {
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

/** A body that was right once: cut, pasted, repeated, or with other values in it. */
const mutated = fc
  .tuple(
    fc.constantFrom(sample, JSON.stringify(refunded)),
    fc.array(
      fc.record({
        at: fc.nat(),
        cut: fc.nat({ max: 40 }),
        put: fc.oneof(
          fc.constantFrom(
            '"',
            '{',
            '}',
            ',',
            ':',
            'null',
            '0',
            '"code":1,',
            '"result":{},',
            '"__proto__":{},',
            '\\',
            '\u0000',
          ),
          fc.string({ unit: 'binary', maxLength: 8 }),
        ),
      }),
      { maxLength: 4 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((now, { at, cut, put }) => {
      const from = at % (now.length + 1);
      return now.slice(0, from) + put + now.slice(from + cut);
    }, text),
  );

/** JSON with the right names and any values. */
const wild = fc.anything({ withNullPrototype: false, maxDepth: 2 });
const lookalike = fc
  .record(
    {
      id: wild,
      amount: wild,
      paymentType: wild,
      merchantTransactionId: wild,
      resultDetails: wild,
      result: fc.oneof(
        wild,
        fc.record({
          code: fc.oneof(wild, fc.stringMatching(/^\d{2,4}\.\d{3}\.\d{3}$/)),
          description: wild,
          parameterErrors: wild,
        }),
      ),
      ['__proto__']: wild,
    },
    { requiredKeys: ['result'] },
  )
  .map((value) => {
    try {
      return JSON.stringify(value);
    } catch {
      return '';
    }
  });

const anyBody = fc.oneof(
  { arbitrary: mutated, weight: 4 },
  { arbitrary: lookalike, weight: 3 },
  { arbitrary: fc.json(), weight: 1 },
  { arbitrary: fc.string({ unit: 'binary' }), weight: 1 },
);

describe('whatever the body', () => {
  it('it is an outcome only with a well-formed code and texts in the fields that matter', () => {
    let believed = 0;
    fc.assert(
      fc.property(anyBody, (text) => {
        const read = readTransactionBody(text);
        if (!read.ok) {
          expect(['not_json', 'no_result_code']).toContain(read.why);
          return;
        }
        believed += 1;
        const { result, parameterErrors = [], ...fields } = read.value;
        expect(result.code).toMatch(/^\d{3}\.\d{3}\.\d{3}$/);
        expect(text).toContain(result.code);
        for (const value of [result.description, ...parameterErrors, ...Object.values(fields)]) {
          expect(typeof value).toBe('string');
        }
      }),
      { numRuns: 24_000 },
    );
    // A fuzzer that is only ever turned away proves little.
    expect(believed).toBeGreaterThan(1_000);
  }, 60_000);

  it('the same holds over the wire, with any status and any bytes', async () => {
    const server = await startRawServer();
    const gateway = gatewayAt(server.url, { maxBodyBytes: 4_096 });
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc
            .tuple(fc.integer({ min: 200, max: 599 }), anyBody)
            .map(([status, text]) => Buffer.from(answer(status, text))),
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
          fc.tuple(anyBody, fc.nat()).map(([text, at]) => {
            const whole = Buffer.from(answer(200, text));
            return whole.subarray(0, at % whole.length);
          }),
        ),
        async (bytes) => {
          server.reply = (socket) => socket.end(bytes);
          const result = await gateway.refund(refundOrder());
          sent += 1;
          expect(server.requests.length).toBe(sent);
          expect(['answered', 'no_answer']).toContain(result.kind);
          if (result.kind === 'answered')
            expect(result.transaction.result.code).toMatch(/^\d{3}\.\d{3}\.\d{3}$/);
          expect(JSON.stringify(result)).not.toContain(TOKEN);
        },
      ),
      { numRuns: 400 },
    );
    await gateway.close();
    await server.close();
  }, 60_000);
});
