/** The queue, search, payments and the stream of changes. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { change, searchResult, payment, queueItem, timelineEntry } from '../../server/api/schemas.js';
import { dataOf, problemOf, refundOf, startApi } from './harness.js';
import { seen } from '../support/seen.js';

const harness = await startApi();
afterAll(() => harness.close());
const { ask, call, stack } = harness;

/** Creates a refund whose credit is above the limit, so that it needs a second approver. */
async function waiting(orderId: string = randomUUID()) {
  const { paymentId } = stack.newPayment({ amount: '800.00' });
  stack.fault({ kind: 'reject', code: '700.500.001' }, { paymentId });
  const idempotencyKey = randomUUID();
  const asked = await ask(paymentId, {
    idempotencyKey,
    body: { paymentId, amount: '800.00', currency: 'EUR', reason: 'goods_returned', orderId },
  });
  const { id } = refundOf(asked);
  for await (const seen of stack.client.watch(id)) if (seen.approval !== null) break;
  return { id, paymentId, orderId, idempotencyKey };
}

describe('the queue', () => {
  it('lists refunds that need an operator, longest waiting first, each once over all pages', async () => {
    const waits = [await waiting(), await waiting(), await waiting()].map(({ id }) => id);
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const page = await call('GET', `/v1/queue?limit=2${cursor}`);
      expect(page.status).toBe(200);
      const items = dataOf(page, queueItem);
      for (const item of items) {
        expect(item.state).toBe('awaiting_approval');
        expect(item.ageSeconds).toBeLessThan(120);
      }
      seen.push(...items.map(({ id }) => id));
      const { nextCursor } = z.object({ nextCursor: z.string().nullable() }).parse(page.body);
      if (nextCursor === null) break;
      cursor = `&cursor=${nextCursor}`;
    }
    expect(seen.filter((id) => waits.includes(id))).toEqual(waits);

    for (const id of waits) {
      const { approval } = refundOf(await call('GET', `/v1/refunds/${id}`));
      await call('POST', `/v1/refunds/${id}/reject`, {
        key: await harness.newKey('boss', 'approve'),
        body: { instruction: approval?.instruction, reason: 'paid by bank transfer' },
      });
    }
    const after = dataOf(await call('GET', '/v1/queue'), queueItem).map(({ id }) => id);
    expect(after.filter((id) => waits.includes(id))).toEqual([]);
  });

  it.each(['x', Buffer.from('99 99').toString('base64url'), Buffer.from("1' 0").toString('base64url')])(
    'refuses the invalid cursor %s',
    async (cursor) => {
      const answer = await call('GET', `/v1/queue?cursor=${cursor}`);
      expect(answer.status).toBe(422);
      expect(problemOf(answer).problems?.map(({ field }) => field)).toEqual(['cursor']);
    },
  );
});

describe('search', () => {
  it('finds a refund and its payment by any complete id', async () => {
    const { id, paymentId, orderId, idempotencyKey } = await waiting();
    const [attempt] = refundOf(await call('GET', `/v1/refunds/${id}`)).attempts;
    const expected = [
      [id, 'refundId', id],
      [paymentId, 'paymentId', paymentId],
      [orderId, 'orderId', id],
      [idempotencyKey, 'idempotencyKey', id],
      [attempt?.merchantTransactionId ?? '', 'merchantTransactionId', id],
      [attempt?.gatewayId ?? '', 'gatewayId', id],
    ];
    for (const [q = '', matched, of] of expected) {
      const matches = dataOf(await call('GET', `/v1/search?q=${encodeURIComponent(q)}`), searchResult);
      expect(matches, matched).toEqual([expect.objectContaining({ matched, id: of })]);
      const part = await call('GET', `/v1/search?q=${encodeURIComponent(q.slice(0, -1))}`);
      expect(dataOf(part, searchResult), matched).toEqual([]);
    }
    await stack.client.reject(id, await seen(stack.client, id, { by: 'boss', reason: 'no' }));
  });
});

