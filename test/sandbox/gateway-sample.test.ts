/** Sends the vendor's published request of a credit to a card, and compares request and answer with the sample field by field. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { Secret } from '../../domain/secret.js';
import { createGateway } from '../../gateway/oppwa/oppwa.js';
import { startGatewayServer, type GatewayServer } from '../../sandbox/gateway/server.js';
import { cardCreditOrder } from '../gateway/orders.js';

const ENTITY = { id: '8ac7a4c890fc748b0190fe6ad56b0241', token: 'auth_token', name: 'ECOMChannel ' };
const texts = z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())]));
const sample = texts.parse(
  JSON.parse(readFileSync(new URL('../gateway/fixtures/credit-by-card.json', import.meta.url), 'utf8')),
);
/** The fields of the published request. */
const REQUEST = {
  entityId: ENTITY.id,
  amount: '100.00',
  currency: 'EUR',
  paymentBrand: 'VISA',
  paymentType: 'CD',
  'card.number': '4200000000000000',
  'card.holder': 'John Smith',
  'card.expiryMonth': '02',
  'card.expiryYear': '2027',
  'card.cvv': '123',
  merchantTransactionId: 'P175',
  testMode: 'EXTERNAL',
};
/** Fields that the gateway makes anew for each transaction, and their form. */
const MADE: Readonly<Record<string, RegExp>> = {
  id: /^8ac7a4a[0-9a-f]{25}$/,
  shortId: /^\d{4}\.\d{4}\.\d{4}$/,
  descriptor: /^\d{4}\.\d{4}\.\d{4} ECOMChannel $/,
  buildNumber: /^[0-9a-f]{40}@\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000$/,
  timestamp: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+0000$/,
  ndc: /^8ac7a4c890fc748b0190fe6ad56b0241_[0-9a-f]{32}$/,
  'resultDetails.ConnectorTxID1': /^\d{6}$/,
  'resultDetails.ConnectorTxID3': /^26K\d{5}$/,
  'resultDetails.merchantAccountId': /^8a829418[0-9a-f]{24}$/,
};

let server: GatewayServer;
beforeEach(async () => {
  server = await startGatewayServer({ entities: [ENTITY], settings: { answeredLast4: 'sample' } });
});
afterEach(() => server.close());

const flat = (body: z.infer<typeof texts>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) =>
      typeof value === 'string'
        ? [[name, value]]
        : Object.entries(value).map(([inner, text]) => [`${name}.${inner}`, text]),
    ),
  );

it("is answered with the published answer's fields and no other one", async () => {
  const response = await fetch(`${server.url}/v1/payments`, {
    method: 'POST',
    body: new URLSearchParams(REQUEST),
    headers: { authorization: `Bearer ${ENTITY.token}` },
  });
  expect(response.status).toBe(200);
  const answer = flat(texts.parse(await response.json()));
  const published = flat(sample);
  expect(Object.keys(answer).sort()).toEqual(Object.keys(published).sort());
  for (const [name, value] of Object.entries(published)) {
    const form = MADE[name];
    if (form === undefined) expect([name, answer[name]]).toEqual([name, value]);
    else
      for (const text of [value, answer[name]])
        expect([name, text]).toEqual([name, expect.stringMatching(form)]);
  }
  expect(answer['descriptor']).toBe(`${answer['shortId'] ?? ''} ECOMChannel `);
});

it("is what the client sends, which stores the answer's id and the ids that find it in settlement", async () => {
  const gateway = createGateway({
    entities: [
      { id: ENTITY.id, baseUrl: server.url, accessToken: new Secret(ENTITY.token), testMode: 'EXTERNAL' },
    ],
  });
  const sent = await gateway.creditCard(cardCreditOrder());
  expect(sent).toMatchObject({
    kind: 'answered',
    httpStatus: 200,
    transaction: {
      type: 'credit',
      reference: 'P175',
      result: { code: '000.100.112' },
      cardLast4: '0042',
      settlement: {
        reconciliationId: 'P175',
        acquirerResponse: '00',
        clearingInstituteName: 'Postbank P.O.S. Transact GmbH',
        connectorTxIds: { ConnectorTxID3: expect.stringMatching(/^26K/) as unknown },
      },
    },
  });
  const found = await gateway.findByReference(ENTITY.id, 'P175');
  await gateway.close();
  expect(sent.kind === 'answered' && found.kind === 'found' && found.value[0]).toMatchObject({
    id: sent.kind === 'answered' ? sent.transaction.id : '',
    settlement: sent.kind === 'answered' ? sent.transaction.settlement : {},
    cardLast4: '0042',
  });
});
