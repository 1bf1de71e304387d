/** Decrypting webhooks: only a message that was encrypted with the gateway's key is accepted. */
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../domain/secret.js';
import { createWebhookReader, type SealedWebhook, type WebhookReading } from '../../gateway/oppwa/webhook.js';
import { encryptWebhook, type EncryptedWebhook } from '../../sandbox/gateway/webhooks.js';

const VECTOR_KEY = '000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f';
const ENTITY = '8ac7a4c79394bdc801939736f17e063d';
const OTHER = '8ac7a4c79394bdc801939736f17e063e';
const newKey = (): string => randomBytes(32).toString('hex');

const reader = (keys: Readonly<Record<string, readonly string[]>>) =>
  createWebhookReader(
    new Map(Object.entries(keys).map(([entity, own]) => [entity, own.map((key) => new Secret(key))])),
  );

const sealed = ({ headers, body }: EncryptedWebhook): SealedWebhook => ({
  initializationVector: headers['x-initialization-vector'],
  authenticationTag: headers['x-authentication-tag'],
  body: Buffer.from(body),
});

const REFUND = {
  id: '8ac7a4a1937a7e8f01937b5c3f5a1b2c',
  paymentType: 'RF',
  amount: '60.00',
  currency: 'EUR',
  merchantTransactionId: '0123456789ABCDEF',
  referencedId: '8ac7a4a1937a7e8f01937b5c3f5a1b2d',
  result: { code: '000.100.110', description: 'Request successfully processed' },
  timestamp: '2026-09-01 10:22:16.123+0000',
};
const payment = (payload: object = REFUND, entityId = ENTITY): string =>
  JSON.stringify({ type: 'PAYMENT', payload: { ...payload, authentication: { entityId } } });

function opened(reading: WebhookReading) {
  if (reading.kind !== 'read') throw new Error(`${reading.kind}: ${reading.why}`);
  return reading.notification;
}

describe("the vendor's published example", () => {
  const vector: SealedWebhook = {
    initializationVector: '000000000000000000000000',
    authenticationTag: 'CE573FB7A41AB78E743180DC83FF09BD',
    body: Buffer.from('0A3471C72D9BE49A8520F79C66BBD9A12FF9'),
  };
  const read = reader({ [ENTITY]: [VECTOR_KEY] });

  it('decrypts to {"type":"PAYMENT"}', () => {
    expect(read(vector)).toMatchObject({
      kind: 'read',
      notification: { kind: 'PAYMENT', entityId: ENTITY, transaction: null },
    });
  });

  it('decrypts in lower case, in the JSON wrapper, and with a key in upper case', () => {
    const small = vector.body.toString().toLowerCase();
    const tag = vector.authenticationTag?.toLowerCase();
    for (const body of [
      small,
      `{"encryptedBody":"${small}"}`,
      ` {"encryptedBody": "${small}"}\n`,
      `${small}\n`,
    ])
      expect(read({ ...vector, authenticationTag: tag, body: Buffer.from(body) })).toEqual(read(vector));
    expect(reader({ [ENTITY]: [VECTOR_KEY.toUpperCase()] })(vector)).toEqual(read(vector));
  });

  it('does not decrypt with any one bit of vector, tag or body changed', () => {
    const parts = {
      initializationVector: Buffer.from(vector.initializationVector ?? '', 'hex'),
      authenticationTag: Buffer.from(vector.authenticationTag ?? '', 'hex'),
      body: Buffer.from(vector.body.toString(), 'hex'),
    };
    for (const [name, bytes] of Object.entries(parts))
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const hex = changed.toString('hex');
        const forged = { ...vector, [name]: name === 'body' ? Buffer.from(hex) : hex };
        expect(read(forged), `${name}, bit ${bit}`).toEqual({ kind: 'refused', why: 'undecryptable' });
      }
  });

  it.each<[string, Partial<SealedWebhook>]>([
    ['no vector', { initializationVector: undefined }],
    ['no tag', { authenticationTag: undefined }],
    ['an empty vector', { initializationVector: '' }],
    ['a vector of 16 bytes', { initializationVector: '00'.repeat(16) }],
    ['a tag of 12 bytes', { authenticationTag: 'CE573FB7A41AB78E743180DC' }],
    [
      'two tags',
      { authenticationTag: `${vector.authenticationTag ?? ''}, ${vector.authenticationTag ?? ''}` },
    ],
    ['no body', { body: Buffer.alloc(0) }],
    ['half a byte', { body: Buffer.from('0A3') }],
    ['no hex', { body: Buffer.from('not hex at all') }],
    ['JSON without the body', { body: Buffer.from('{"body":"0A34"}') }],
    ['a number as body', { body: Buffer.from('{"encryptedBody":12}') }],
    ['two bodies', { body: Buffer.from('{"encryptedBody":"0A34","encryptedBody":"0A35"}') }],
    ['a broken wrapper', { body: Buffer.from('{"encryptedBody":"0A34"') }],
    ['bytes of any kind', { body: Buffer.from([0xff, 0xfe, 0x00, 0x0a]) }],
  ])('is malformed with %s', (_what, change) => {
    expect(read({ ...vector, ...change })).toEqual({ kind: 'refused', why: 'malformed' });
  });

  it('does not decrypt without a key', () => {
    expect(reader({})(vector)).toEqual({ kind: 'refused', why: 'undecryptable' });
  });
});

