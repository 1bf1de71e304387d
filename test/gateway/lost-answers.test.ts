/** Outcomes of orders when network or gateway misbehave: an order that may have left is never called unsent, nor sent twice. */
import { readFile } from 'node:fs';
import { createServer as createNetServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SendResult } from '../../domain/transaction.js';
import { machineClock } from '../../gateway/http/clock.js';
import type { Gateway } from '../../gateway/gateway.js';
import type { GatewayOptions } from '../../gateway/settings.js';
import {
  CARD_NUMBER,
  cardCreditOrder,
  gatewayAt,
  limits,
  refunded,
  refundOrder,
  shown,
  TOKEN,
} from './orders.js';
import { answer, listen, startRawServer, type RawServer } from './raw-server.js';
import { selfSigned } from './self-signed.js';

let server: RawServer;
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  server = await startRawServer((socket) => socket.write(answer(200, JSON.stringify(refunded))));
  open.push(server);
});

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

function gateway(options: Partial<GatewayOptions> = {}, baseUrl = server.url): Gateway {
  const client = gatewayAt(baseUrl, options);
  open.push(client);
  return client;
}

function expectOnce(): void {
  expect(server.requests.length).toBe(1);
}

describe('a refund that certainly never left', () => {
  it('is not sent if no server listens', async () => {
    await server.close();
    expect(await gateway().refund(refundOrder())).toEqual({ kind: 'not_sent', why: 'refused' });
  });

  it('is not sent if the host has no address', async () => {
    const nowhere = gateway({}, 'https://gateway.invalid');
    expect(await nowhere.refund(refundOrder())).toEqual({ kind: 'not_sent', why: 'dns' });
  });

  it('is not sent if the other side does not speak TLS', async () => {
    server.onConnection = (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    const client = gateway({}, server.url.replace('http:', 'https:'));
    expect(await client.refund(refundOrder())).toEqual({ kind: 'not_sent', why: 'tls' });
    expect(server.requests).toEqual([]);
  });

  it('is not sent if no cipher is shared', async () => {
    const port = await openTls({});
    const client = gateway({}, `https://127.0.0.1:${port}`);
    expect(await client.refund(refundOrder())).toEqual({ kind: 'not_sent', why: 'tls' });
  });

  it('is not sent if the certificate is not trusted, and the token stays here', async () => {
    const received: string[] = [];
    const port = await openTls(selfSigned(), (text) => received.push(text));
    const client = gateway({}, `https://127.0.0.1:${port}`);
    expect(await client.refund(refundOrder())).toEqual({ kind: 'not_sent', why: 'tls' });
    expect(received).toEqual([]);
  });

  it('is not sent if the connection is never established', async () => {
    const client = gateway({ connectTimeoutMs: 100 }, server.url.replace('http:', 'https:'));
    expect(await client.refund(refundOrder())).toEqual({ kind: 'not_sent', why: 'connect_timeout' });
  });

  it('is not sent if the connection is not established by the deadline', async () => {
    const client = gateway({}, server.url.replace('http:', 'https:'));
    const result = await client.refund(refundOrder({ limits: limits(5_000, 50) }));
    expect(result).toEqual({ kind: 'not_sent', why: 'deadline_passed' });
  });

  it('is not sent if its deadline has passed before the call', async () => {
    const result = await gateway().refund(refundOrder({ limits: limits(5_000, -1) }));
    expect(result).toEqual({ kind: 'not_sent', why: 'deadline_passed' });
    expect(server.connections()).toBe(0);
  });

  it('is not sent if the process was suspended past the deadline, with an open connection at hand', async () => {
    const client = gateway();
    await client.refund(refundOrder());
    // From an I/O callback the connection is used before any timer has run: only the check in the sending tick can prevent it.
    const late = await new Promise<SendResult>((resolve, reject) => {
      readFile(new URL(import.meta.url), () => {
        client.refund(refundOrder({ limits: limits(5_000, 20) })).then(resolve, reject);
        const until = performance.now() + 40;
        while (performance.now() < until);
      });
    });
    expect(late).toEqual({ kind: 'not_sent', why: 'deadline_passed' });
    await client.refund(refundOrder());
    expect(server.requests.length).toBe(2);
  });

  it.each([
    ['was suspended while it connected', 60_000],
    ['had its clock set back while it connected', -60_000],
  ])('is not sent when the machine %s', async (_name, jump) => {
    let asked = 0;
    const client = gateway({
      clock: () => {
        const { monotonic, wall } = machineClock();
        asked += 1;
        // The call itself is in time; the machine is suspended before the request is handed to the socket.
        return { monotonic, wall: asked > 1 ? wall + jump : wall };
      },
    });
    expect(await client.refund(refundOrder())).toEqual({ kind: 'not_sent', why: 'deadline_passed' });
    expect(server.requests).toEqual([]);
  });

  it('never leaves if its deadline passed while it waited for a connection', async () => {
    const client = gateway({ connections: 1 });
    const ok = answer(200, JSON.stringify(refunded));
    let answerFirst: () => void = () => undefined;
    server.reply = (socket, _request, nth) => {
      if (nth === 1) answerFirst = () => socket.write(ok);
      else socket.write(ok);
    };
    const first = client.refund(refundOrder());
    await server.untilRequests(1);
    const waited = await client.refund(
      refundOrder({ merchantTransactionId: 'TooLate0', limits: limits(5_000, 30) }),
    );
    expect(waited).toEqual({ kind: 'not_sent', why: 'deadline_passed' });

    // The connection becomes free, and the next request is the next one sent.
    const third = client.refund(refundOrder({ merchantTransactionId: 'Third000' }));
    answerFirst();
    expect(await first).toMatchObject({ kind: 'answered' });
    expect(await third).toMatchObject({ kind: 'answered' });
    expect(server.requests.map(({ fields }) => Object.fromEntries(fields)['merchantTransactionId'])).toEqual([
      'Rf00000000000001',
      'Third000',
    ]);
  });

  it('is not sent by a closed client, which waits for the requests that it has sent', async () => {
    const client = gateway();
    server.reply = (socket) => setTimeout(() => socket.write(answer(200, JSON.stringify(refunded))), 50);
    const running = client.refund(refundOrder());
    await server.untilRequests(1);
    const closing = client.close();
    expect(await client.refund(refundOrder())).toEqual({ kind: 'not_sent', why: 'closed' });
    expect(await running).toMatchObject({ kind: 'answered' });
    await closing;
    expectOnce();
  });
});

describe('a refund that may have left', () => {
  it.each<[string, string]>([
    ['the connection is closed at once', 'on connection'],
    ['the connection is closed when the request was read', 'on request'],
  ])('has no answer when %s', async (_what, when) => {
    if (when === 'on connection') server.onConnection = (socket) => socket.destroy();
    else server.reply = (socket) => socket.end();
    expect(await gateway().refund(refundOrder())).toEqual({ kind: 'no_answer', why: 'connection_lost' });
    expect(server.requests.length).toBeLessThanOrEqual(1);
    expect(server.connections()).toBe(1);
  });

  const success = JSON.stringify(refunded);
  it.each<[string, string, SendResult]>([
    ['the head breaks off', 'HTTP/1.1 200 OK\r\ncontent-ty', { kind: 'no_answer', why: 'connection_lost' }],
    ['the answer is not HTTP', '220 mail ready\r\n\r\n', { kind: 'no_answer', why: 'connection_lost' }],
    [
      'the body breaks off',
      `HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n${success}`,
      { kind: 'no_answer', why: 'body_cut_off', httpStatus: 200, ids: [refunded.id] },
    ],
    [
      'the body breaks off on a connection that was to be closed',
      `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9999\r\n\r\n${success}`,
      { kind: 'no_answer', why: 'body_cut_off', httpStatus: 200, ids: [refunded.id] },
    ],
    [
      'a chunked body breaks off',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${success.length.toString(16)}\r\n${success}\r\n`,
      { kind: 'no_answer', why: 'body_cut_off', httpStatus: 200, ids: [refunded.id] },
    ],
    [
      'a chunk has no length',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n${success}\r\n`,
      { kind: 'no_answer', why: 'body_cut_off', httpStatus: 200 },
    ],
    [
      'the body ends in the middle of its JSON',
      `HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${success.slice(0, -5)}`,
      { kind: 'no_answer', why: 'not_json', httpStatus: 200, ids: [refunded.id] },
    ],
  ])('has no answer when %s', async (_what, bytes, expected) => {
    server.reply = (socket) => socket.end(bytes);
    expect(await gateway().refund(refundOrder())).toEqual(expected);
    expectOnce();
  });

  it.each<[string, number, string, SendResult]>([
    [
      'a page of a proxy',
      502,
      '<html>Bad Gateway</html>',
      { kind: 'no_answer', why: 'not_json', httpStatus: 502 },
    ],
    [
      'a page of a firewall',
      403,
      '<html>Denied</html>',
      { kind: 'no_answer', why: 'not_json', httpStatus: 403 },
    ],
    ['an empty body', 200, '', { kind: 'no_answer', why: 'not_json', httpStatus: 200 }],
    ['an array', 200, `[${success}]`, { kind: 'no_answer', why: 'not_json', httpStatus: 200 }],
    ['a number', 200, '1', { kind: 'no_answer', why: 'not_json', httpStatus: 200 }],
    ['a text', 200, '"000.000.000"', { kind: 'no_answer', why: 'not_json', httpStatus: 200 }],
    ['null', 200, 'null', { kind: 'no_answer', why: 'not_json', httpStatus: 200 }],
    [
      'no result',
      200,
      '{"id":"x"}',
      { kind: 'no_answer', why: 'no_result_code', httpStatus: 200, ids: ['x'] },
    ],
    [
      'an error of the gateway with the id of a transaction',
      503,
      JSON.stringify({ ...refunded, result: undefined }),
      { kind: 'no_answer', why: 'no_result_code', httpStatus: 503, ids: [refunded.id] },
    ],
    [
      'an id given twice',
      200,
      `{"id":"x","result":{"code":"000.000.000","id":"inner"},"id":"y"}`,
      { kind: 'no_answer', why: 'not_json', httpStatus: 200, ids: ['x', 'y'] },
    ],
    [
      'an id cut off itself',
      200,
      '{"paymentType":"RF","id":"8ac7a4a1886',
      { kind: 'no_answer', why: 'not_json', httpStatus: 200 },
    ],
    ['a 401 without a result', 401, '{}', { kind: 'no_answer', why: 'no_result_code', httpStatus: 401 }],
    ['a 429 without a result', 429, '{}', { kind: 'no_answer', why: 'no_result_code', httpStatus: 429 }],
  ])('has no usable answer when it is %s', async (_what, status, body, expected) => {
    server.reply = (socket) => socket.write(answer(status, body));
    expect(await gateway().refund(refundOrder())).toEqual(expected);
    expectOnce();
  });

  it.each([200, 400, 401, 403, 429, 500, 503])(
    'is answered by the body, whatever the status %d says',
    async (status) => {
      const declined = { result: { code: '800.100.152', description: 'declined' } };
      server.reply = (socket) => socket.write(answer(status, JSON.stringify(declined)));
      expect(await gateway().refund(refundOrder())).toEqual({
        kind: 'answered',
        httpStatus: status,
        transaction: shown(declined),
      });
      expectOnce();
    },
  );

  it('is returned as answered if the answer does not agree with the order: the client does not judge it', async () => {
    const other = { ...refunded, id: 'f'.repeat(32), amount: '9200.00', currency: 'JPY', paymentType: 'DB' };
    server.reply = (socket) => socket.write(answer(200, JSON.stringify(other)));
    expect(await gateway().refund(refundOrder())).toMatchObject({
      kind: 'answered',
      transaction: shown(other),
    });
  });

  it('takes the answer after an interim one', async () => {
    server.reply = (socket) => socket.write(`HTTP/1.1 103 Early Hints\r\n\r\n${answer(200, success)}`);
    expect(await gateway().refund(refundOrder())).toMatchObject({ kind: 'answered', httpStatus: 200 });
    expectOnce();
  });

  it('has no answer when there is only an interim one', async () => {
    server.reply = (socket) => socket.end('HTTP/1.1 103 Early Hints\r\n\r\n');
    expect(await gateway().refund(refundOrder())).toEqual({ kind: 'no_answer', why: 'connection_lost' });
    expectOnce();
  });

  it('does not lend its late answer to the next refund', async () => {
    const client = gateway({ connections: 1 });
    const late = { ...refunded, merchantTransactionId: 'Late0001' };
    let answerLate: () => void = () => undefined;
    server.reply = (socket, _request, nth) => {
      if (nth === 1) answerLate = () => socket.write(answer(200, JSON.stringify(late)));
      else socket.write(answer(200, success));
    };
    const lost = await client.refund(refundOrder({ merchantTransactionId: 'Late0001', limits: limits(60) }));
    expect(lost).toEqual({ kind: 'no_answer', why: 'timeout' });
    const next = client.refund(refundOrder());
    answerLate();
    expect(await next).toMatchObject({ kind: 'answered', transaction: shown(refunded) });
    expect(server.connections()).toBe(2);
  });

  it('has no answer when none comes in time', async () => {
    server.reply = () => undefined;
    const result = await gateway().refund(refundOrder({ limits: limits(60) }));
    expect(result).toEqual({ kind: 'no_answer', why: 'timeout' });
    expectOnce();
  });

  it('has no answer in time if it comes drop by drop, each drop soon after the last', async () => {
    server.reply = (socket) => {
      const whole = answer(200, success);
      let at = 0;
      const drip = setInterval(() => socket.write(whole.slice(at, (at += 2))), 10);
      socket.on('close', () => clearInterval(drip));
    };
    // The whole answer takes more than a second, and would be a success.
    const result = await gateway().refund(refundOrder({ limits: limits(200) }));
    expect(result).toMatchObject({ kind: 'no_answer', why: 'timeout' });
    expectOnce();
  });

  it.each([
    ['with a length', 'content-length: 3000000\r\n\r\n'],
    ['without a length', 'connection: close\r\n\r\n'],
  ])('has no answer if the body is too large, %s, and reading stops', async (_how, rest) => {
    server.reply = (socket) => socket.end(`HTTP/1.1 200 OK\r\n${rest}${'x'.repeat(3_000_000)}`);
    const client = gateway({ maxBodyBytes: 10_000, connections: 1 });
    expect(await client.refund(refundOrder())).toEqual({
      kind: 'no_answer',
      why: 'body_too_large',
      httpStatus: 200,
    });
    server.reply = (socket) => socket.write(answer(200, success));
    expect(await client.refund(refundOrder())).toMatchObject({ kind: 'answered' });
    expect(server.connections()).toBe(2);
  });

  it('is answered by a body of exactly the limit', async () => {
    server.reply = (socket) => socket.write(answer(200, success));
    const client = gateway({ maxBodyBytes: Buffer.byteLength(success) });
    expect(await client.refund(refundOrder())).toMatchObject({ kind: 'answered' });
  });

  it('is not sent a second time when a kept connection turns out to be dead', async () => {
    const client = gateway({ connections: 1 });
    const result: string[] = [];
    for (let nth = 1; nth <= 9; nth += 1) {
      // Every second request meets a connection that is reset as soon as the request is there.
      server.reply = (socket, _request, seen) => {
        if (seen % 2 === 1) socket.write(answer(200, success));
        else socket.resetAndDestroy();
      };
      result.push((await client.refund(refundOrder({ merchantTransactionId: `Nth0000${nth}` }))).kind);
    }
    expect(result).toEqual(Array.from({ length: 9 }, (_, i) => (i % 2 === 0 ? 'answered' : 'no_answer')));
    expect(server.requests.map(({ fields }) => Object.fromEntries(fields)['merchantTransactionId'])).toEqual(
      Array.from({ length: 9 }, (_, i) => `Nth0000${i + 1}`),
    );
  });

  it('is sent once over a new connection when the kept one was closed in between', async () => {
    const client = gateway({ connections: 1 });
    server.reply = (socket, _request, seen) => {
      if (seen === 1) socket.end(answer(200, success));
      else socket.write(answer(200, success));
    };
    const closed = new Promise<void>((resolve) => {
      server.onConnection = (socket) => socket.on('close', () => resolve());
    });
    await client.refund(refundOrder());
    await closed;
    expect(await client.refund(refundOrder())).toMatchObject({ kind: 'answered' });
    expect(server.requests.length).toBe(2);
    expect(server.connections()).toBe(2);
  });

  it('is sent exactly once, also with many in flight', async () => {
    server.reply = (socket, _request, seen) => {
      if (seen % 3 === 0) socket.resetAndDestroy();
      else socket.write(answer(200, success));
    };
    const client = gateway({ connections: 8 });
    const references = Array.from({ length: 200 }, (_, i) => `Many${String(i).padStart(4, '0')}`);
    const results = await Promise.all(
      references.map((merchantTransactionId) => client.refund(refundOrder({ merchantTransactionId }))),
    );
    const seen = server.requests.map(({ fields }) => Object.fromEntries(fields)['merchantTransactionId']);
    const left = references.filter((_, i) => results[i]?.kind !== 'not_sent');
    expect([...seen].sort()).toEqual([...left].sort());
    expect(results.filter(({ kind }) => kind === 'no_answer').length).toBe(Math.floor(seen.length / 3));
  });
});

describe('a credit to a card whose answer went wrong', () => {
  it('returns neither card number nor token', async () => {
    const replies = [
      answer(
        400,
        JSON.stringify({
          result: {
            code: '100.100.101',
            description: `invalid ${CARD_NUMBER}`,
            parameterErrors: [
              { name: 'card.number', value: CARD_NUMBER, message: `4200 0000 0000 0000 is invalid` },
            ],
          },
          card: { number: CARD_NUMBER },
          resultDetails: { ExtendedDescription: `card ${CARD_NUMBER}.` },
        }),
      ),
      answer(502, `<html>${CARD_NUMBER} Bearer ${TOKEN}</html>`),
      answer(200, `{"card":"${CARD_NUMBER}"}`),
    ];
    server.reply = (socket, _request, nth) => socket.write(replies[nth - 1] ?? '');
    const client = gateway();
    const results: SendResult[] = [];
    for (const _ of replies) results.push(await client.creditCard(cardCreditOrder()));
    expect(results.map(({ kind }) => kind)).toEqual(['answered', 'no_answer', 'no_answer']);
    expect(results[0]).toMatchObject({
      transaction: {
        result: { description: 'invalid [digits]' },
        parameterErrors: ['card.number: [digits] is invalid'],
        extendedDescription: 'card [digits].',
      },
    });
    const reported = JSON.stringify(results);
    for (const secret of [CARD_NUMBER, '4200 0000', TOKEN, '123']) expect(reported).not.toContain(secret);
  });
});

async function openTls(
  options: { key?: string; cert?: string },
  onText?: (text: string) => void,
): Promise<number> {
  const tls = createTlsServer(options, (socket) => {
    socket.on('data', (chunk: Buffer) => onText?.(chunk.toString('latin1')));
    socket.on('error', () => undefined);
  });
  tls.on('tlsClientError', () => undefined);
  const net = createNetServer((socket) => {
    socket.on('error', () => undefined);
    tls.emit('connection', socket);
  });
  open.push({ close: () => new Promise((done) => net.close(() => done())) });
  return listen(net);
}
