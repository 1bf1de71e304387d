/** Tests the simulator's checks in their order, and the form of each answer. */
import { describe, expect, it } from 'vitest';
import {
  CARD,
  ENTITY,
  OTHER_ENTITY,
  UNKNOWN_ID,
  bodyOf,
  creditByCard,
  debit,
  idOf,
  openHarness,
  refund,
  verdict,
} from './gateway-harness.js';

const AUTH_FIELDS = ['buildNumber', 'ndc', 'result', 'timestamp'];
const fieldsOf = (body: object): string[] =>
  Object.entries(body)
    .flatMap(([name, value]) => (value === undefined ? [] : [name]))
    .sort();

describe('access to the gateway', () => {
  it('answers a request without a token with 401 and a result only', () => {
    const harness = openHarness();
    const answer = harness.post('/v1/payments', {}, { id: ENTITY.id, token: null });
    expect(verdict(answer)).toBe('401 800.900.300');
    expect(fieldsOf(bodyOf(answer))).toEqual(AUTH_FIELDS);
  });

  it.each([
    ['an unknown token', { id: ENTITY.id, token: 'unknown' }],
    ['the token of another entity', { id: ENTITY.id, token: OTHER_ENTITY.token }],
  ])('refuses %s with 403, before it checks any parameter', (_name, as) => {
    const harness = openHarness();
    const answer = harness.post('/v1/payments', { amount: 'nonsense' }, as);
    expect(verdict(answer)).toBe('403 800.900.300');
    expect(fieldsOf(bodyOf(answer))).toEqual(AUTH_FIELDS);
  });

  it('requires a token for queries, and publishes its result codes without one', () => {
    const harness = openHarness();
    const noToken = { id: ENTITY.id, token: null };
    expect(verdict(harness.get('/v3/query', {}, noToken))).toBe('401 800.900.300');
    const published = bodyOf(harness.get('/v1/resultcodes', {}, noToken)).resultCodes;
    expect(published).toContainEqual({ code: '000.000.000', description: 'Transaction succeeded' });
  });
});

describe('parameters', () => {
  it.each(['92.0', '-20.20', '1,00', '', '1234567890123', ' 1.00'])(
    'rejects the amount "%s" and names the field',
    (amount) => {
      const harness = openHarness();
      const answer = refund(harness, debit(harness), amount);
      expect(verdict(answer)).toBe('400 200.300.404');
      expect(bodyOf(answer).result?.parameterErrors).toEqual([
        { name: 'amount', value: amount, message: 'must match "^[0-9]{1,12}(\\.[0-9]{2})?$"' },
      ]);
    },
  );

  it('answers a validation error without an id, and creates no transaction', () => {
    const harness = openHarness();
    const id = debit(harness);
    const answer = refund(harness, id, '92.0');
    expect(fieldsOf(bodyOf(answer))).toEqual(AUTH_FIELDS);
    expect(harness.gateway.transactions()).toHaveLength(1);
  });

  it.each(['/v1/payments', '/v1/payments/'])(
    'handles a refund sent to %s as a create request, and rejects its type',
    (path) => {
      const harness = openHarness();
      const answer = harness.post(path, { paymentType: 'RF', amount: '1.00', currency: 'EUR' });
      expect(bodyOf(answer).result).toEqual({
        code: '200.300.404',
        description: 'invalid or missing parameter',
        parameterErrors: [
          { name: 'paymentType', value: 'RF', message: 'must be one of [PA, DB, CD, PA.CP]' },
        ],
      });
    },
  );

  it('names all wrong parameters at once', () => {
    const harness = openHarness();
    const answer = harness.post('/v1/payments', { ...CARD, 'card.expiryMonth': '13', currency: 'euro' });
    const names = bodyOf(answer).result?.parameterErrors?.map(({ name }) => name);
    expect(names).toEqual(['paymentType', 'amount', 'currency', 'card.expiryMonth']);
  });

  it.each([
    ['no card', { 'card.number': undefined }, '100.100.100'],
    ['a card number with a wrong check digit', { 'card.number': '4200000000000001' }, '100.100.101'],
    ['an unknown test mode', { testMode: 'LOUD' }, '100.300.101'],
    ['nothing to pay', { amount: '0.00' }, '100.550.300'],
  ])('refuses %s', (name, change, code) => {
    const harness = openHarness();
    const credit = { paymentType: 'CD', amount: '1.00', currency: 'EUR' };
    const fields = name === 'no card' ? credit : { ...credit, ...CARD, ...change };
    expect(verdict(harness.post('/v1/payments', Object.fromEntries(stringsOf(fields))))).toBe(`400 ${code}`);
  });
});

