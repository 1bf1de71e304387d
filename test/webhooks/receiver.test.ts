/** The webhook receiver over HTTP: notifications are stored once before they are acknowledged; requests without the key change nothing. */
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../ledger/access/api-keys.js';
import { openDatabase } from '../../ledger/db/database.js';
import { unmatchedWebhooks } from '../../ledger/inbox/webhooks.js';
import { encryptWebhook } from '../../sandbox/gateway/webhooks.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import { eventually } from '../conformance/harness.js';
import { startReceiver, webhookAddress } from '../support/receiver.js';
import { startStack } from '../support/stack.js';

const stack = await startStack({ worker: false });
const address = await webhookAddress();
const OTHER_ENTITY = 'e'.repeat(32);
const OTHER_KEY = randomBytes(32).toString('hex');
const entityId = stack.dependencies.defaultEntityId;
const receiver = await startReceiver(stack, address, {
  keys: new Map([
    [entityId, [address.key]],
    [OTHER_ENTITY, [OTHER_KEY]],
  ]),
});
afterAll(async () => {
  await receiver.close();
  await stack.close();
});

const newId = (): string => randomBytes(16).toString('hex');
const refundNotification = (change: object = {}, entity = entityId) => ({
  type: 'PAYMENT',
  payload: {
    id: newId(),
    paymentType: 'RF',
    amount: '60.00',
    currency: 'EUR',
    referencedId: newId(),
    result: { code: '000.100.110', description: 'Request successfully processed' },
    timestamp: '2026-09-01 10:22:16.123+0000',
    authentication: { entityId: entity },
    ...change,
  },
});

interface Kept {
  readonly kind: string;
  readonly state: string;
  readonly why: string | null;
}
const kept = async (gatewayId: string): Promise<readonly Kept[]> =>
  (
    await sql<Kept>`SELECT kind, state, why FROM webhooks WHERE gateway_id = ${gatewayId}`.execute(
      stack.database.db,
    )
  ).rows;
const count = async (): Promise<number> =>
  Number(
    (await sql<{ n: bigint }>`SELECT count(*) AS n FROM webhooks`.execute(stack.database.db)).rows[0]?.n,
  );
const ended = (gatewayId: string): Promise<Kept> =>
  eventually(`notice ${gatewayId} has been worked on`, async () => {
    const [row] = await kept(gatewayId);
    return row !== undefined && row.state !== 'received' ? row : undefined;
  });

describe('a notification', () => {
  it.each(['none', 'json'] as const)('in the wrapper %s is stored and acknowledged', async (wrapper) => {
    const content = refundNotification();
    expect(await receiver.post(content, { wrapper })).toBe(200);
    expect(await kept(content.payload.id)).toHaveLength(1);
  });

  it('that is delivered twenty times at once and once later is stored once', async () => {
    const content = refundNotification();
    const statuses = await Promise.all(Array.from({ length: 20 }, () => receiver.post(content)));
    expect(new Set([...statuses, await receiver.post(content)])).toEqual(new Set([200]));
    expect(await kept(content.payload.id)).toHaveLength(1);
  });

  it('of an unknown refund is kept as unmatched, and operators can see it', async () => {
    const content = refundNotification();
    await receiver.post(content);
    expect(await ended(content.payload.id)).toMatchObject({ state: 'unmatched', why: 'no_matching_attempt' });
    const shown = await unmatchedWebhooks(stack.database);
    expect(shown.find(({ gatewayId }) => gatewayId === content.payload.id)).toMatchObject({
      kind: 'PAYMENT',
      entityId,
      paymentType: 'refund',
      amount: '60.00',
      currency: 'EUR',
      resultCode: '000.100.110',
      referencedId: content.payload.referencedId,
    });
    const [first, second] = shown;
    const next = await unmatchedWebhooks(stack.database, { limit: 1, before: first?.id ?? '' });
    expect(next).toEqual(second === undefined ? [] : [second]);
  });

  it('of a payment without a refund request is ignored', async () => {
    const content = refundNotification({ paymentType: 'DB' });
    await receiver.post(content);
    expect(await ended(content.payload.id)).toMatchObject({ state: 'ignored', why: 'no_refund_requested' });
  });

  it.each(['REGISTRATION', 'SCHEDULE', 'RISK', 'SOMETHING_NEW'])(
    'of the type %s is acknowledged and ignored',
    async (type) => {
      const content = { ...refundNotification(), type };
      expect(await receiver.post(content)).toBe(200);
      expect(await kept(content.payload.id)).toMatchObject([{ state: 'ignored' }]);
    },
  );

  it('that is a test ping from the administration portal is acknowledged', async () => {
    const ping = { type: 'test', action: 'webhook activation', payload: { result: { code: '000.000.000' } } };
    expect(await receiver.post(ping)).toBe(200);
  });

  it('that is authentic but unreadable is stored for an operator', async () => {
    const before = await count();
    expect(await receiver.post({ type: 'PAYMENT', payload: { authentication: { entityId } } })).toBe(200);
    expect(await count()).toBe(before + 1);
    expect((await unmatchedWebhooks(stack.database)).some(({ why }) => why === 'unreadable')).toBe(true);
  });

  it('leaves no card or customer data in any column', async () => {
    const content = refundNotification({
      card: { bin: '420000', last4Digits: '4242', holder: 'Jane Jones', number: '4200000000000000' },
      customer: { email: 'jane@example.org' },
      result: { code: '000.100.110', description: 'paid to 4200 0000 0000 0000' },
    });
    await receiver.post(content);
    const { rows } = await sql<{ text: string }>`
      SELECT w::text AS text FROM webhooks w WHERE gateway_id = ${content.payload.id}`.execute(
      stack.database.db,
    );
    expect(rows).toHaveLength(1);
    const everything = JSON.stringify(rows) + receiver.logged.join('\n');
    // Some ids contain four digits in a row, too.
    for (const digits of ['420000', '4200 0000', '4242'])
      expect(everything).not.toMatch(new RegExp(`(?<![0-9a-f])${digits}(?![0-9a-f])`));
    for (const secret of ['Jane', 'jane@', address.key, OTHER_KEY])
      expect(everything, secret).not.toContain(secret);
  });
});

