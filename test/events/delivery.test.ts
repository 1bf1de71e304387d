/** Tests the delivery of events: signed, at least once and with one id, through failures of the receiver and of the dispatcher. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { outboundEvent } from '../../server/api/events.js';
import { Secret } from '../../domain/secret.js';
import { createReceiver } from '../../examples/event-receiver/server.js';
import { verify, type RefundEvent } from '../../examples/event-receiver/verify.js';
import { listDeliveries, type DeliveryRecord } from '../../ledger/outbox/deliveries.js';
import { setEventsEnabled, OUTGOING_EVENT_TYPES } from '../../ledger/outbox/outbox.js';
import { createLog } from '../../settings/log.js';
import { startDispatcher, type Dispatcher } from '../../worker/events/dispatcher.js';
import { deliveryTimingsAt, type DeliveryTimings } from '../../worker/events/retries.js';
import { problemOf, startApi } from '../api/harness.js';
import { command } from '../support/command.js';
import { eventually } from '../workflows/harness.js';
import { hangUp, silence, startReceiver, status } from './receiver.js';

vi.setConfig({ testTimeout: 120_000 });

const harness = await startApi();
const { stack } = harness;
const { database, dependencies } = stack;
const receiver = await startReceiver();
const elsewhere = await startReceiver();
const key = randomBytes(32);
const secretText = `whsec_${key.toString('base64')}`;
const secrets = [new Secret(key)];
const lines: string[] = [];
const log = createLog({ role: 'worker', to: { write: (line) => lines.push(line) } });
const TIMINGS: DeliveryTimings = { ...deliveryTimingsAt(0.001), poll: 20, retryFirst: 20, retryMax: 100 };

const DAY = 24 * 3_600_000;

const running: Dispatcher[] = [];
function dispatch(timings: Partial<DeliveryTimings> = {}, url = receiver.url): Dispatcher {
  const dispatcher = startDispatcher({
    database,
    ledger: dependencies.ledger,
    events: { url, secrets, keptMs: 90 * DAY },
    timings: { ...TIMINGS, ...timings },
    log,
  });
  running.push(dispatcher);
  return dispatcher;
}
beforeEach(() => setEventsEnabled(database, true));
afterEach(async () => {
  await Promise.all(running.splice(0).map((dispatcher) => dispatcher.stop()));
});
afterAll(() => harness.close());

async function pay(amount = '40.00'): Promise<string> {
  const { paymentId } = stack.newPayment();
  const request = { paymentId, amount, currency: 'EUR', reason: 'goods_returned' };
  const { id } = await stack.client.requestRefund({
    clientId: 'shop',
    idempotencyKey: crypto.randomUUID(),
    requestedBy: 'clerk',
    request,
  });
  await stack.client.waitFor(id, 60_000);
  return id;
}

const untilEvent = (
  refundId: string,
  state: DeliveryRecord['state'],
  more: (event: DeliveryRecord) => boolean = () => true,
): Promise<DeliveryRecord> =>
  eventually(`an event of ${refundId} is ${state}`, async () =>
    (await listDeliveries(database, { refundId })).find((event) => event.state === state && more(event)),
  );

describe('a refund that is paid', () => {
  it('is sent once, signed, with the refund as the API shows it', async () => {
    dispatch();
    const id = await pay();
    await untilEvent(id, 'delivered');
    const [request, ...more] = receiver.of(id);
    expect(more).toEqual([]);
    if (request === undefined) throw new Error('no request came');
    const event = verify(request.headers, request.body, secretText, request.at);
    expect(event).toMatchObject({ type: 'refund.succeeded', id: request.id, data: { state: 'succeeded' } });
    expect(event.data.refund).toEqual(await stack.client.getRefund(id));
    expect(request.headers['content-type']).toBe('application/json');
  });

  it('is sent as one event for each step, in the order of the steps', async () => {
    dispatch();
    const { paymentId } = stack.newPayment();
    stack.fault({ kind: 'pending', afterMs: 300 }, { paymentId });
    const request = { paymentId, amount: '40.00', currency: 'EUR', reason: 'goods_returned' };
    const { id } = await stack.client.requestRefund({
      clientId: 'shop',
      idempotencyKey: crypto.randomUUID(),
      requestedBy: 'clerk',
      request,
    });
    await stack.client.waitFor(id, 60_000);
    await untilEvent(id, 'delivered', ({ type }) => type === 'refund.succeeded');
    const events = receiver.of(id).map(({ headers, body, at }) => verify(headers, body, secretText, at));
    expect(events.map(({ type }) => type)).toEqual(['refund.pending', 'refund.succeeded']);
    expect(BigInt(events[1]?.data.sequence ?? 0)).toBeGreaterThan(BigInt(events[0]?.data.sequence ?? 0));
  });

  it('is handled once by the receiver of the examples, which rejects events of another sender', async () => {
    const acted: RefundEvent[] = [];
    const shop = createReceiver({
      secret: secretText,
      onEvent: async (event) => {
        acted.push(event);
      },
    });
    shop.listen(0, '127.0.0.1');
    await once(shop, 'listening');
    const { port } = shop.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    try {
      dispatch({}, url);
      const id = await pay();
      const { id: eventId } = await untilEvent(id, 'delivered');
      const again = await command(stack.env, 'events', 'resend', eventId, '--json');
      expect(JSON.parse(again.stdout)).toEqual({ resent: [eventId] });
      await untilEvent(id, 'delivered');
      expect(acted.map(({ data }) => data.refund.id)).toEqual([id]);
      const forged = await fetch(url, {
        method: 'POST',
        headers: {
          'webhook-id': 'x',
          'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
          'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}`,
        },
        body: JSON.stringify({ id: 'x', type: 'refund.succeeded' }),
      });
      expect(forged.status).toBe(400);
      expect(acted).toHaveLength(1);
    } finally {
      shop.closeAllConnections();
      shop.close();
    }
  });
});

describe('a receiver that does not accept an event', () => {
  it.each([
    ['answers 500', status(500), 'http_500'],
    ['closes the connection', hangUp, 'UND_ERR_SOCKET'],
    ['redirects the request', status(307, { location: elsewhere.url }), 'http_307'],
  ])('%s: it is sent again under the same id until it is accepted', async (_name, answer, error) => {
    receiver.answer(answer, answer);
    dispatch();
    const id = await pay();
    const event = await untilEvent(id, 'delivered');
    expect(event).toMatchObject({ tries: 3, lastStatus: 204, lastError: null });
    const requests = receiver.of(id);
    expect(requests.map((request) => request.id)).toEqual([event.id, event.id, event.id]);
    // Each try has a new signature, so that the last one is as recent as the first.
    for (const { headers, body, at } of requests) verify(headers, body, secretText, at);
    expect(elsewhere.received).toEqual([]);
    expect(lines.some((line) => line.includes(error) && line.includes(id))).toBe(true);
  });

  it('and does not answer: the request times out before the lease ends, and other events are not delayed', async () => {
    receiver.answer(silence);
    dispatch({ answerWithin: 1_500 });
    const slow = await pay();
    const other = await pay();
    await untilEvent(other, 'delivered');
    const event = await untilEvent(slow, 'delivered');
    expect(event.tries).toBe(2);
    expect(lines.some((line) => line.includes('timeout') && line.includes(slow))).toBe(true);
  });

  it('for too long: the event is given up, and sent again when an operator requests it', async () => {
    receiver.answer(status(503), status(503));
    const dispatcher = dispatch({ giveUpAfter: 0 });
    const [first, second] = [await pay(), await pay()];
    const dead = await untilEvent(first, 'dead');
    expect(dead).toMatchObject({ lastStatus: 503, lastError: 'http_503', nextTryAt: null, tries: 1 });
    await untilEvent(second, 'dead');
    await dispatcher.stop();

    const listed = await harness.call('GET', `/v1/events?state=dead&refundId=${first}`);
    expect(listed.body).toMatchObject({ data: [{ id: dead.id, state: 'dead' }], nextCursor: null });
    const reader = await harness.newKey('reader', 'read');
    const refused = await harness.call('POST', `/v1/events/${dead.id}/resend`, { key: reader });
    expect(refused.status).toBe(403);
    const resent = await harness.call('POST', `/v1/events/${dead.id}/resend`);
    expect(outboundEvent.parse(resent.body)).toMatchObject({ id: dead.id, state: 'waiting', tries: 0 });
    const byCommand = await command(stack.env, 'events', 'resend', '--dead');
    expect(byCommand).toMatchObject({ code: 0, stdout: '1 events are sent again\n' });
    dispatch();
    await untilEvent(first, 'delivered');
    await untilEvent(second, 'delivered');
  });

  it('and answers with 410: the event is not sent again', async () => {
    receiver.answer(status(410));
    dispatch();
    const id = await pay();
    expect(await untilEvent(id, 'dead')).toMatchObject({ tries: 1, lastError: 'http_410' });
  });

  it('leaves no part of its answers in the ledger', async () => {
    const { rows } = await sql<{ text: string }>`
      select d::text as text from event_deliveries d where d::text like '%4200000000000000%'`.execute(
      database.db,
    );
    expect(rows).toEqual([]);
    expect(lines.filter((line) => line.includes('4200000000000000'))).toEqual([]);
  });
});

describe('dispatchers', () => {
  it('that run side by side send each event once', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, () => pay('1.00')));
    for (let process = 0; process < 3; process += 1) dispatch();
    for (const id of ids) await untilEvent(id, 'delivered');
    expect(ids.map((id) => receiver.of(id).length)).toEqual(ids.map(() => 1));
  });

  it('that are killed during a try leave it to the next one, which uses the same id', async () => {
    const id = await pay();
    receiver.answer(silence);
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('dispatcher-process.ts', import.meta.url))],
      {
        env: { ...stack.env, REFUNDS_EVENTS_URL: receiver.url, REFUNDS_EVENTS_SECRET: secretText },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    await eventually('it is being posted', () => receiver.of(id)[0]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await listDeliveries(database, { refundId: id })).toMatchObject([{ state: 'waiting', tries: 1 }]);
    dispatch();
    const event = await untilEvent(id, 'delivered');
    expect(event.tries).toBe(2);
    expect(receiver.of(id).map((request) => request.id)).toEqual([event.id, event.id]);
  });
});

describe('events', () => {
  it('are not stored without a receiver, and begin with the changes after one is configured', async () => {
    await setEventsEnabled(database, false);
    const untold = await pay();
    expect(await listDeliveries(database, { refundId: untold })).toEqual([]);
    await setEventsEnabled(database, true);
    dispatch();
    await untilEvent(await pay(), 'delivered');
    expect(receiver.of(untold)).toEqual([]);
  });

  it('that were delivered long ago are deleted; undelivered ones and the ledger stay', async () => {
    dispatch();
    const [old, recent, dead] = [await pay(), await pay(), await pay()];
    for (const id of [old, recent, dead]) await untilEvent(id, 'delivered');
    const age = (refundId: string, days: number, state: DeliveryRecord['state']) =>
      sql`
      update event_deliveries set state = ${state}, delivered_at = now() - ${days} * interval '1 day'
       where refund_id = ${refundId}`.execute(database.db);
    await age(old, 91, 'delivered');
    await age(recent, 89, 'delivered');
    await age(dead, 91, 'dead');
    // The dispatcher deletes when it starts, and then once an hour.
    dispatch();
    await eventually('the old event is deleted', async () =>
      (await listDeliveries(database, { refundId: old })).length === 0 ? true : undefined,
    );
    expect(await listDeliveries(database, { refundId: recent })).toHaveLength(1);
    expect(await listDeliveries(database, { refundId: dead })).toHaveLength(1);
    const facts = await database.db
      .selectFrom('events')
      .select('type')
      .where('refund_id', '=', old)
      .execute();
    expect(facts.map(({ type }) => type)).toContain('refund.succeeded');
  });

  it('have the types that the documentation lists', async () => {
    const { rows } = await sql<{ text: string }>`
      select pg_get_triggerdef(oid) as text from pg_trigger where tgname = 'events_enqueue'`.execute(
      database.db,
    );
    const reported = [...(rows[0]?.text ?? '').matchAll(/'(refund\.\w+)'/g)].map(([, type]) => type);
    expect(reported.toSorted()).toEqual([...OUTGOING_EVENT_TYPES].toSorted());
  });

  it('are listed in pages, and an invalid request is answered with every error in it', async () => {
    const first = await harness.call('GET', '/v1/events?limit=1');
    const { nextCursor } = first.body as { nextCursor: string };
    const second = await harness.call('GET', `/v1/events?limit=1&cursor=${nextCursor}`);
    expect(second.body).not.toEqual(first.body);
    const wrong = await harness.call('GET', '/v1/events?state=lost&refundId=x');
    expect(wrong.status).toBe(422);
    expect(
      problemOf(wrong)
        .problems?.map(({ field }) => field)
        .toSorted(),
    ).toEqual(['refundId', 'state']);
    const unknown = await harness.call('POST', `/v1/events/${crypto.randomUUID()}/resend`);
    expect(unknown.status).toBe(404);
    const useless = await command(stack.env, 'events', 'resend');
    expect(useless.code).toBe(2);
  });
});