describe('keys', () => {
  it('of a rotation decrypt messages of the new one and of the old one', () => {
    const [before, after] = [newKey(), newKey()];
    const read = reader({ [ENTITY]: [after, before] });
    for (const key of [before, after])
      expect(opened(read(sealed(encryptWebhook(key, payment())))).transaction?.id).toBe(REFUND.id);
    expect(reader({ [ENTITY]: [after] })(sealed(encryptWebhook(before, payment())))).toEqual({
      kind: 'refused',
      why: 'undecryptable',
    });
  });

  it('of one entity are not accepted for another one', () => {
    const [own, others] = [newKey(), newKey()];
    const read = reader({ [ENTITY]: [own], [OTHER]: [others] });
    expect(opened(read(sealed(encryptWebhook(own, payment())))).entityId).toBe(ENTITY);
    expect(opened(read(sealed(encryptWebhook(others, payment(REFUND, OTHER))))).entityId).toBe(OTHER);
    expect(read(sealed(encryptWebhook(others, payment())))).toEqual({
      kind: 'refused',
      why: 'foreign_entity',
    });
  });

  it('of an entity that is not configured here make the message ignored, without another delivery', () => {
    const own = newKey();
    const read = reader({ [ENTITY]: [own] });
    const elsewhere = 'f'.repeat(32);
    expect(read(sealed(encryptWebhook(own, payment(REFUND, elsewhere))))).toEqual({
      kind: 'ignored',
      why: 'unknown_entity',
      entityId: elsewhere,
    });
    expect(read(sealed(encryptWebhook(own, payment(REFUND, '4111 1111 1111 1111'))))).toEqual({
      kind: 'ignored',
      why: 'unknown_entity',
      entityId: null,
    });
    const ping = JSON.stringify({ type: 'test', payload: { authentication: { entityId: elsewhere } } });
    expect(read(sealed(encryptWebhook(own, ping))).kind).toBe('ignored');
  });

  it('of two entities together are accepted for both, if the message names the entity', () => {
    const shared = newKey();
    const read = reader({ [ENTITY]: [shared], [OTHER]: [shared.toUpperCase()] });
    for (const entityId of [ENTITY, OTHER])
      expect(opened(read(sealed(encryptWebhook(shared, payment(REFUND, entityId))))).entityId).toBe(entityId);
    const nameless = JSON.stringify({ type: 'PAYMENT', payload: REFUND });
    expect(read(sealed(encryptWebhook(shared, nameless)))).toEqual({
      kind: 'ignored',
      why: 'names_no_entity',
      entityId: null,
    });
  });
});

