/** Tests the product's gateway client with the simulator: how it classifies each kind of answer. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../domain/secret.js';
import type { Gateway, SendLimits } from '../../gateway/gateway.js';
import { machineClock } from '../../gateway/http/clock.js';
import { createGateway } from '../../gateway/oppwa/oppwa.js';
import type { FaultEffect } from '../../sandbox/gateway/faults.js';
import { startGatewayServer, type GatewayServer } from '../../sandbox/gateway/server.js';
import { ENTITY } from './gateway-harness.js';

const REFERENCE = 'Rf00000000000001';

let server: GatewayServer;
let gateway: Gateway;
let paymentId: string;

beforeEach(async () => {
  server = await startGatewayServer({ entities: [ENTITY] });
  gateway = createGateway({
    entities: [{ id: ENTITY.id, baseUrl: server.url, accessToken: new Secret(ENTITY.token) }],
  });
  paymentId = server.engine.createPayment({ type: 'DB', amount: 100_00n, currency: 'EUR' }).paymentId;
});

afterEach(async () => {
  await gateway.close();
  await server.close();
});

const limits = (answerWithin = 5_000): SendLimits => ({
  openedAt: machineClock(),
  sendWindow: 5_000,
  answerWithin,
});
const order = { entityId: ENTITY.id, merchantTransactionId: REFERENCE, amount: '40.00', currency: 'EUR' };
const refund = (answerWithin?: number): ReturnType<Gateway['refund']> =>
  gateway.refund({ ...order, paymentId, limits: limits(answerWithin) });

it('a refund is answered, found by its reference and found among the linked transactions of the payment', async () => {
  const sent = await refund();
  expect(sent).toMatchObject({
    kind: 'answered',
    transaction: { type: 'refund', amount: '40.00', referencedId: paymentId },
  });
  const found = await gateway.findByReference(ENTITY.id, REFERENCE);
  expect(found).toMatchObject({
    kind: 'found',
    value: [{ type: 'refund', reference: REFERENCE }],
  });
  const tree = await gateway.findWithLinked(ENTITY.id, paymentId);
  expect(tree).toMatchObject({
    kind: 'found',
    value: {
      original: { id: paymentId, type: 'debit' },
      linked: [{ type: 'refund', amount: '40.00' }],
    },
  });
});

it('credits go to a card and to a registration; an authorization is reversed', async () => {
  const card = { number: '4200000000000000', holder: 'Jane Jones', expiryMonth: '05', expiryYear: '2034' };
  const byCard = await gateway.creditCard({ ...order, paymentBrand: 'VISA', card, limits: limits() });
  expect(byCard).toMatchObject({
    kind: 'answered',
    transaction: { type: 'credit', paymentBrand: 'VISA' },
  });
  const { paymentId: authorization, registrationId } = server.engine.createPayment({
    type: 'PA',
    amount: 5_00n,
    currency: 'EUR',
  });
  const byToken = await gateway.creditRegistration({ ...order, registrationId, limits: limits() });
  expect(byToken).toMatchObject({ kind: 'answered', transaction: { type: 'credit', amount: '40.00' } });
  const reversed = await gateway.reverse({ ...order, paymentId: authorization, limits: limits() });
  expect(reversed).toMatchObject({
    kind: 'answered',
    transaction: { type: 'reversal', referencedId: authorization },
  });
});

it('the published result codes can be read', async () => {
  const codes = await gateway.resultCodes(ENTITY.id);
  expect(codes.kind === 'found' && codes.value.map(({ code }) => code)).toContain('700.400.200');
});

describe('an unusable answer to a refund that was executed', () => {
  it.each<[FaultEffect, string]>([
    [{ kind: 'accept_then_drop' }, 'connection_lost'],
    [{ kind: 'answer_after', ms: 2_000 }, 'timeout'],
    [{ kind: 'http_error', status: 502, executed: true }, 'not_json'],
    [
      { kind: 'http_error', status: 307, executed: true, location: 'http://127.0.0.1:1/' },
      'destination_changed',
    ],
    [{ kind: 'broken_body', form: 'truncated' }, 'not_json'],
    [{ kind: 'broken_body', form: 'garbage' }, 'not_json'],
    [{ kind: 'broken_body', form: 'no_result' }, 'no_result_code'],
    [{ kind: 'broken_body', form: 'cut_off' }, 'body_cut_off'],
    [{ kind: 'broken_body', form: 'huge' }, 'body_too_large'],
  ])('%o is %s, and the query finds the refund', async (effect, why) => {
    server.engine.setFault({ effect });
    expect(await refund(effect.kind === 'answer_after' ? 200 : undefined)).toMatchObject({
      kind: 'no_answer',
      why,
    });
    expect(server.engine.executedByReference(REFERENCE)).toBe(1);
    expect(await gateway.findByReference(ENTITY.id, REFERENCE)).toMatchObject({ kind: 'found' });
  });
});

describe('answers that are compressed although the client did not ask for it', () => {
  it.each(['gzip', 'deflate', 'br'] as const)('%s: a refund is answered and found', async (contentCoding) => {
    server.engine.changeSettings({ contentCoding });
    expect(await refund()).toMatchObject({ kind: 'answered', transaction: { amount: '40.00' } });
    expect(await gateway.findByReference(ENTITY.id, REFERENCE)).toMatchObject({ kind: 'found' });
    expect(await gateway.findWithLinked(ENTITY.id, paymentId)).toMatchObject({ kind: 'found' });
  });

  it.each([
    ['an unknown coding', 'unknown', undefined, 'not_decodable'],
    ['4 MiB in a few kilobytes', 'gzip', 'huge', 'body_too_large'],
  ] as const)('%s is an unknown outcome', async (_name, contentCoding, form, why) => {
    server.engine.changeSettings({ contentCoding });
    if (form !== undefined) server.engine.setFault({ effect: { kind: 'broken_body', form } });
    expect(await refund()).toEqual({ kind: 'no_answer', why, httpStatus: 200 });
    expect(server.engine.executedByReference(REFERENCE)).toBe(1);
  });
});

describe('a query without a usable answer', () => {
  it.each([
    ['throttled', { kind: 'unavailable', why: 'throttled' }],
    ['html', { kind: 'unavailable', why: 'not_json' }],
    ['drop', { kind: 'unavailable', why: 'connection_lost' }],
    ['empty', { kind: 'not_found' }],
  ] as const)('because it is %s', async (how, expected) => {
    await refund();
    server.engine.setFault({ times: 'always', effect: { kind: 'query', how } });
    expect(await gateway.findByReference(ENTITY.id, REFERENCE)).toMatchObject(expected);
  });
});
