/** Orders, settings and calls that are refused before a byte is sent. Their errors contain no secret. */
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../domain/secret.js';
import { GatewayInputError, GatewayMisuseError, GatewaySettingsError } from '../../gateway/errors.js';
import type { Gateway } from '../../gateway/gateway.js';
import { createGateway } from '../../gateway/oppwa/oppwa.js';
import type { EntitySettings } from '../../gateway/settings.js';
import { CARD_NUMBER, cardCreditOrder, ENTITY, gatewayAt, limits, refundOrder, TOKEN } from './orders.js';
import { startRawServer, type RawServer } from './raw-server.js';

let server: RawServer;
let gateway: Gateway;

beforeEach(async () => {
  server = await startRawServer();
  gateway = gatewayAt(server.url);
});

afterEach(async () => {
  await gateway.close();
  await server.close();
});

async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.unreachable('it was sent'),
    (error: unknown) => error,
  );
}

async function wrongFields(call: Promise<unknown>): Promise<string[]> {
  const error = await thrownBy(call);
  expect(error).toBeInstanceOf(GatewayInputError);
  expect(server.connections()).toBe(0);
  return error instanceof GatewayInputError ? error.wrong.map(({ field }) => field) : [];
}

describe('an order that does not have the form of the gateway', () => {
  it.each([
    '',
    ' ',
    '/',
    'xyz',
    '8AC7A4A289D210FC0189D5B4E9572CC8',
    `8ac7a4a289d210fc0189d5b4e9572cc8\n`,
    '../payments',
  ])('is not sent for the payment id %j: an empty one would create a payment', async (paymentId) => {
    expect(await wrongFields(gateway.refund(refundOrder({ paymentId })))).toEqual(['paymentId']);
    expect(await wrongFields(gateway.findWithLinked(ENTITY, paymentId))).toEqual(['paymentId']);
    expect(
      await wrongFields(
        gateway.reverse({ entityId: ENTITY, paymentId, merchantTransactionId: 'Rv01', limits: limits() }),
      ),
    ).toEqual(['paymentId']);
  });

  it.each([
    '0.00',
    '00.00',
    '92',
    '92.0',
    '92.000',
    '-1.00',
    '+1.00',
    '1e3',
    ' 1.00',
    '1,00',
    '12345678901.00',
    '٣.٠٠',
    '',
  ])('is not sent for the amount %j', async (amount) => {
    expect(await wrongFields(gateway.refund(refundOrder({ amount })))).toEqual(['amount']);
  });

  it.each(['eur', 'EURO', 'EU', '', 'EU1'])('is not sent for the currency %j', async (currency) => {
    expect(await wrongFields(gateway.refund(refundOrder({ currency })))).toEqual(['currency']);
  });

  it.each(['abc', 'a'.repeat(256), 'with space', 'a&amount=1.00', 'zoë-1'])(
    'is neither sent nor queried for the reference %j',
    async (merchantTransactionId) => {
      expect(await wrongFields(gateway.refund(refundOrder({ merchantTransactionId })))).toEqual([
        'merchantTransactionId',
      ]);
      expect(await wrongFields(gateway.findByReference(ENTITY, merchantTransactionId))).toEqual([
        'merchantTransactionId',
      ]);
    },
  );

  it.each([NaN, Infinity, -1])('is not sent with a limit of %d', async (limit) => {
    expect(
      await wrongFields(
        gateway.refund(
          refundOrder({
            limits: {
              openedAt: { monotonic: limit, wall: limit },
              sendWindow: limit,
              answerWithin: limit,
            },
          }),
        ),
      ),
    ).toEqual([
      'limits.openedAt.monotonic',
      'limits.openedAt.wall',
      'limits.sendWindow',
      'limits.answerWithin',
    ]);
  });

  it('is not sent to a registration without an id', async () => {
    const order = { ...refundOrder(), registrationId: '' };
    expect(await wrongFields(gateway.creditRegistration(order))).toEqual(['registrationId']);
    expect(await wrongFields(gateway.removeRegistration(ENTITY, '', limits()))).toEqual(['registrationId']);
  });

  it('is refused with all problems at once, with the allowed form and without the value', async () => {
    const error = await thrownBy(
      gateway.creditCard(
        cardCreditOrder({
          amount: '1',
          paymentBrand: 'VI SA',
          card: {
            number: `${CARD_NUMBER} `,
            holder: 'J\n',
            expiryMonth: '13',
            expiryYear: '27',
            cvv: '98765',
          },
          billing: { postcode: 'SW1A 1AA', country: 'gb', street1: '\ud800' },
          customer: { email: 'x', ip: '999.1.1.1', birthDate: '1980-13-01', phone: 'call me' },
        }),
      ),
    );
    expect(error).toBeInstanceOf(GatewayInputError);
    const reported = inspect(error, { depth: 9, showHidden: true });
    for (const field of [
      'amount',
      'paymentBrand',
      'card.number',
      'card.holder',
      'card.expiryMonth',
      'card.expiryYear',
      'card.cvv',
      'billing.postcode',
      'billing.country',
      'billing.street1',
      'customer.email',
      'customer.ip',
      'customer.birthDate',
      'customer.phone',
    ]) {
      expect(reported).toContain(`${field} must be `);
    }
    expect(reported).toContain('card.number must be 8 to 32 digits');
    for (const value of [CARD_NUMBER, '98765', 'SW1A', 'call me', TOKEN])
      expect(reported).not.toContain(value);
    expect(server.connections()).toBe(0);
  });

  it('is refused also where the types exclude it', async () => {
    const order = refundOrder();
    // As from a database or from JSON, with unchecked types.
    Object.assign(order, { amount: 92.5 });
    expect(await wrongFields(gateway.refund(order))).toEqual(['amount']);
  });
});

