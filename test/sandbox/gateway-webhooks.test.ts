/** Tests webhooks: which changes are notified and when, how they are encrypted, and how long they are retried. */
import { createDecipheriv } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startGatewayServer } from '../../sandbox/gateway/server.js';
import { createWebhookSender, encryptWebhook } from '../../sandbox/gateway/webhooks.js';
import type { FaultEffect } from '../../sandbox/gateway/faults.js';
import { ENTITY, debit, openHarness, refund, type Harness } from './gateway-harness.js';
import { postControl as post, postForm } from './gateway-http.js';

const KEY = '000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f';

function decrypt(keyHex: string, headers: Readonly<Record<string, unknown>>, hexBody: string): unknown {
  const iv = Buffer.from(String(headers['x-initialization-vector']), 'hex');
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(keyHex, 'hex'), iv);
  decipher.setAuthTag(Buffer.from(String(headers['x-authentication-tag']), 'hex'));
  const clear = Buffer.concat([decipher.update(Buffer.from(hexBody, 'hex')), decipher.final()]);
  return JSON.parse(clear.toString('utf8'));
}

const payment = z.object({
  payload: z.object({
    id: z.string(),
    paymentType: z.string(),
    result: z.object({ code: z.string() }),
  }),
});

const codesOf = (contents: readonly unknown[]): string[] =>
  contents.map((content) => {
    const { paymentType, result } = payment.parse(content).payload;
    return `${paymentType} ${result.code}`;
  });

/** Returns the notifications that are due, as `RF 000.100.110`. */
const due = (harness: Harness): string[] => codesOf(harness.gateway.due().map(({ content }) => content));

describe('encryption', () => {
  it('encrypts to the known text for a known key and initialization vector', () => {
    const webhook = encryptWebhook(KEY, '{"type":"PAYMENT"}', 'none', Buffer.alloc(12));
    expect(webhook).toEqual({
      headers: {
        'content-type': 'text/plain',
        'x-initialization-vector': '000000000000000000000000',
        'x-authentication-tag': 'CE573FB7A41AB78E743180DC83FF09BD',
      },
      body: '0A3471C72D9BE49A8520F79C66BBD9A12FF9',
    });
  });

  it('can be wrapped in JSON, and never uses an initialization vector twice', () => {
    const webhook = encryptWebhook(KEY, '{"type":"PAYMENT"}', 'json', Buffer.alloc(12));
    expect(webhook.body).toBe('{"encryptedBody":"0A3471C72D9BE49A8520F79C66BBD9A12FF9"}');
    expect(webhook.headers['content-type']).toBe('application/json');
    const [first, second] = [encryptWebhook(KEY, '{}'), encryptWebhook(KEY, '{}')];
    expect(first.headers).not.toEqual(second.headers);
  });
});

describe('notifications', () => {
  const refundWith = (effect: FaultEffect | null, pendingMs?: number): { harness: Harness; id: string } => {
    const harness = openHarness();
    const id = debit(harness);
    harness.gateway.due();
    if (effect !== null) harness.gateway.setFault({ match: { paymentType: 'RF' }, effect });
    if (pendingMs !== undefined)
      harness.gateway.setFault({ effect: { kind: 'pending', afterMs: pendingMs } });
    refund(harness, id, '5.00', { merchantTransactionId: 'R1' });
    return { harness, id };
  };

  it('notify a refund once, with its entity and the fields of a query', () => {
    const { harness, id } = refundWith(null);
    const [notification, ...more] = harness.gateway.due();
    expect(more).toEqual([]);
    expect(notification).toMatchObject({
      entityId: ENTITY.id,
      content: {
        type: 'PAYMENT',
        payload: {
          paymentType: 'RF',
          amount: '5.00',
          referencedId: id,
          merchantTransactionId: 'R1',
          source: 'OPP',
          channelName: 'shop',
          authentication: { entityId: ENTITY.id },
        },
      },
    });
    expect(harness.gateway.due()).toEqual([]);
  });

  it('notify the pending and the final state', () => {
    const { harness } = refundWith(null, 1000);
    expect(due(harness)).toEqual(['RF 800.400.502']);
    expect(harness.gateway.nextAt()).toBe(Date.UTC(2026, 8, 1, 12, 0, 1));
    harness.wait(1000);
    expect(due(harness)).toEqual(['RF 000.100.110']);
    expect(harness.gateway.nextAt()).toBeNull();
  });

  it('can be lost, doubled and delayed', () => {
    expect(refundWith({ kind: 'webhook', how: 'lost' }).harness.gateway.due()).toEqual([]);

    const doubled = refundWith({ kind: 'webhook', how: 'duplicate', ms: 500 }).harness;
    expect(due(doubled)).toEqual(['RF 000.100.110']);
    doubled.wait(500);
    expect(due(doubled)).toEqual(['RF 000.100.110']);

    const delayed = refundWith({ kind: 'webhook', how: 'delay', ms: 900_000 }).harness;
    expect(delayed.gateway.due()).toEqual([]);
    delayed.wait(900_000);
    expect(due(delayed)).toEqual(['RF 000.100.110']);
  });

  it('can notify the final state before the pending one', () => {
    const { harness } = refundWith({ kind: 'webhook', how: 'out_of_order' }, 1000);
    expect(harness.gateway.due()).toEqual([]);
    harness.wait(1000);
    expect(due(harness)).toEqual(['RF 000.100.110', 'RF 800.400.502']);
  });

  it('notify chargebacks, and refunds in the portal only if the setting requires it', () => {
    const harness = openHarness();
    const id = debit(harness);
    harness.gateway.due();
    harness.gateway.refundInPortal({ paymentId: id, amount: 1_00n });
    expect(harness.gateway.due()).toEqual([]);
    harness.gateway.changeSettings({ notifyPortalRefunds: true });
    harness.gateway.refundInPortal({ paymentId: id, amount: 1_00n });
    harness.gateway.chargeback({ paymentId: id });
    expect(due(harness)).toEqual(['RF 000.100.110', 'CB 000.100.200']);
  });
});