const stringsOf = (fields: object): [string, string][] =>
  Object.entries(fields).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []));

describe('forced results', () => {
  it('returns the forced code in internal test mode, without an id and without a transaction', () => {
    const harness = openHarness();
    const forced = { 'customParameters[forceResultCode]': '800.100.151', merchantTransactionId: 'F1' };
    const answer = creditByCard(harness, '1.00', forced);
    expect(verdict(answer)).toBe('400 800.100.151');
    expect(bodyOf(answer).id).toBeUndefined();
    expect(verdict(harness.get('/v3/query', { merchantTransactionId: 'F1' }))).toBe('404 700.400.580');
    expect(verdict(creditByCard(harness, '1.00', { ...forced, testMode: 'EXTERNAL' }))).toBe(
      '200 000.100.112',
    );
  });

  it('uses a card holder that is a result code as the result, unless the code is a success', () => {
    const harness = openHarness();
    const declined = creditByCard(harness, '1.00', { 'card.holder': '800.100.165' });
    expect(verdict(declined)).toBe('400 800.100.165');
    expect(idOf(declined)).toMatch(/^8ac7a4a[0-9a-f]{25}$/);
    expect(verdict(creditByCard(harness, '1.00', { 'card.holder': '000.400.000' }))).toBe('200 000.100.110');
  });
});

describe('the original of a refund, reversal or capture', () => {
  it.each([
    ['RF', '600.200.500'],
    ['CP', '700.400.510'],
    ['RV', '700.400.530'],
  ])('%s on an unknown id is %s, with an id and a risk score but no amount', (paymentType, code) => {
    const harness = openHarness();
    const answer = harness.post(`/v1/payments/${UNKNOWN_ID}`, {
      paymentType,
      amount: '1.00',
      currency: 'EUR',
    });
    expect(verdict(answer)).toBe(`400 ${code}`);
    expect(fieldsOf(bodyOf(answer))).toEqual(
      [...AUTH_FIELDS, 'id', 'paymentType', 'referencedId', 'risk'].sort(),
    );
  });

  it('is not found when it belongs to another entity', () => {
    const harness = openHarness();
    const fields = { paymentType: 'RF', amount: '1.00', currency: 'EUR' };
    const answer = harness.post(`/v1/payments/${debit(harness)}`, fields, OTHER_ENTITY);
    expect(verdict(answer)).toBe('400 600.200.500');
  });

  it('cannot be refunded when it was rejected, whatever else is wrong', () => {
    const harness = openHarness();
    const declined = harness.post('/v1/payments', {
      ...CARD,
      paymentType: 'DB',
      amount: '10.00',
      currency: 'EUR',
      'card.holder': '800.100.152',
    });
    expect(verdict(refund(harness, idOf(declined), '999.00', { currency: 'USD' }))).toBe('400 700.300.200');
  });

  it('cannot be refunded while it is pending', () => {
    const harness = openHarness();
    harness.gateway.setFault({ effect: { kind: 'pending', code: '000.200.000' } });
    const pending = harness.post('/v1/payments', {
      ...CARD,
      paymentType: 'DB',
      amount: '10.00',
      currency: 'EUR',
    });
    expect(verdict(refund(harness, idOf(pending), '1.00'))).toBe('400 700.400.570');
  });

  it('cannot be refunded when nothing was captured, or when it is itself a refund', () => {
    const harness = openHarness();
    const { paymentId } = harness.gateway.createPayment({ type: 'PA', amount: 10_00n, currency: 'EUR' });
    expect(verdict(refund(harness, paymentId, '1.00'))).toBe('400 700.400.520');
    const refunded = refund(harness, debit(harness), '1.00');
    expect(verdict(refund(harness, idOf(refunded), '1.00'))).toBe('400 700.400.520');
  });

  it('is checked for its currency after its remaining amount', () => {
    const harness = openHarness();
    const id = debit(harness);
    expect(verdict(refund(harness, id, '100.00', { currency: 'USD' }))).toBe('400 700.100.500');
    expect(verdict(refund(harness, id, '100.01', { currency: 'USD' }))).toBe('400 700.400.200');
  });

  it('cannot be refunded while it has an open chargeback, and can be once that is reversed', () => {
    const harness = openHarness();
    const id = debit(harness);
    const { id: chargebackId } = harness.gateway.chargeback({ paymentId: id, amount: 10_00n });
    expect(verdict(refund(harness, id, '1.00'))).toBe('400 700.300.600');
    harness.gateway.reverseChargeback(chargebackId);
    expect(verdict(refund(harness, id, '100.00'))).toBe('200 000.100.110');
  });

  it('of a credit must be a registration of the same entity', () => {
    const harness = openHarness();
    const fields = { paymentType: 'CD', amount: '1.00', currency: 'EUR' };
    const { registrationId } = harness.gateway.createPayment({ type: 'DB', amount: 1n, currency: 'EUR' });
    expect(verdict(harness.post(`/v1/registrations/${UNKNOWN_ID}/payments`, fields))).toBe('400 100.150.200');
    const path = `/v1/registrations/${registrationId}/payments`;
    expect(verdict(harness.post(path, fields, OTHER_ENTITY))).toBe('400 100.150.200');
    expect(verdict(harness.post(path, fields))).toBe('200 000.100.110');
  });

  it('cannot be rebilled or receipted', () => {
    const harness = openHarness();
    const answer = harness.post(`/v1/payments/${debit(harness)}`, {
      paymentType: 'RB',
      amount: '1.00',
      currency: 'EUR',
    });
    expect(verdict(answer)).toBe('400 600.200.202');
  });
});