describe('a payment', () => {
  it('has balances that add up, and one timeline for all of its refunds', async () => {
    const { paymentId } = stack.newPayment({ amount: '100.00' });
    const first = refundOf(await ask(paymentId));
    await stack.client.waitFor(first.id, 30_000);
    stack.fault({ kind: 'reject', code: '700.500.001' }, { paymentId });
    const second = refundOf(
      await ask(paymentId, {
        body: { paymentId, amount: '25.50', currency: 'EUR', reason: 'goods_returned' },
      }),
    );
    await stack.client.waitFor(second.id, 30_000);
    const page = payment.parse((await call('GET', `/v1/payments/${paymentId}`)).body);
    expect(page).toMatchObject({
      captured: '100.00',
      refunded: '40.00',
      credited: '25.50',
      reserved: '0.00',
      returned: '0.00',
      disputed: '0.00',
      refundable: '34.50',
    });
    expect(page.refunds.map(({ id, operation }) => [id, operation])).toEqual([
      [second.id, 'credit'],
      [first.id, 'refund'],
    ]);
    const times = page.timeline.map(({ at }) => at);
    expect(times).toEqual(times.toSorted());
    expect(page.timeline[0]).toMatchObject({ type: 'refund.requested', actor: 'shop', refundId: first.id });
    expect(page.timeline.map(({ text }) => text)).toContain(
      'The gateway reports success (reserved -40.00 EUR, paid back +40.00 EUR)',
    );

    const own = dataOf(await call('GET', `/v1/refunds/${second.id}/timeline`), timelineEntry);
    expect(own).toEqual(page.timeline.filter(({ refundId }) => refundId === second.id));
  });
});

describe('the stream', () => {
  interface Received {
    readonly changes: z.infer<typeof change>[];
    readonly until: (fits: (one: z.infer<typeof change>) => boolean) => Promise<void>;
    readonly hangUp: () => void;
  }
  async function listen(lastEventId?: string): Promise<Received> {
    const hangUp = new AbortController();
    const response = await fetch(`${harness.url}/v1/stream`, {
      headers: {
        authorization: `Bearer ${await harness.newKey('reader', 'read')}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      signal: hangUp.signal,
    });
    expect(response.headers.get('content-type')).toMatch('text/event-stream');
    const reader = (response.body ?? new ReadableStream<Uint8Array>())
      .pipeThrough(new TextDecoderStream())
      .getReader();
    const changes: z.infer<typeof change>[] = [];
    let rest = '';
    const more = async (): Promise<void> => {
      const { value, done } = await reader.read();
      if (done) throw new Error('the stream has ended');
      const events = (rest + value).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data !== undefined) changes.push(change.parse(JSON.parse(data)));
      }
    };
    await more();
    return {
      changes,
      until: async (fits) => {
        while (!changes.some(fits)) await more();
      },
      hangUp: () => {
        hangUp.abort();
      },
    };
  }

  it('sends each change once, and resumes after Last-Event-ID', async () => {
    const live = await listen();
    const { paymentId } = stack.newPayment();
    const { id } = refundOf(await ask(paymentId));
    await live.until(({ refundId, type }) => refundId === id && type === 'refund.succeeded');
    live.hangUp();
    const received = live.changes.filter(({ refundId }) => refundId === id);
    const ids = received.map((one) => one.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(received.map(({ type }) => type)).toEqual(
      expect.arrayContaining([
        'refund.requested',
        'refund.reserved',
        'attempt.submitted',
        'refund.succeeded',
      ]),
    );

    const again = await listen(ids[0]);
    await again.until(({ refundId, type }) => refundId === id && type === 'refund.succeeded');
    again.hangUp();
    const reported = again.changes.filter(({ refundId }) => refundId === id).map((one) => one.id);
    expect(reported.toSorted()).toEqual(ids.slice(1).toSorted());
  });
});
