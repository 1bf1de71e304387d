/** Requests on the wire: path, headers and each field of each write. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Gateway } from '../../gateway/gateway.js';
import {
  CARD_NUMBER,
  cardCreditOrder,
  ENTITY,
  gatewayAt,
  limits,
  PAYMENT,
  refunded,
  refundOrder,
  shown,
  TOKEN,
} from './orders.js';
import { answer, startRawServer, type RawServer } from './raw-server.js';

const sample = readFileSync(new URL('fixtures/credit-by-card.json', import.meta.url), 'utf8');

let server: RawServer;
let gateway: Gateway;

beforeEach(async () => {
  server = await startRawServer((socket) => socket.write(answer(200, JSON.stringify(refunded))));
  gateway = gatewayAt(server.url);
});

afterEach(async () => {
  await gateway.close();
  await server.close();
});

describe('a credit to a card', () => {
  it("is field for field the vendor's published request", async () => {
    const external = gatewayAt(server.url, { testMode: 'EXTERNAL' });
    await external.creditCard(cardCreditOrder());
    await external.close();

    const [request] = server.requests;
    expect(request?.method).toBe('POST');
    expect(request?.path).toBe('/v1/payments');
    expect(request?.headers.get('authorization')).toBe(`Bearer ${TOKEN}`);
    expect(request?.headers.get('content-type')).toBe('application/x-www-form-urlencoded; charset=UTF-8');
    expect([...(request?.fields ?? [])].sort()).toEqual(
      [
        ['entityId', ENTITY],
        ['amount', '100.00'],
        ['currency', 'EUR'],
        ['paymentBrand', 'VISA'],
        ['paymentType', 'CD'],
        ['card.number', CARD_NUMBER],
        ['card.holder', 'John Smith'],
        ['card.expiryMonth', '02'],
        ['card.expiryYear', '2027'],
        ['card.cvv', '123'],
        ['merchantTransactionId', 'P175'],
        ['testMode', 'EXTERNAL'],
      ].sort(),
    );
  });

  it("reads the vendor's published answer and keeps no data of the card", async () => {
    server.reply = (socket) => socket.write(answer(200, sample));
    const result = await gateway.creditCard(cardCreditOrder());
    expect(result).toEqual({
      kind: 'answered',
      httpStatus: 200,
      transaction: shown({
        id: '8ac7a4a192b3b5060192b471c0d82dfb',
        paymentType: 'CD',
        paymentBrand: 'VISA',
        amount: '100.00',
        currency: 'EUR',
        merchantTransactionId: 'P175',
        result: {
          code: '000.100.112',
          description: "Request successfully processed in 'Merchant in Connector Test Mode'",
        },
        extendedDescription: 'Approved or completed successfully',
        timestamp: '2024-10-22 13:36:46+0000',
        settlement: {
          reconciliationId: 'P175',
          connectorTxIds: { ConnectorTxID1: '852105', ConnectorTxID3: '26K00001' },
          acquirerResponse: '00',
          clearingInstituteName: 'Postbank P.O.S. Transact GmbH',
          shortId: '7548.8324.7369',
          descriptor: '7548.8324.7369 ECOMChannel ',
        },
        cardLast4: '0042',
      }),
    });
  });

  it('contains the recipient, in UTF-8, and leaves out unknown fields', async () => {
    await gateway.creditCard(
      cardCreditOrder({
        card: { number: CARD_NUMBER, holder: 'Zoë & Søn = 100%+1', expiryMonth: '12', expiryYear: '2031' },
        billing: { street1: 'Straße 1', city: 'Kraków', state: 'MA', postcode: '30001', country: 'PL' },
        customer: {
          givenName: 'Zoë',
          surname: "O'Søn",
          merchantCustomerId: 'c-1',
          email: 'a@b.example',
          phone: '+48 12 (3) 45',
          ip: '::1',
          birthDate: '1980-02-29',
        },
      }),
    );
    expect(Object.fromEntries(server.requests[0]?.fields ?? [])).toEqual({
      entityId: ENTITY,
      amount: '100.00',
      currency: 'EUR',
      paymentBrand: 'VISA',
      paymentType: 'CD',
      'card.number': CARD_NUMBER,
      'card.holder': 'Zoë & Søn = 100%+1',
      'card.expiryMonth': '12',
      'card.expiryYear': '2031',
      merchantTransactionId: 'P175',
      'billing.street1': 'Straße 1',
      'billing.city': 'Kraków',
      'billing.state': 'MA',
      'billing.postcode': '30001',
      'billing.country': 'PL',
      'customer.givenName': 'Zoë',
      'customer.surname': "O'Søn",
      'customer.merchantCustomerId': 'c-1',
      'customer.email': 'a@b.example',
      'customer.phone': '+48 12 (3) 45',
      'customer.ip': '::1',
      'customer.birthDate': '1980-02-29',
    });
  });
});

describe('the other writes', () => {
  it('refund a payment under its own id', async () => {
    const result = await gateway.refund(refundOrder());
    expect(result).toEqual({ kind: 'answered', httpStatus: 200, transaction: shown(refunded) });
    expect(server.requests[0]?.path).toBe(`/v1/payments/${PAYMENT}`);
    expect(server.requests[0]?.fields).toEqual([
      ['entityId', ENTITY],
      ['amount', '92.00'],
      ['currency', 'EUR'],
      ['paymentType', 'RF'],
      ['merchantTransactionId', 'Rf00000000000001'],
    ]);
  });

  it('reverse a whole authorization without an amount, and a part of one with it', async () => {
    const order = {
      entityId: ENTITY,
      paymentId: PAYMENT,
      merchantTransactionId: 'Rv00000000000001',
      limits: limits(),
    };
    await gateway.reverse(order);
    await gateway.reverse({ ...order, partial: { amount: '5.00', currency: 'EUR' } });
    expect(server.requests.map(({ path }) => path)).toEqual([
      `/v1/payments/${PAYMENT}`,
      `/v1/payments/${PAYMENT}`,
    ]);
    expect(server.requests.map(({ fields }) => fields)).toEqual([
      [
        ['entityId', ENTITY],
        ['paymentType', 'RV'],
        ['merchantTransactionId', 'Rv00000000000001'],
      ],
      [
        ['entityId', ENTITY],
        ['amount', '5.00'],
        ['currency', 'EUR'],
        ['paymentType', 'RV'],
        ['merchantTransactionId', 'Rv00000000000001'],
      ],
    ]);
  });

  it('credit a registration without a card or a brand', async () => {
    await gateway.creditRegistration({
      entityId: ENTITY,
      registrationId: '8ac7a4a09780fc6a01978219fe113f61',
      merchantTransactionId: 'Cd00000000000001',
      amount: '10.50',
      currency: 'USD',
      limits: limits(),
    });
    expect(server.requests[0]?.path).toBe('/v1/registrations/8ac7a4a09780fc6a01978219fe113f61/payments');
    expect(server.requests[0]?.fields).toEqual([
      ['entityId', ENTITY],
      ['amount', '10.50'],
      ['currency', 'USD'],
      ['paymentType', 'CD'],
      ['merchantTransactionId', 'Cd00000000000001'],
    ]);
  });

  it('register a card, without a type and an amount', async () => {
    const {
      amount: _amount,
      currency: _currency,
      ...order
    } = cardCreditOrder({
      billing: { city: 'Kraków' },
      customer: { surname: 'Smith' },
    });
    await gateway.registerCard(order);
    expect(server.requests[0]?.method).toBe('POST');
    expect(server.requests[0]?.path).toBe('/v1/registrations');
    expect(server.requests[0]?.fields).toEqual([
      ['entityId', ENTITY],
      ['paymentBrand', 'VISA'],
      ['card.number', CARD_NUMBER],
      ['card.holder', 'John Smith'],
      ['card.expiryMonth', '02'],
      ['card.expiryYear', '2027'],
      ['card.cvv', '123'],
      ['merchantTransactionId', 'P175'],
      ['billing.city', 'Kraków'],
      ['customer.surname', 'Smith'],
    ]);
  });

  it('remove a registration by DELETE without a body', async () => {
    const registrationId = '8ac7a4a09780fc6a01978219fe113f61';
    const external = gatewayAt(server.url, { testMode: 'EXTERNAL' });
    await external.removeRegistration(ENTITY, registrationId, limits());
    await external.close();
    const [request] = server.requests;
    expect(request?.method).toBe('DELETE');
    expect(request?.path).toBe(`/v1/registrations/${registrationId}?entityId=${ENTITY}`);
    expect(request?.headers.get('authorization')).toBe(`Bearer ${TOKEN}`);
    expect(request?.fields).toEqual([]);
  });

  it('send testMode only if it is set', async () => {
    const external = gatewayAt(server.url, { testMode: 'EXTERNAL' });
    await external.refund(refundOrder());
    await external.close();
    expect(server.requests[0]?.fields).toContainEqual(['testMode', 'EXTERNAL']);
  });
});