describe('a request that is no valid notification', () => {
  const expectNoChange = async (send: () => Promise<Response>, status = 400): Promise<unknown> => {
    const before = await count();
    const answer = await send();
    expect(answer.status).toBe(status);
    expect(await count()).toBe(before);
    return answer.json();
  };

  it('because it is encrypted with another key is refused, and changes nothing', async () => {
    const forged = encryptWebhook(randomBytes(32).toString('hex'), JSON.stringify(refundNotification()));
    expect(await expectNoChange(() => receiver.postSealed(forged))).toMatchObject({
      status: 400,
      code: 'bad_request',
      reason: 'undecryptable',
    });
  });

  it('because one entity encrypted it for another is refused', async () => {
    const foreign = encryptWebhook(OTHER_KEY, JSON.stringify(refundNotification()));
    expect(await expectNoChange(() => receiver.postSealed(foreign))).toMatchObject({
      reason: 'foreign_entity',
    });
  });

  it('because it comes from another channel with the right key is acknowledged, ignored, counted, and logged once', async () => {
    const elsewhere = randomBytes(16).toString('hex');
    const metric = async (): Promise<number> => {
      const text = await (await fetch(new URL('/metrics', receiver.url))).text();
      return Number(/refunds_webhooks_ignored_total\{why="unknown_entity"\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    const before = await metric();
    for (let times = 0; times < 3; times += 1) {
      const other = encryptWebhook(address.key, JSON.stringify(refundNotification({}, elsewhere)));
      await expectNoChange(() => receiver.postSealed(other), 200);
    }
    const lines = receiver.logged.filter((line) => line.includes('webhook.ignored'));
    expect(lines.filter((line) => line.includes(elsewhere))).toHaveLength(1);
    expect(await metric()).toBe(before + 3);
  });

  it.each<[string, unknown]>([
    ['an object without anything', {}],
    ['a list', []],
    ['a number', 7],
    ['text', 'PAYMENT'],
    ['a payload that is none', { type: 'PAYMENT', payload: 'x' }],
    ['a type of tomorrow', { type: 'PAYOUT', payload: { a: [1] }, version: 2 }],
    ['a type that is none', { type: 7, payload: null }],
  ])('because it decrypts to %s is acknowledged', async (_what, content) => {
    const sealed = encryptWebhook(address.key, JSON.stringify(content));
    expect((await receiver.postSealed(sealed)).status).toBe(200);
  });

  it('because its headers or body are missing or malformed is refused', async () => {
    const { headers, body } = encryptWebhook(address.key, JSON.stringify(refundNotification()));
    const { 'x-authentication-tag': _tag, ...untagged } = headers;
    for (const webhook of [
      { headers: untagged, body },
      { headers, body: '' },
      { headers, body: 'not hex' },
      { headers: { ...headers, 'x-initialization-vector': '00' }, body },
    ])
      expect(await expectNoChange(() => receiver.postSealed(webhook))).toMatchObject({ reason: 'malformed' });
  });

  it('because it is too large is refused before it is read', async () => {
    const { headers } = encryptWebhook(address.key, '{}');
    const answer = await expectNoChange(
      () => receiver.postSealed({ headers, body: 'a'.repeat(300_000) }),
      413,
    );
    expect(answer).toMatchObject({ code: 'payload_too_large' });
  });

  it('is logged with the reason and without its content', async () => {
    const forged = encryptWebhook(randomBytes(32).toString('hex'), JSON.stringify(refundNotification()));
    await receiver.postSealed(forged);
    const lines = receiver.logged.filter((line) => line.includes('webhook.refused'));
    expect(lines.at(-1)).toContain('"code":"undecryptable"');
    expect(lines.join('')).not.toContain(forged.body.slice(0, 40));
  });
});

describe('other paths of the same server', () => {
  it('still accept only JSON', async () => {
    const { text } = await createApiKey(stack.database, { name: 'shop', roles: ['submit'] });
    const answer = await fetch(new URL('/v1/refunds', receiver.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${text.reveal()}`, 'content-type': 'text/plain' },
      body: 'ab',
    });
    expect(answer.status).toBe(415);
  });
});

describe('while the database is unavailable', () => {
  it('no notification is acknowledged: 503, so that the gateway sends it again', async () => {
    const nowhere = openDatabase(`postgresql://refunds@127.0.0.1:${await freePort()}/refunds`);
    const elsewhere = await webhookAddress();
    const unavailable = await startReceiver(
      stack,
      { ...elsewhere, key: address.key },
      { database: nowhere, processor: false },
    );
    try {
      const content = refundNotification();
      const sealed = encryptWebhook(address.key, JSON.stringify(content));
      const refused = await unavailable.postSealed(sealed);
      expect(refused.status).toBe(503);
      expect(await refused.json()).toMatchObject({ code: 'not_ready' });
      expect(await kept(content.payload.id)).toEqual([]);
      expect((await receiver.postSealed(sealed)).status).toBe(200);
      expect(await kept(content.payload.id)).toHaveLength(1);
    } finally {
      await unavailable.close();
      await nowhere.close();
    }
  });
});