describe('reversals and captures', () => {
  const authorize = (harness: ReturnType<typeof openHarness>): string =>
    harness.gateway.createPayment({ type: 'PA', amount: 100_00n, currency: 'EUR' }).paymentId;
  const act = (
    harness: ReturnType<typeof openHarness>,
    id: string,
    paymentType: string,
    amount?: string,
  ): string =>
    verdict(
      harness.post(`/v1/payments/${id}`, {
        paymentType,
        ...(amount === undefined ? {} : { amount, currency: 'EUR' }),
      }),
    );

  it('reverses an authorization in full when no amount is given, once', () => {
    const harness = openHarness();
    const id = authorize(harness);
    expect(act(harness, id, 'RV')).toBe('200 000.100.110');
    expect(act(harness, id, 'RV')).toBe('400 700.400.300');
    expect(act(harness, id, 'CP', '1.00')).toBe('400 700.400.100');
    expect(harness.gateway.books(id)?.reversed).toBe(100_00n);
  });

  it('captures an authorization in parts, and then does not reverse it', () => {
    const harness = openHarness();
    const id = authorize(harness);
    expect(act(harness, id, 'CP', '60.00')).toBe('200 000.100.110');
    expect(act(harness, id, 'CP', '40.01')).toBe('400 700.400.100');
    expect(act(harness, id, 'RV')).toBe('400 700.400.300');
    expect(act(harness, debit(harness), 'CP', '1.00')).toBe('400 700.400.510');
  });

  it('reverses a debit only if the setting allows it, and not after a refund', () => {
    const harness = openHarness();
    const id = debit(harness);
    expect(act(harness, id, 'RV')).toBe('400 700.400.530');
    harness.gateway.changeSettings({ reversalOnDebit: true });
    refund(harness, id, '1.00');
    expect(act(harness, id, 'RV')).toBe('400 700.400.300');
    const other = debit(harness);
    expect(act(harness, other, 'RV')).toBe('200 000.100.110');
    expect(verdict(refund(harness, other, '1.00'))).toBe('400 700.400.200');
  });
});

