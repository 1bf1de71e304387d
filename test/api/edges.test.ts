/** Malformed requests, response headers, paging, health checks, and requests while the database or Temporal is unavailable. */
import { SEARCH_ATTRIBUTES } from '../../workflows/refund/search-attributes.js';
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { buildApi } from '../../server/api/server.js';
import { readinessOf } from '../../client/readiness.js';
import { openDatabase } from '../../ledger/db/database.js';
import { createLedger } from '../../ledger/postgres.js';
import { createLog } from '../../settings/log.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import { openRefundsClient } from '../../client/open.js';
import { readSettings } from '../../settings/read.js';
import { problemOf, refundOf, startApi } from './harness.js';

const harness = await startApi();
afterAll(() => harness.close());
const { ask, call, stack } = harness;
const CARD = '4111111111111111';

describe('a malformed request', () => {
  it.each([
    ['is not JSON', { body: '{"paymentId":' }, 400, 'bad_request'],
    ['is empty', { body: '' }, 400, 'bad_request'],
    [
      'is a form',
      { body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_media_type',
    ],
    ['is text', { body: 'a', headers: { 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
    ['is too large', { body: JSON.stringify({ reason: 'x'.repeat(300_000) }) }, 413, 'payload_too_large'],
    ['is a list', { body: [] }, 422, 'invalid_request'],
    ['is null', { body: 'null' }, 422, 'invalid_request'],
    ['pollutes prototypes', { body: '{"__proto__":{"a":1}}' }, 400, 'bad_request'],
  ])('that %s is refused', async (_what, fixture, status, code) => {
    const answer = await call('POST', '/v1/refunds', {
      ...fixture,
      headers: { 'idempotency-key': randomUUID(), ...('headers' in fixture ? fixture.headers : {}) },
    });
    expect([answer.status, problemOf(answer).code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
  });

  it.each([
    ['twice', '"amount":"1.00","amount":"40.00"'],
    ['twice with the same value', '"amount":"40.00","amount":"40.00"'],
    ['twice, once in escapes', String.raw`"amount":"40.00","amo\u0075nt":"1.00"`],
    ['twice in its metadata', '"amount":"40.00","metadata":{"a":"1","a":"2"}'],
    ['twice in its metadata, in escapes', String.raw`"amount":"40.00","metadata":{"a":"1","\u0061":"2"}`],
    ['twice inside an unknown field', '"amount":"40.00","more":[{"b":{"c":1,"c":1}}]'],
    ['that reaches a prototype', '"amount":"40.00","metadata":{"__proto__":"2"}'],
    ['that reaches a prototype, in escapes', String.raw`"amount":"40.00","metadata":{"\u005f_proto__":"2"}`],
  ])('that has a field %s is refused, and nothing is stored', async (_how, fields) => {
    const { paymentId } = stack.newPayment();
    const answer = await ask(paymentId, {
      body: `{"paymentId":"${paymentId}","currency":"EUR","reason":"goods_returned",${fields}}`,
    });
    expect([answer.status, problemOf(answer).code]).toEqual([400, 'bad_request']);
    expect((await stack.client.listRefunds({ paymentId })).length).toBe(0);
  });

  it('that is not UTF-8 is refused, because the stored text would differ', async () => {
    const { paymentId } = stack.newPayment();
    const response = await fetch(`${harness.url}/v1/refunds`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await harness.newKey('latin', 'submit')}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
      body: Buffer.from(
        JSON.stringify({ paymentId, amount: '40.00', currency: 'EUR', reason: 'Größe' }),
        'latin1',
      ),
    });
    expect(response.status).toBe(400);
  });

  it('is never repeated in the response or the log where it may be a card number', async () => {
    const { paymentId } = stack.newPayment();
    const answers = await Promise.all([
      ask(CARD),
      ask(paymentId, { body: { paymentId, amount: CARD, currency: CARD, reason: 'x', [CARD]: CARD } }),
      ask(paymentId, { idempotencyKey: 'a b', body: { paymentId, card: { number: CARD } } }),
      call('GET', `/v1/refunds/${CARD}`),
      call('GET', `/v1/refunds?paymentId=${CARD}&${CARD}=1`),
      call('POST', `/v1/refunds/${CARD}/approve`, { body: { reason: 'x', number: CARD } }),
      call('POST', '/v1/cards', { body: { number: CARD } }),
      call('GET', `/v1/${CARD}`),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify(answer.body)).not.toContain(CARD);
      expect(JSON.stringify([...answer.headers])).not.toContain(CARD);
    }
    expect(harness.logged.join('')).not.toContain(CARD);
  });

  it('gets 404 for an unknown path, and 405 with the allowed methods', async () => {
    const nothing = await call('GET', '/v2/refunds');
    expect([nothing.status, problemOf(nothing).code]).toEqual([404, 'not_found']);
    const method = await call('DELETE', `/v1/refunds/${randomUUID()}`);
    expect([method.status, problemOf(method).code]).toEqual([405, 'method_not_allowed']);
    expect(method.headers.get('allow')).toContain('GET');
    const unknown = await call('GET', `/v1/refunds/${randomUUID()}`);
    expect([unknown.status, problemOf(unknown).code]).toEqual([404, 'refund_not_found']);
    const payment = await call('GET', `/v1/payments/${'0'.repeat(32)}`);
    expect([payment.status, problemOf(payment).code]).toEqual([404, 'payment_unknown']);
  });
});

describe('a refused request', () => {
  it('gets the status of its code', async () => {
    const rejected = stack.newPayment({ amount: '10.00' });
    const currency = await ask(rejected.paymentId, {
      body: { paymentId: rejected.paymentId, amount: '1.00', currency: 'USD', reason: 'x' },
    });
    expect([currency.status, problemOf(currency).code]).toEqual([422, 'currency_mismatch']);
    const entity = await ask('0'.repeat(32), {
      body: {
        paymentId: '0'.repeat(32),
        amount: '1.00',
        currency: 'EUR',
        reason: 'x',
        entityId: '0'.repeat(32),
      },
    });
    expect([entity.status, problemOf(entity).problems?.map(({ field }) => field)]).toEqual([
      422,
      ['entityId'],
    ]);
    const unknown = await ask('0'.repeat(32));
    expect([unknown.status, problemOf(unknown).problems?.[0]]).toEqual([
      422,
      expect.objectContaining({ field: 'paymentId', code: 'not_found' }),
    ]);

    const { paymentId } = stack.newPayment();
    const { id } = refundOf(await ask(paymentId));
    await stack.client.waitFor(id, 30_000);
    const final = await call('POST', `/v1/refunds/${id}/withdraw`, { body: { reason: 'x' } });
    expect([final.status, problemOf(final).code]).toEqual([409, 'final']);
    for (const instruction of [undefined, 'another']) {
      const approve = await call('POST', `/v1/refunds/${id}/approve`, { body: { reason: 'x', instruction } });
      expect([approve.status, problemOf(approve).code]).toEqual([409, 'not_awaiting_approval']);
    }
  });

  it('to approve is forbidden to the requester and allowed to a second approver', async () => {
    const { paymentId } = stack.newPayment({ amount: '800.00' });
    stack.fault({ kind: 'reject', code: '700.500.001' }, { paymentId });
    const asked = await ask(paymentId, {
      body: { paymentId, amount: '800.00', currency: 'EUR', reason: 'goods_returned' },
    });
    const { id } = refundOf(asked);
    for await (const seen of stack.client.watch(id)) if (seen.approval !== null) break;
    const instruction = (await stack.client.getRefund(id)).approval?.instruction;
    const blind = await call('POST', `/v1/refunds/${id}/approve`, { body: { reason: 'mine' } });
    expect(blind.status).toBe(422);
    expect(problemOf(blind)).toMatchObject({ code: 'instruction_missing', instruction });
    // Another spelling of the name is the same requester.
    for (const name of ['shop', 'SHOP', 'sh\u200bop', '\uff53hop', 'sh\u043ep']) {
      const key = await harness.newKey(name, 'approve');
      const own = await call('POST', `/v1/refunds/${id}/approve`, {
        key,
        body: { reason: 'mine', instruction },
      });
      expect([name, own.status, problemOf(own).code]).toEqual([name, 403, 'requester_cannot_decide']);
    }
    const boss = await harness.newKey('boss', 'approve');
    const other = await call('POST', `/v1/refunds/${id}/approve`, {
      key: boss,
      body: { reason: 'checked', instruction: 'another' },
    });
    expect([other.status, problemOf(other).code]).toEqual([409, 'instruction_changed']);
    const approved = await call('POST', `/v1/refunds/${id}/approve`, {
      key: boss,
      body: { reason: 'checked', ticket: 'PAY-1', by: 'mallory', instruction },
    });
    expect(approved.status, 'who decides is not a field').toBe(422);
    const good = await call('POST', `/v1/refunds/${id}/approve`, {
      key: boss,
      body: { reason: 'checked', ticket: 'PAY-1', instruction },
    });
    expect(good.status).toBe(200);
    expect((await stack.client.waitFor(id, 30_000)).operation).toBe('credit');
    const { body } = await call('GET', `/v1/refunds/${id}/timeline`);
    expect(JSON.stringify(body)).toContain('"actor":"boss"');
  });
});

describe('a response', () => {
  it('carries the request id (the client’s own if it is valid), and so does the log', async () => {
    const id = `trace-${randomUUID()}`;
    const named = await call('GET', '/v1/me', { headers: { 'x-request-id': id } });
    expect(named.headers.get('x-request-id')).toBe(id);
    const odd = await call('GET', '/v1/me', { headers: { 'x-request-id': 'a "b"' } });
    expect(odd.headers.get('x-request-id')).toMatch(/^[a-f0-9-]{36}$/);
    await expect.poll(() => harness.logged.join('')).toContain(`"requestId":"${id}"`);
  });

  it('has strict security headers', async () => {
    const { headers } = await call('GET', '/v1/me');
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=/);
  });

  it('pages a list by cursor, each refund once, newest first', async () => {
    const { paymentId } = stack.newPayment();
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const body = { paymentId, amount: '1.00', currency: 'EUR', reason: 'price_adjustment' };
      ids.unshift(refundOf(await ask(paymentId, { body })).id);
    }
    for (const id of ids) await stack.client.waitFor(id, 30_000);
    const page = z.object({ data: z.array(z.object({ id: z.string() })), nextCursor: z.string().nullable() });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const path = `/v1/refunds?paymentId=${paymentId}&status=succeeded&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const { data, nextCursor }: z.infer<typeof page> = page.parse((await call('GET', path)).body);
      seen.push(...data.map(({ id }) => id));
      cursor = nextCursor;
    }
    expect(seen).toEqual(ids);
    expect((await call('GET', '/v1/refunds?limit=0')).status).toBe(422);
    expect((await call('GET', '/v1/refunds?stauts=failed')).status).toBe(422);
  });
});

describe('the platform', () => {
  it('gets ready and metrics while all dependencies are available', async () => {
    expect((await call('GET', '/healthz', { key: null })).body).toEqual({ status: 'ok' });
    expect((await call('GET', '/readyz', { key: null })).body).toEqual({
      status: 'ok',
      checks: {
        database: 'ok',
        migrations: 'ok',
        temporal: 'ok',
        ...Object.fromEntries(
          Object.values(SEARCH_ATTRIBUTES).map(({ name }) => [`searchAttribute${name}`, 'ok']),
        ),
      },
    });
    const metrics = await call('GET', '/metrics', { key: null });
    expect(metrics.body).toContain(
      'refunds_http_request_duration_seconds_count{method="POST",route="/v1/refunds",status="202"}',
    );
    expect(metrics.body).toContain('refunds_ledger_readable 1');
  });
});

describe('while a dependency is unavailable', () => {
  it('the database: 503 with retry-after, never 500, and readiness names it', async () => {
    const database = openDatabase(`postgresql://nobody@127.0.0.1:${await freePort()}/none`);
    const lines: string[] = [];
    const app = await buildApi({
      client: stack.client,
      ledger: createLedger(database),
      database,
      readiness: readinessOf(database, stack.temporal),
      limits: stack.limits,
      log: createLog({ role: 'api', to: { write: (line) => lines.push(line) } }),
      requestsPerMinute: 100,
    });
    try {
      const answer = await app.inject({
        method: 'GET',
        url: '/v1/refunds',
        headers: { authorization: `Bearer rk_${'0'.repeat(12)}_${'0'.repeat(43)}` },
      });
      expect([
        answer.statusCode,
        problemOf({ status: 503, headers: new Headers(), body: answer.json() }).code,
      ]).toEqual([503, 'not_ready']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      const ready = await app.inject({ method: 'GET', url: '/readyz' });
      expect([ready.statusCode, ready.json()]).toMatchObject([
        503,
        { code: 'not_ready', checks: { database: 'failed', temporal: 'ok' } },
      ]);
      expect((await app.inject({ method: 'GET', url: '/healthz' })).statusCode).toBe(200);
      expect((await app.inject({ method: 'GET', url: '/metrics' })).body).toContain(
        'refunds_ledger_readable 0',
      );
    } finally {
      await app.close();
      await database.close();
    }
  });

  it('Temporal: a refund is accepted, and repeating the request later starts it', async () => {
    const env = { ...stack.env, TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` };
    const opened = openRefundsClient(readSettings(env), env, { startWithin: 300 });
    const app = await buildApi({
      ...opened,
      log: createLog({ role: 'api', to: { write: () => undefined } }),
      requestsPerMinute: 100,
    });
    const { paymentId } = stack.newPayment();
    const key = await harness.newKey('shop', 'submit');
    const idempotencyKey = randomUUID();
    try {
      const accepted = await app.inject({
        method: 'POST',
        url: '/v1/refunds',
        headers: { authorization: `Bearer ${key}`, 'idempotency-key': idempotencyKey },
        payload: { paymentId, amount: '40.00', currency: 'EUR', reason: 'goods_returned' },
      });
      expect(accepted.statusCode).toBe(202);
      expect(accepted.json()).toMatchObject({ state: 'reserved', paymentId });
      const ready = await app.inject({ method: 'GET', url: '/readyz' });
      expect(ready.json()).toMatchObject({
        checks: { database: 'ok', migrations: 'ok', temporal: 'failed' },
      });
    } finally {
      await app.close();
      await opened.close();
    }
    const again = await ask(paymentId, { idempotencyKey });
    expect(again.status).toBe(200);
    expect((await stack.client.waitFor(refundOf(again).id, 30_000)).status).toBe('succeeded');
  });

  it('a waiting request gets the current refund when the server shuts down', async () => {
    const own = await startApi({ worker: false });
    const { paymentId } = own.stack.newPayment();
    const { id } = refundOf(await own.ask(paymentId));
    const arrived = new Promise((resolve) => own.app.server.once('request', resolve));
    const waiting = own.call('GET', `/v1/refunds/${id}?wait=60s`);
    await arrived;
    await own.app.close();
    expect(refundOf(await waiting)).toMatchObject({ id, state: 'reserved' });
    await own.stack.close({ booksAgree: false });
  });
});