interface Received {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Starts a merchant's server that answers with the given statuses in order, and then always with the last one. */
async function openMerchant(statuses: readonly number[]): Promise<{
  readonly url: string;
  /** Resolves with the next webhook that was not returned yet. */
  next(): Promise<Received>;
}> {
  const received: Received[] = [];
  const waiting: ((webhook: Received) => void)[] = [];
  let count = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(statuses[Math.min(count, statuses.length - 1)] ?? 200).end();
      count += 1;
      const webhook = { headers: request.headers, body: Buffer.concat(chunks).toString() };
      const taker = waiting.shift();
      if (taker === undefined) received.push(webhook);
      else taker(webhook);
    });
  });
  const address = await new Promise<AddressInfo | string | null>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(server.address())),
  );
  if (address === null || typeof address === 'string') throw new Error('no port');
  toClose.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return {
    url: `http://127.0.0.1:${address.port}/webhooks/oppwa`,
    next() {
      const here = received.shift();
      return here === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(here);
    },
  };
}

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

describe('delivery', () => {
  const start = async (url: string, more = {}): Promise<Awaited<ReturnType<typeof startGatewayServer>>> => {
    const server = await startGatewayServer({
      entities: [{ ...ENTITY, webhookKey: KEY }],
      webhooks: { url, timeFactor: 0.0001, ...more },
    });
    toClose.push(() => server.close());
    return server;
  };

  it('posts webhooks that the merchant’s key decrypts, also for events that no request caused', async () => {
    const merchant = await openMerchant([200]);
    const { url, engine } = await start(merchant.url);
    const create = { amount: '10.00', currency: 'EUR' };
    const created = await post(`${url}/_control/create-payment`, create);
    const first = await merchant.next();
    expect(first.headers['content-type']).toBe('text/plain');
    expect(decrypt(KEY, first.headers, first.body)).toMatchObject({
      type: 'PAYMENT',
      payload: { id: created.paymentId, paymentType: 'DB' },
    });

    await post(`${url}/_control/faults`, { effect: { kind: 'pending', afterMs: 50 } });
    const order = { paymentType: 'RF', amount: '1.00', currency: 'EUR' };
    await postForm(`${url}/v1/payments/${String(created.paymentId)}`, order);
    const webhooks = [await merchant.next(), await merchant.next()];
    expect(codesOf(webhooks.map(({ headers, body }) => decrypt(KEY, headers, body)))).toEqual([
      'RF 800.400.502',
      'RF 000.100.110',
    ]);
    expect(engine.nextAt()).toBeNull();
  });

  it('retries until the merchant acknowledges', async () => {
    const merchant = await openMerchant([500, 503, 204]);
    const { url } = await start(merchant.url, { wrapper: 'json' });
    await post(`${url}/_control/create-payment`, { amount: '10.00', currency: 'EUR' });
    const tries = [await merchant.next(), await merchant.next(), await merchant.next()];
    const ids = tries.map(({ headers, body }) => {
      const { encryptedBody } = z.object({ encryptedBody: z.string() }).parse(JSON.parse(body));
      return payment.parse(decrypt(KEY, headers, encryptedBody)).payload.id;
    });
    expect(new Set(ids).size).toBe(1);
  });

  it('can be forged, with and without the merchant’s key', async () => {
    const merchant = await openMerchant([200]);
    const { url } = await start(merchant.url);
    const content = { type: 'PAYMENT', payload: { id: 'x' } };
    await post(`${url}/_control/forge-webhook`, { entityId: ENTITY.id, content, key: 'right' });
    const withKey = await merchant.next();
    expect(decrypt(KEY, withKey.headers, withKey.body)).toEqual(content);
    await post(`${url}/_control/forge-webhook`, { entityId: ENTITY.id, content });
    const without = await merchant.next();
    expect(() => decrypt(KEY, without.headers, without.body)).toThrow();
  });

  it('goes to this machine only', () => {
    expect(() => createWebhookSender({ url: 'https://example.com/hook', keys: new Map() })).toThrow(
      'example.com',
    );
  });
});
