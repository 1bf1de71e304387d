/** Tests the simulator over HTTP: broken connections, the control API, and books that survive a restart. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readProcessSettings } from '../../sandbox/gateway/process-settings.js';
import {
  startGatewayServer,
  type GatewayServer,
  type GatewayServerOptions,
} from '../../sandbox/gateway/server.js';
import { getJson, postControl, postForm, send } from './gateway-http.js';
import { CARD, ENTITY } from './gateway-harness.js';

const RF = { paymentType: 'RF', amount: '10.00', currency: 'EUR' };

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

async function open(options: Partial<GatewayServerOptions> = {}): Promise<GatewayServer> {
  const server = await startGatewayServer({ entities: [ENTITY], ...options });
  toClose.push(() => server.close());
  return server;
}

const pay = (server: GatewayServer, amount = 100_00n): string =>
  server.engine.createPayment({ type: 'DB', amount, currency: 'EUR' }).paymentId;

const withId = z.object({ id: z.string() });
const refusal = z.object({ error: z.string() });
const paymentMade = z.object({ paymentId: z.string(), captureIds: z.array(z.string()) });

const codeOf = (text: string): string => /"code":"([\d.]+)"/.exec(text)?.[1] ?? text;

describe('the gateway over HTTP', () => {
  it('refunds a payment and finds it again', async () => {
    const server = await open();
    const id = pay(server);
    const answer = await postForm(`${server.url}/v1/payments/${id}`, { ...RF, merchantTransactionId: 'R1' });
    expect(answer).toMatchObject({ status: 200, contentType: 'application/json;charset=UTF-8' });
    expect(JSON.parse(answer.text)).toMatchObject({ paymentType: 'RF', amount: '10.00', referencedId: id });
    const query = `entityId=${ENTITY.id}&merchantTransactionId=R1`;
    expect(await getJson(`${server.url}/v3/query?${query}`)).toMatchObject({
      records: [{ referencedId: id }],
    });
  });

  it('executes exactly as many of fifty concurrent refunds as the payment covers', async () => {
    const server = await open();
    const id = pay(server);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => postForm(`${server.url}/v1/payments/${id}`, RF)),
    );
    const codes = answers.map(({ text }) => codeOf(text));
    expect(codes.filter((code) => code === '000.100.110')).toHaveLength(10);
    expect(codes.filter((code) => code === '700.400.200')).toHaveLength(40);
    expect(server.engine.books(id)?.refunded).toBe(100_00n);
  });

  it.each([
    ['accept_then_drop', 10_00n],
    ['drop_before_execute', 0n],
  ] as const)('%s ends the connection without a byte', async (kind, refunded) => {
    const server = await open();
    const id = pay(server);
    server.engine.setFault({ effect: { kind } });
    await expect(postForm(`${server.url}/v1/payments/${id}`, RF)).rejects.toMatchObject({
      code: 'UND_ERR_SOCKET',
    });
    expect(server.engine.books(id)?.refunded).toBe(refunded);
  });

  it('closes the connection in the middle of a body', async () => {
    const server = await open();
    const id = pay(server);
    server.engine.setFault({ effect: { kind: 'broken_body', form: 'cut_off' } });
    await expect(postForm(`${server.url}/v1/payments/${id}`, RF)).rejects.toThrow(
      /terminated|other side closed|aborted/,
    );
    expect(server.engine.books(id)?.refunded).toBe(10_00n);
  });

  it('sends half of a JSON text, and a page of HTML, as complete answers', async () => {
    const server = await open();
    const id = pay(server);
    server.engine.setFault({ effect: { kind: 'broken_body', form: 'truncated' } });
    const half = await postForm(`${server.url}/v1/payments/${id}`, RF);
    expect(half.status).toBe(200);
    expect((): unknown => JSON.parse(half.text)).toThrow(SyntaxError);
    server.engine.setFault({ effect: { kind: 'http_error', status: 502, executed: true } });
    const page = await postForm(`${server.url}/v1/payments/${id}`, RF);
    expect(page).toMatchObject({ status: 502, contentType: 'text/html' });
    expect(server.engine.books(id)?.refunded).toBe(20_00n);
  });

  it('answers late, and refunds at once', async () => {
    const server = await open();
    const id = pay(server);
    server.engine.setFault({ effect: { kind: 'answer_after', ms: 150 } });
    const started = performance.now();
    const answer = postForm(`${server.url}/v1/payments/${id}`, RF);
    expect((await answer).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(140);
  });

  it('answers invalid requests and stays up', async () => {
    const server = await open();
    const id = pay(server);
    const statusOf = async (method: 'GET' | 'POST' | 'PUT', path: string, body?: string): Promise<number> =>
      (await send(method, `${server.url}${path}`, body)).status;
    expect(await statusOf('GET', '/')).toBe(404);
    expect(await statusOf('GET', '/v2/payments')).toBe(404);
    expect(await statusOf('PUT', `/v1/payments/${id}`)).toBe(405);
    expect(await statusOf('GET', '/v1/registrations')).toBe(405);
    expect(await statusOf('POST', '/v1/payments', '{"not":"a form"}')).toBe(400);
    expect(await statusOf('POST', '/v1/payments', '%%%=%E0%A4%A&amount')).toBe(400);
    expect(await statusOf('POST', '/v1/payments', 'x'.repeat(300 * 1024))).toBe(413);
    await sendBroken(server, 'POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf');
    await sendBroken(server, 'not http at all\r\n\r\n');
    await sendTarget(server, '//[bad');
    expect((await postForm(`${server.url}/v1/payments/${id}`, RF)).status).toBe(200);
  });

  it('closes while requests are open', async () => {
    const server = await open();
    server.engine.setFault({ effect: { kind: 'answer_after', ms: 60_000 } });
    const waiting = postForm(`${server.url}/v1/payments/${pay(server)}`, RF);
    const ended = expect(waiting).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    await waitFor(() => server.requests().length === 1);
    await server.close();
    toClose.pop();
    await ended;
  });
});

/** Sends bytes and disconnects before an answer. */
function sendBroken(server: GatewayServer, bytes: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
      socket.end(bytes);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** Sends a request whose target `URL` cannot parse. */
function sendTarget(server: GatewayServer, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = rawRequest(
      { host: '127.0.0.1', port: new URL(server.url).port, path, method: 'GET' },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve());
      },
    );
    request.on('error', reject);
    request.end();
  });
}

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('the control API', () => {
  it('creates payments and chargebacks, and shows the books', async () => {
    const { url } = await open();
    const control = (name: string, body: object): Promise<Readonly<Record<string, unknown>>> =>
      postControl(`${url}/_control/${name}`, body);
    const { paymentId, captureIds } = paymentMade.parse(
      await control('create-payment', {
        type: 'PA',
        amount: '100.00',
        currency: 'EUR',
        captures: ['80.00'],
        ageMs: 1000,
      }),
    );
    const [capture = ''] = captureIds;
    await control('faults', { match: { paymentType: 'RF' }, effect: { kind: 'pending' } });
    const pending = await postForm(`${url}/v1/payments/${capture}`, {
      ...RF,
      merchantTransactionId: 'R1',
    });
    const { id } = withId.parse(JSON.parse(pending.text));
    expect(await control('finish-pending', { id, state: 'succeeded' })).toMatchObject({ state: 'succeeded' });
    await control('portal-refund', { paymentId: capture, amount: '5.00' });
    const chargeback = await control('chargeback', { paymentId: capture, amount: '7.00' });
    const books = `${url}/_control/books?paymentId=${paymentId}`;
    expect(await getJson(books)).toMatchObject({ captured: '80.00', refunded: '15.00', chargedBack: '7.00' });
    await control('chargeback-reversal', { chargebackId: chargeback.id });
    await control('late-failure', { id, code: '800.100.165' });
    expect(await getJson(books)).toMatchObject({
      refunded: '5.00',
      chargedBack: '0.00',
      returned: '10.00',
      credits: [],
    });
    expect(await getJson(`${url}/_control/executed?merchantTransactionId=R1`)).toMatchObject({ count: 1 });
    const left = await getJson(`${url}/_control/left-merchant?originals=${paymentId}&references=R1`);
    expect(left).toMatchObject([{ currency: 'EUR', refunded: '5.00', total: '5.00' }]);
    expect(await getJson(`${url}/_control/transactions?merchantTransactionId=R1`)).toMatchObject([
      { amount: '10.00' },
    ]);
    expect(await getJson(`${url}/_control/books`)).toMatchObject({
      books: [{ refunded: '5.00' }],
      credits: [],
    });
    expect(await control('settings', { visibilityLagMs: 5 })).toMatchObject({
      visibilityLagMs: 5,
      throttle: 'off',
    });
  });

  it('changes outcomes late, and makes hidden transactions visible', async () => {
    const { url } = await open();
    const control = (call: string, body: object): Promise<Readonly<Record<string, unknown>>> =>
      postControl(`${url}/_control/${call}`, body);
    const { paymentId } = paymentMade.parse(
      await control('create-payment', { amount: '10.00', currency: 'EUR', registered: false }),
    );
    await control('faults', { effect: { kind: 'visibility_lag', ms: 86_400_000 } });
    await control('faults', { effect: { kind: 'reject', code: '800.100.152' } });
    const refused = await postForm(`${url}/v1/payments/${paymentId}`, RF);
    const { id } = withId.parse(JSON.parse(refused.text));
    await control('show', { id });
    expect(await control('late-success', { id })).toMatchObject({ state: 'succeeded', registrationId: null });
    expect(await getJson(`${url}/_control/books?paymentId=${paymentId}`)).toMatchObject({
      refunded: '10.00',
    });
  });

  it('lists and clears faults', async () => {
    const { url } = await open();
    const { id } = await postControl(`${url}/_control/faults`, { effect: { kind: 'drop_before_execute' } });
    expect(await getJson(`${url}/_control/faults`)).toMatchObject([{ id, times: 1, match: {} }]);
    expect((await send('DELETE', `${url}/_control/faults/${String(id)}`)).status).toBe(200);
    expect((await send('DELETE', `${url}/_control/faults/${String(id)}`)).status).toBe(404);
    await postControl(`${url}/_control/faults`, { effect: { kind: 'drop_before_execute' } });
    expect((await send('DELETE', `${url}/_control/faults`)).status).toBe(200);
    expect(await getJson(`${url}/_control/faults`)).toEqual([]);
  });

  it('answers an invalid request with the reason, and changes nothing', async () => {
    const { url, engine } = await open();
    const refused = async (
      method: 'GET' | 'POST' | 'DELETE',
      path: string,
      body?: string,
    ): Promise<string> => {
      const { status, contentType, text } = await send(method, `${url}/_control/${path}`, body);
      expect(contentType).toBe('application/json');
      return `${status} ${refusal.parse(JSON.parse(text)).error}`;
    };
    expect(await refused('POST', 'faults', '{')).toBe('400 The body is not JSON.');
    expect(await refused('POST', 'faults', '{}')).toContain('400 ');
    expect(await refused('POST', 'faults', '{"effect":{"kind":"explode"}}')).toContain('effect.kind');
    expect(await refused('POST', 'faults', '{"effect":{"kind":"missing_reference"},"matches":{}}')).toContain(
      'matches',
    );
    expect(await refused('POST', 'create-payment', '{"amount":"1.0","currency":"EUR"}')).toContain('amount');
    expect(await refused('POST', 'settings', '{"throttle":"sometimes"}')).toContain('400 ');
    expect(await refused('POST', 'chargeback', '{"paymentId":"x"}')).toBe('404 There is no transaction x.');
    expect(await refused('GET', 'books?paymentId=x')).toBe('404 There is no transaction x.');
    expect(await refused('GET', 'executed')).toContain('400 ');
    expect(await refused('GET', 'nothing')).toBe('404 There is no GET /_control/nothing.');
    expect(await refused('GET', 'constructor')).toContain('404 ');
    expect(await refused('POST', 'finish-pending', JSON.stringify({ id: 'x', state: 'pending' }))).toContain(
      '400 ',
    );
    const id = engine.createPayment({ type: 'DB', amount: 1_00n, currency: 'EUR' }).paymentId;
    expect(await refused('POST', 'late-failure', JSON.stringify({ id }))).toContain('409 ');
    expect(engine.transactions()).toHaveLength(1);
    expect(engine.faults()).toEqual([]);
  });

  it('logs received requests without card data and tokens', async () => {
    const { url, engine } = await open();
    await postForm(`${url}/v1/payments`, {
      ...CARD,
      'card.cvv': '737',
      paymentType: 'CD',
      amount: '3.00',
      currency: 'EUR',
      merchantTransactionId: 'CD1',
    });
    const log = await getJson(`${url}/_control/requests`);
    expect(log).toMatchObject([
      {
        method: 'POST',
        path: '/v1/payments',
        paymentType: 'CD',
        merchantTransactionId: 'CD1',
        amount: '3.00',
      },
    ]);
    const everything = JSON.stringify([log, await getJson(`${url}/_control/transactions`), engine.faults()]);
    for (const secret of ['4200000000000000', 'Jane', '"737"', ENTITY.token])
      expect(everything).not.toContain(secret);
    await send('DELETE', `${url}/_control/requests`);
    expect(await getJson(`${url}/_control/requests`)).toEqual([]);
  });
});