describe('the result', () => {
  const key = newKey();
  const read = reader({ [ENTITY]: [key] });
  const reading = (content: unknown) =>
    opened(
      read(sealed(encryptWebhook(key, typeof content === 'string' ? content : JSON.stringify(content)))),
    );

  it('is the transaction, and no data of card, holder or customer', () => {
    const notification = reading(
      payment({
        ...REFUND,
        card: { bin: '420000', last4Digits: '0000', holder: 'Jane Jones', number: '4200000000000000' },
        customer: { email: 'jane@example.org', givenName: 'Jane' },
        billing: { street1: '1 Some Street' },
        shortId: '1234.5678.9012',
        result: { ...REFUND.result, description: 'refused for card 4200 0000 0000 0000' },
      }),
    );
    expect(notification.transaction).toMatchObject({ id: REFUND.id, amount: '60.00', currency: 'EUR' });
    const kept = inspect(notification, { depth: 9 });
    for (const secret of ['4200', '420000', 'Jane', 'jane@', 'Some Street'])
      expect(kept, secret).not.toContain(secret);
  });

  it('has one natural key for each fact: id, code and time', () => {
    const first = reading(payment());
    expect(reading(payment({ ...REFUND, shortId: 'another delivery' })).naturalKey).toBe(first.naturalKey);
    const others = [
      { ...REFUND, id: '8ac7a4a1937a7e8f01937b5c3f5a1b2e' },
      { ...REFUND, result: { ...REFUND.result, code: '800.400.502' } },
      { ...REFUND, timestamp: '2026-09-01 10:22:16.124+0000' },
    ];
    const keys = new Set([first, ...others.map((other) => reading(payment(other)))].map((n) => n.naturalKey));
    expect(keys.size).toBe(4);
  });

  it('without id or time has its text as key', () => {
    const [{ id: _id, ...nameless }, { timestamp: _time, ...timeless }] = [REFUND, REFUND];
    for (const payload of [nameless, timeless]) {
      expect(reading(payment(payload)).naturalKey).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(reading(payment(payload)).naturalKey).toBe(reading(payment(payload)).naturalKey);
    }
  });

  it("of the administration's ping belongs to no entity", () => {
    const ping = { type: 'test', action: 'webhook activation', payload: { result: REFUND.result } };
    expect(reading(ping)).toMatchObject({ kind: 'TEST', entityId: null });
  });

  it.each([
    ['REGISTRATION', 'REGISTRATION'],
    ['SCHEDULE', 'SCHEDULE'],
    ['RISK', 'RISK'],
    ['payment', 'PAYMENT'],
    ['SOMETHING_NEW', 'OTHER'],
  ])('of the type %s is a %s', (type, kind) => {
    const content = { type, action: 'CREATED', payload: { ...REFUND, authentication: { entityId: ENTITY } } };
    expect(reading(content)).toMatchObject({ kind, entityId: ENTITY });
  });

  it.each<[string, string]>([
    ['no JSON', 'hello'],
    ['a list', '[]'],
    ['nothing', ' '],
    ['no type', '{"payload":{}}'],
    ['no payload', '{"type":"PAYMENT"}'],
    ['a payload of text', '{"type":"PAYMENT","payload":"x"}'],
    ['no result', payment({ id: REFUND.id })],
    ['a number as id', payment({ ...REFUND, id: 17 })],
    ['an amount twice', payment().replace('"amount"', '"amount":"1.00","amount"')],
    ['a NUL', payment({ ...REFUND, merchantTransactionId: 'a\u0000b' })],
    ['a time without end', payment({ ...REFUND, timestamp: '9'.repeat(10_000) })],
  ])('with %s has no transaction, and nothing is thrown', (_what, content) => {
    expect(reading(content).transaction).toBeNull();
  });

  it('of random bytes is never an exception', () => {
    for (let times = 0; times < 200; times += 1) {
      const clear = randomBytes(times).toString('utf8');
      if (clear === '') continue;
      expect(reading(clear).transaction).toBeNull();
    }
  });
});
