/** Answers that a server or a proxy compressed without a request for it: a refund's outcome is read, and nothing crashes. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENTITY, gatewayAt, PAYMENT, refunded, shown, refundOrder } from './orders.js';
import { answer, startRawServer, type RawServer } from './raw-server.js';
import type { Gateway } from '../../gateway/gateway.js';
import type { GatewayOptions } from '../../gateway/settings.js';

const success = JSON.stringify(refunded);
const open: { close(): Promise<void> }[] = [];
let server: RawServer;

beforeEach(async () => {
  server = await startRawServer();
  open.push(server);
});

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

function gateway(options: Partial<GatewayOptions> = {}): Gateway {
  const client = gatewayAt(server.url, options);
  open.push(client);
  return client;
}

/** Returns a whole answer of these bytes, with the given `content-encoding`. */
function send(socket: Socket, encoding: string, bytes: Buffer, status = 200): void {
  socket.write(
    `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\n${encoding}\r\ncontent-length: ${bytes.length}\r\n\r\n`,
  );
  socket.write(bytes);
}

const codings: [string, string, Buffer][] = [
  ['gzip', 'content-encoding: gzip', gzipSync(success)],
  ['gzip in capitals', 'Content-Encoding: GZIP', gzipSync(success)],
  ['x-gzip', 'content-encoding: x-gzip', gzipSync(success)],
  ['deflate', 'content-encoding: deflate', deflateSync(success)],
  ['deflate without its header', 'content-encoding: deflate', deflateRawSync(success)],
  ['br', 'content-encoding: br', brotliCompressSync(success)],
  ['identity', 'content-encoding: identity', Buffer.from(success)],
  ['an empty name', 'content-encoding:', Buffer.from(success)],
  ['two, one after the other', 'content-encoding: deflate, gzip', gzipSync(deflateSync(success))],
  [
    'two, in two headers',
    'content-encoding: br\r\ncontent-encoding: gzip',
    gzipSync(brotliCompressSync(success)),
  ],
];

describe('a compressed answer', () => {
  it.each(codings)('to a refund is read: %s', async (_name, header, bytes) => {
    server.reply = (socket) => send(socket, header, bytes);
    expect(await gateway().refund(refundOrder())).toEqual({
      kind: 'answered',
      httpStatus: 200,
      transaction: shown(refunded),
    });
    expect(server.requests.length).toBe(1);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('to a query is read: %s', async (coding, compress) => {
    const list = JSON.stringify({ result: { code: '000.000.100' }, records: [refunded] });
    server.reply = (socket) => send(socket, `content-encoding: ${coding}`, compress(Buffer.from(list)));
    expect(await gateway().findByReference(ENTITY, 'Rf00000000000001')).toEqual({
      kind: 'found',
      value: [shown(refunded)],
    });
  });

  it('of a decline is a decline', async () => {
    const declined = { result: { code: '800.100.152', description: 'declined' } };
    server.reply = (socket) =>
      send(socket, 'content-encoding: gzip', gzipSync(JSON.stringify(declined)), 400);
    expect(await gateway().refund(refundOrder())).toMatchObject({
      kind: 'answered',
      httpStatus: 400,
      transaction: declined,
    });
  });

  it('with an empty body is as empty as one without a coding', async () => {
    server.reply = (socket) => send(socket, 'content-encoding: gzip', Buffer.alloc(0), 502);
    expect(await gateway().refund(refundOrder())).toEqual({
      kind: 'no_answer',
      why: 'not_json',
      httpStatus: 502,
    });
  });

  it('leaves the connection usable for the next request', async () => {
    server.reply = (socket) => send(socket, 'content-encoding: gzip', gzipSync(success));
    const client = gateway({ connections: 1 });
    await client.refund(refundOrder());
    expect(await client.refund(refundOrder())).toMatchObject({ kind: 'answered' });
    expect(server.connections()).toBe(1);
  });
});

describe('a compressed answer that cannot be read', () => {
  const bomb = Buffer.alloc(64 * 1024 * 1024, ' ');
  it.each([
    ['gzip', gzipSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['br', brotliCompressSync(bomb)],
    ['gzip, gzip', gzipSync(gzipSync(bomb))],
  ])('because it is a bomb is too large: %s', async (coding, bytes) => {
    expect(bytes.length).toBeLessThan(1024 * 1024);
    server.reply = (socket) => send(socket, `content-encoding: ${coding}`, bytes);
    expect(await gateway().refund(refundOrder())).toEqual({
      kind: 'no_answer',
      why: 'body_too_large',
      httpStatus: 200,
    });
    server.reply = (socket) => socket.write(answer(200, success));
    expect(await gateway().refund(refundOrder())).toMatchObject({ kind: 'answered' });
  });

  it('is limited by its decoded size', async () => {
    server.reply = (socket) => send(socket, 'content-encoding: gzip', gzipSync(success));
    const limit = Buffer.byteLength(success);
    expect(await gateway({ maxBodyBytes: limit }).refund(refundOrder())).toMatchObject({ kind: 'answered' });
    expect(await gateway({ maxBodyBytes: limit - 1 }).refund(refundOrder())).toEqual({
      kind: 'no_answer',
      why: 'body_too_large',
      httpStatus: 200,
    });
  });

  it.each([
    ['an unknown coding', 'zstd-of-tomorrow', Buffer.from(success)],
    ['no coding of that name', 'gzip', Buffer.from(success)],
    ['half of one', 'gzip', gzipSync(success).subarray(0, 40)],
    ['half of a br', 'br', brotliCompressSync(success).subarray(0, 40)],
    ['more codings than any server makes', Array(9).fill('identity').join(', '), Buffer.from(success)],
  ])('because it has %s', async (_what, coding, bytes) => {
    server.reply = (socket) => send(socket, `content-encoding: ${coding}`, bytes);
    expect(await gateway().refund(refundOrder())).toEqual({
      kind: 'no_answer',
      why: 'not_decodable',
      httpStatus: 200,
    });
    expect(await gateway().findByReference(ENTITY, 'Rf00000000000001')).toEqual({
      kind: 'unavailable',
      why: 'not_decodable',
      httpStatus: 200,
    });
  });
});

it('no request asks for a compressed answer', async () => {
  server.reply = (socket) => socket.write(answer(200, success));
  const client = gateway();
  await client.refund(refundOrder());
  await client.findByReference(ENTITY, 'Rf00000000000001');
  await client.findWithLinked(ENTITY, PAYMENT);
  await client.resultCodes(ENTITY);
  expect(server.requests.length).toBeGreaterThanOrEqual(4);
  for (const { headers } of server.requests) expect(headers.get('accept-encoding')).toBe('identity');
});