describe('the books on disk', () => {
  async function folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'gateway-books-'));
    toClose.push(() => rm(path, { recursive: true, force: true }));
    return path;
  }
  const view = (server: GatewayServer): unknown => server.engine.transactions();

  it('are the same after a restart, with registrations, links and scheduled events', async () => {
    const journalFile = join(await folder(), 'deep', 'gateway.jsonl');
    let now = Date.UTC(2026, 8, 1);
    const clock = (): number => now;
    const first = await open({ journalFile, clock });
    const { paymentId, registrationId } = first.engine.createPayment({
      type: 'DB',
      amount: 100_00n,
      currency: 'EUR',
    });
    await postForm(`${first.url}/v1/payments/${paymentId}`, { ...RF, merchantTransactionId: 'R1' });
    first.engine.setFault({ effect: { kind: 'pending', afterMs: 60_000 } });
    await postForm(`${first.url}/v1/payments/${paymentId}`, { ...RF, merchantTransactionId: 'R2' });
    first.engine.setFault({ effect: { kind: 'execute_after', ms: 90_000 } });
    await postForm(`${first.url}/v1/payments/${paymentId}`, { ...RF, merchantTransactionId: 'R3' }).catch(
      () => null,
    );
    await postForm(`${first.url}/v1/payments`, {
      ...CARD,
      paymentType: 'CD',
      amount: '4.00',
      currency: 'EUR',
    });
    first.engine.chargeback({
      paymentId: first.engine.createPayment({ type: 'DB', amount: 1n, currency: 'EUR' }).paymentId,
    });
    const before = view(first);
    await first.close();
    toClose.pop();

    const second = await open({ journalFile, clock });
    expect(view(second)).toEqual(before);
    expect(second.engine.books(paymentId)).toMatchObject({ refunded: 10_00n, pending: 10_00n });
    now += 90_000;
    expect(second.engine.books(paymentId)).toMatchObject({ refunded: 30_00n, pending: 0n });
    const credit = { paymentType: 'CD', amount: '1.00', currency: 'EUR' };
    expect((await postForm(`${second.url}/v1/registrations/${registrationId}/payments`, credit)).status).toBe(
      200,
    );
    const after = view(second);
    await second.close();
    toClose.pop();

    const third = await open({ journalFile, clock });
    expect(view(third)).toEqual(after);
    expect(third.engine.executedByReference('R3')).toBe(1);
    expect(await readFile(journalFile, 'utf8')).not.toContain('4200000000000000');
  });

  it('lose at most the line that was being written when the process died', async () => {
    const journalFile = join(await folder(), 'gateway.jsonl');
    const first = await open({ journalFile });
    const id = pay(first);
    await first.close();
    toClose.pop();
    await appendFile(journalFile, '{"kind":"transaction","transac');
    const second = await open({ journalFile });
    expect((await postForm(`${second.url}/v1/payments/${id}`, RF)).status).toBe(200);
    const before = view(second);
    await second.close();
    toClose.pop();
    expect(view(await open({ journalFile }))).toEqual(before);
  });

  it('are not read when a line is damaged', async () => {
    const journalFile = join(await folder(), 'gateway.jsonl');
    await writeFile(journalFile, '{"kind":"nonsense"}\n');
    await expect(open({ journalFile })).rejects.toThrow('damaged at line 1');
  });
});