describe('success', () => {
  it('answers a refund with its own id, its reference and its original', () => {
    const harness = openHarness();
    const paymentId = debit(harness);
    const body = bodyOf(refund(harness, paymentId, '12.30', { merchantTransactionId: 'R1' }));
    expect(body).toMatchObject({
      paymentType: 'RF',
      amount: '12.30',
      currency: 'EUR',
      merchantTransactionId: 'R1',
      referencedId: paymentId,
      result: { code: '000.100.110' },
    });
    expect(body.id).toMatch(/^8ac7a4a[0-9a-f]{25}$/);
    expect(body.id).not.toBe(paymentId);
    expect(body.descriptor).toMatch(/^\d{4}\.\d{4}\.\d{4} shop$/);
    expect(body.timestamp).toBe('2026-09-01 12:00:00+0000');
    expect(body.ndc).toMatch(new RegExp(`^${ENTITY.id}_[0-9a-f]{32}$`));
    expect(body.buildNumber).toMatch(/^[0-9a-f]{40}@\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000$/);
    expect(body.card ?? body.paymentBrand ?? body.risk).toBeUndefined();
  });

  it('shows brand and card summary of a credit to a card, and neither for a credit to a registration', () => {
    const harness = openHarness();
    const answer = creditByCard(harness, '5.00', { createRegistration: 'true' });
    const body = bodyOf(answer);
    expect(body).toMatchObject({ paymentBrand: 'VISA', card: { bin: '420000', last4Digits: '0000' } });
    const token = bodyOf(
      harness.post(`/v1/registrations/${body.registrationId ?? ''}/payments`, {
        paymentType: 'CD',
        amount: '5.00',
        currency: 'EUR',
      }),
    );
    expect(token).toMatchObject({ paymentType: 'CD', amount: '5.00' });
    expect(token.card ?? token.paymentBrand).toBeUndefined();
    expect(JSON.stringify(harness.gateway.transactions().map(({ card }) => card))).not.toContain(
      '4200000000000000',
    );
  });

  it('registers a card', () => {
    const harness = openHarness();
    const registration = bodyOf(harness.post('/v1/registrations', CARD));
    const path = `/v1/registrations/${registration.id ?? ''}/payments`;
    expect(verdict(harness.post(path, { paymentType: 'DB', amount: '1.00', currency: 'EUR' }))).toBe(
      '200 000.100.110',
    );
  });

  it('answers by test mode, and as a live host without one', () => {
    const harness = openHarness();
    expect(verdict(creditByCard(harness, '1.00', { testMode: 'EXTERNAL' }))).toBe('200 000.100.112');
    harness.gateway.changeSettings({ live: true });
    expect(verdict(creditByCard(harness, '1.00'))).toBe('200 000.000.000');
    expect(verdict(creditByCard(harness, '1.00', { testMode: 'EXTERNAL' }))).toBe('400 600.200.701');
  });
});

describe('throttling', () => {
  it('allows two v1 queries in a minute, then answers 800.120.100 with an id', () => {
    const harness = openHarness({ settings: { throttle: 'documented' } });
    const id = debit(harness);
    const ask = (): string => verdict(harness.get(`/v1/payments/${id}`));
    expect([ask(), ask(), ask()]).toEqual(['200 000.100.110', '200 000.100.110', '429 800.120.100']);
    expect(bodyOf(harness.get(`/v1/payments/${id}`)).id).toMatch(/^[0-9a-f]{32}$/);
    harness.wait(60_001);
    expect(ask()).toBe('200 000.100.110');
  });

  it('allows 30 v3 searches, 100 v3 queries and 200 refunds of one payment; the next refund is not executed', () => {
    const harness = openHarness({ settings: { throttle: 'documented' } });
    const id = debit(harness, 1000_00n);
    const admitted = (times: number, ask: () => string): number =>
      Array.from({ length: times }, ask).filter((result) => !result.endsWith('800.120.100')).length;
    expect(admitted(35, () => verdict(harness.get('/v3/query', { merchantTransactionId: 'x' })))).toBe(30);
    expect(admitted(105, () => verdict(harness.get(`/v3/query/${id}`)))).toBe(100);
    expect(admitted(205, () => verdict(refund(harness, id, '1.00')))).toBe(200);
    expect(harness.gateway.books(id)?.refunded).toBe(200_00n);
    expect(verdict(refund(harness, debit(harness), '1.00'))).toBe('200 000.100.110');
  });

  it('validates a request before it counts it', () => {
    const harness = openHarness({
      settings: {
        throttle: {
          windowMs: 1000,
          v1Payment: 1,
          v1Query: 1,
          v3Query: 1,
          v3Search: 1,
          backoffice: 1,
          payRegistration: 1,
        },
      },
    });
    const id = debit(harness);
    refund(harness, id, '1.00');
    expect(verdict(refund(harness, id, 'x'))).toBe('400 200.300.404');
    expect(verdict(refund(harness, id, '1.00'))).toBe('429 800.120.100');
  });
});
