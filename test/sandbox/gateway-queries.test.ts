/** Tests the answers to queries, in the formats of v1 and v3. */
import { describe, expect, it } from 'vitest';
import {
  CARD,
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

const LINKED = { includeLinkedTransactions: 'true' };

describe('v1', () => {
  it('shows one transaction by id, with milliseconds and the fields that only queries have', () => {
    const harness = openHarness();
    const paymentId = debit(harness);
    const id = idOf(refund(harness, paymentId, '3.00', { merchantTransactionId: 'R1' }));
    for (const path of [`/v1/payments/${id}`, `/v1/query/${id}`]) {
      const body = bodyOf(harness.get(path));
      expect(body).toMatchObject({
        id,
        paymentType: 'RF',
        amount: '3.00',
        currency: 'EUR',
        merchantTransactionId: 'R1',
        referencedId: paymentId,
        source: 'OPP',
        paymentMethod: 'CC',
        channelName: 'shop',
        timestamp: '2026-09-01 12:00:00.000+0000',
      });
      expect(body.descriptor).toBe(`${body.shortId ?? ''} shop`);
    }
  });

  it('lists all transactions with one reference, declined and successful ones', () => {
    const harness = openHarness();
    const pay = {
      ...CARD,
      paymentType: 'DB',
      amount: '9.00',
      currency: 'EUR',
      merchantTransactionId: 'ORDER',
    };
    harness.post('/v1/payments', { ...pay, 'card.holder': '800.100.152' });
    harness.post('/v1/payments', pay);
    for (const path of ['/v1/query', '/v1/payments']) {
      const body = bodyOf(harness.get(path, { merchantTransactionId: 'ORDER' }));
      expect(body.result).toEqual({ code: '000.000.100', description: 'successful request' });
      expect(body.payments?.map(({ result, amount }) => [result?.code, amount])).toEqual([
        ['800.100.152', undefined],
        ['000.100.110', '9.00'],
      ]);
      expect(body.records).toBeUndefined();
    }
  });
});

describe('a payment without a registration', () => {
  it('shows none; a payment with a registration shows it', () => {
    const harness = openHarness();
    const shown = (registered: boolean) => {
      const payment = { type: 'DB', amount: 1_00n, currency: 'EUR', registered } as const;
      const { paymentId, registrationId } = harness.gateway.createPayment(payment);
      const records = bodyOf(harness.get(`/v3/query/${paymentId}`)).records;
      return { shown: records?.[0]?.registrationId, made: registrationId };
    };
    expect(shown(false).shown).toBeUndefined();
    const { shown: registration, made } = shown(true);
    expect(registration).toBe(made);
  });
});

describe('v3', () => {
  it('shows an original with all linked transactions: captures, refunds and chargebacks', () => {
    const harness = openHarness();
    const { paymentId, captureIds } = harness.gateway.createPayment({
      type: 'PA',
      amount: 50_00n,
      currency: 'EUR',
      captures: [20_00n, 30_00n],
    });
    const [first = '', second = ''] = captureIds;
    refund(harness, first, '5.00');
    const chargeback = harness.gateway.chargeback({ paymentId: second });
    harness.gateway.reverseChargeback(chargeback.id);
    debit(harness);
    const tree = (id: string, more = {}): unknown =>
      bodyOf(harness.get(`/v3/query/${id}`, { ...LINKED, ...more })).records?.map(
        ({ paymentType, referencedId }) => [paymentType, referencedId],
      );
    expect(tree(paymentId)).toEqual([
      ['PA', undefined],
      ['CP', paymentId],
      ['RF', first],
      ['CP', paymentId],
      ['CB', second],
      ['CR', chargeback.id],
    ]);
    expect(tree(first)).toEqual([
      ['CP', paymentId],
      ['RF', first],
    ]);
    expect(tree(paymentId, { paymentTypes: 'RF,CB' })).toEqual([
      ['RF', first],
      ['CB', second],
    ]);
    expect(tree(paymentId, { includeLinkedTransactions: 'false' })).toEqual([['PA', undefined]]);
    expect(verdict(harness.get(`/v3/query/${paymentId}`, { paymentMethods: 'DD' }))).toBe('404 700.400.580');
  });

  it('shows a refund that was rejected because of its original, without its amount', () => {
    const harness = openHarness();
    const id = debit(harness);
    refund(harness, id, '100.01', { merchantTransactionId: 'TOO-MUCH' });
    const [record] = bodyOf(harness.get('/v3/query', { merchantTransactionId: 'TOO-MUCH' })).records ?? [];
    expect(record).toMatchObject({ paymentType: 'RF', referencedId: id, result: { code: '700.400.200' } });
    expect(record?.amount).toBeUndefined();
  });

  it('shows refunds made in the portal with source SYSTEM and without our reference', () => {
    const harness = openHarness();
    const id = debit(harness);
    harness.gateway.refundInPortal({ paymentId: id, amount: 4_00n });
    const records = bodyOf(harness.get(`/v3/query/${id}`, LINKED)).records;
    expect(records?.[1]).toMatchObject({ paymentType: 'RF', amount: '4.00', source: 'SYSTEM' });
    expect(records?.[1]?.merchantTransactionId).toBeUndefined();
  });

  it('searches by time, in pages', () => {
    const harness = openHarness();
    for (let count = 0; count < 5; count += 1) {
      debit(harness);
      harness.wait(1000);
    }
    const range = { 'date.from': '2026-09-01 12:00:01', 'date.to': '2026-09-01 12:00:03' };
    const count = (more = {}): number | undefined =>
      bodyOf(harness.get('/v3/query', { ...range, ...more })).records?.length;
    expect(count()).toBe(3);
    expect([count({ limit: '2' }), count({ limit: '2', pageNo: '2' })]).toEqual([2, 1]);
    expect(bodyOf(harness.get('/v3/query', { ...range, limit: '2' })).pages).toBe(2);
  });

  it('rejects a search without criteria', () => {
    const harness = openHarness();
    expect(verdict(harness.get('/v3/query'))).toBe('400 200.300.404');
    expect(verdict(harness.get('/v3/query', { 'date.from': 'yesterday', 'date.to': 'today' }))).toBe(
      '400 200.300.404',
    );
  });
});

describe('not found', () => {
  it.each(['/v1/payments/', '/v1/query/', '/v3/query/'])(
    '%s answers 700.400.580 for an unknown id',
    (path) => {
      expect(verdict(openHarness().get(`${path}${UNKNOWN_ID}`))).toBe('404 700.400.580');
    },
  );

  it('is also the answer for an existing id or reference under the wrong entity', () => {
    const harness = openHarness();
    const id = debit(harness);
    creditByCard(harness, '1.00', { merchantTransactionId: 'CD1' });
    expect(verdict(harness.get(`/v3/query/${id}`, LINKED, OTHER_ENTITY))).toBe('404 700.400.580');
    expect(verdict(harness.get(`/v1/payments/${id}`, {}, OTHER_ENTITY))).toBe('404 700.400.580');
    expect(verdict(harness.get('/v3/query', { merchantTransactionId: 'CD1' }, OTHER_ENTITY))).toBe(
      '404 700.400.580',
    );
    expect(verdict(harness.get('/v3/query', { merchantTransactionId: 'CD1' }))).toBe('200 000.000.100');
  });

  it('comes with HTTP 400 if the setting requires it', () => {
    const harness = openHarness({ settings: { notFoundStatus: 400 } });
    expect(verdict(harness.get(`/v3/query/${UNKNOWN_ID}`))).toBe('400 700.400.580');
  });
});