describe('the settings of the process', () => {
  it('have defaults, and keep the books in the data folder', () => {
    expect(readProcessSettings({})).toMatchObject({ port: 0, settings: { throttle: 'off' } });
    expect(readProcessSettings({}).journalFile).toBeUndefined();
    const settings = readProcessSettings({
      REFUNDS_SANDBOX_GATEWAY_PORT: '4010',
      REFUNDS_DATA_DIR: '/data',
      OPPWA_ENTITY_ID: ENTITY.id,
      OPPWA_ACCESS_TOKEN: 'secret',
      REFUNDS_SANDBOX_WEBHOOK_URL: 'http://127.0.0.1:8080/webhooks/oppwa',
      REFUNDS_TIME_SCALE: '0.001',
      REFUNDS_SANDBOX_GATEWAY_THROTTLE: 'documented',
    });
    expect(settings).toMatchObject({
      port: 4010,
      journalFile: join('/data', 'gateway.jsonl'),
      entities: [{ id: ENTITY.id, token: 'secret' }],
      webhooks: { timeFactor: 0.001 },
      settings: { throttle: 'documented' },
    });
  });

  it('are named in errors, without their values', () => {
    const read = (): unknown =>
      readProcessSettings({ OPPWA_WEBHOOK_KEY: 'hush', REFUNDS_SANDBOX_GATEWAY_PORT: 'x' });
    expect(read).toThrow(/REFUNDS_SANDBOX_GATEWAY_PORT: .*OPPWA_WEBHOOK_KEY: must be 64 hex digits/);
    expect(read).not.toThrow(/hush/);
  });
});