describe('a write at the wrong moment', () => {
  it('is refused, and a query is not', async () => {
    server.reply = (socket) => socket.destroy();
    const inTransaction = gatewayAt(server.url, { refuseWhen: () => 'a database transaction is open' });
    const error = await thrownBy(inTransaction.refund(refundOrder()));
    expect(error).toBeInstanceOf(GatewayMisuseError);
    expect(String(error)).toContain('a database transaction is open');
    expect(server.connections()).toBe(0);
    expect(await inTransaction.findByReference(ENTITY, 'Rf01')).toMatchObject({ kind: 'unavailable' });
    await inTransaction.close();
  });

  it('is checked anew for each write', async () => {
    let open = true;
    server.reply = (socket) => socket.destroy();
    const sometimes = gatewayAt(server.url, { refuseWhen: () => (open ? 'open' : undefined) });
    await thrownBy(sometimes.refund(refundOrder()));
    open = false;
    expect(await sometimes.refund(refundOrder())).toMatchObject({ kind: 'no_answer' });
    await sometimes.close();
  });
});

describe('an entity', () => {
  it('that is not configured is an error, and never guessed', async () => {
    const error = await thrownBy(gateway.refund(refundOrder({ entityId: 'f'.repeat(32) })));
    expect(error).toBeInstanceOf(GatewaySettingsError);
    expect(await thrownBy(gateway.findByReference('f'.repeat(32), 'Rf01'))).toBeInstanceOf(
      GatewaySettingsError,
    );
    expect(server.connections()).toBe(0);
  });

  const entity: EntitySettings = {
    id: ENTITY,
    baseUrl: 'https://eu-test.oppwa.com',
    accessToken: new Secret(TOKEN),
  };
  it.each<[string, readonly EntitySettings[]]>([
    ['that is there twice', [entity, entity]],
    ['with a bad id', [{ ...entity, id: 'X' }]],
    ['without encryption', [{ ...entity, baseUrl: 'http://eu-test.oppwa.com' }]],
    [
      'with a host that only looks like this machine',
      [{ ...entity, baseUrl: 'http://127.0.0.1.example.com' }],
    ],
    ['with a password in its address', [{ ...entity, baseUrl: `https://u:${TOKEN}@eu-test.oppwa.com` }]],
    ['with a query in its address', [{ ...entity, baseUrl: 'https://eu-test.oppwa.com/?a=1' }]],
    ['with no address', [{ ...entity, baseUrl: 'eu-test' }]],
    ['with a token that would break the head', [{ ...entity, accessToken: new Secret(`${TOKEN}\r\nx: y`) }]],
    ['that is missing altogether', []],
  ])('%s is refused at start, without showing its token', (_what, entities) => {
    let thrown: unknown;
    try {
      createGateway({ entities });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(GatewaySettingsError);
    expect(inspect(thrown, { showHidden: true, depth: 9 })).not.toContain(TOKEN);
  });

  it('may be on a production host or on this machine', async () => {
    for (const baseUrl of [
      'https://eu-prod.oppwa.com/',
      'http://localhost:1',
      'http://[::1]:1',
      'http://127.0.0.1:1',
    ]) {
      await createGateway({ entities: [{ ...entity, baseUrl }] }).close();
    }
    for (const wrong of [0, -1, 1.5, NaN]) {
      expect(() => createGateway({ entities: [entity], connections: wrong })).toThrow(GatewaySettingsError);
    }
  });
});

describe('the gateway client', () => {
  it('shows no token when it is printed', () => {
    const shown = inspect(gateway, { depth: 20, showHidden: true }) + JSON.stringify(gateway);
    expect(shown).not.toContain(TOKEN);
    expect(shown).toContain('refund');
  });
});
