/** Notifications in the timelines of refunds and payments: over the API and with the command `show`. */
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { payment as paymentShape, timelineEntry } from '../../server/api/schemas.js';
import { createApiKey } from '../../ledger/access/api-keys.js';
import { webhooksOf } from '../../ledger/inbox/webhooks.js';
import { eventually, NEVER, openHarness } from '../conformance/harness.js';
import { command } from '../support/command.js';
import { deliverNotifications, startReceiver, webhookAddress } from '../support/receiver.js';

const address = await webhookAddress();
const harness = await openHarness({
  webhooks: address,
  timings: { queryFirst: NEVER, queryMax: NEVER, caseAfterPending: 24 * NEVER },
});
const receiver = await startReceiver(harness, address);
afterAll(() => receiver.close());
const { text: key } = await createApiKey(harness.database, { name: 'shop', roles: ['read'] });

async function read(path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${key.reveal()}` };
  return (await fetch(new URL(path, receiver.url), { headers })).json();
}

const timelineShape = z.array(timelineEntry);
const typesOf = (entries: z.infer<typeof timelineShape>): string[] => entries.map(({ type }) => type);

it('shows the notification of a success in every timeline, before the event that it caused', async () => {
  const payment = harness.newPayment();
  harness.onRefund(payment, { kind: 'pending' });
  const { id } = await harness.ask(payment, '60.00');
  const { attempts } = await harness.until(id, 'pending');
  await deliverNotifications(harness);
  harness.gateway.engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
  await deliverNotifications(harness);
  await harness.until(id, 'succeeded');
  await eventually('both notifications are processed', async () => {
    const reported = await webhooksOf(harness.database, { refundId: id });
    return reported.length === 2 && reported.every(({ state }) => state === 'processed') ? true : undefined;
  });

  const { data } = z.object({ data: timelineShape }).parse(await read(`/v1/refunds/${id}/timeline`));
  const reported = data.filter(({ type }) => type === 'webhook');
  expect(reported.at(-1)).toMatchObject({
    actor: 'gateway',
    refundId: id,
    text: 'Notified by the gateway: refund 60.00 EUR 000.100.110: completes the attempt',
    data: { code: '000.100.110', paymentType: 'refund', state: 'processed', why: 'completed' },
  });
  expect(reported).toHaveLength(2);
  expect(reported.at(-1)?.id).toMatch(/^webhook:\d+$/);
  expect(typesOf(data).lastIndexOf('webhook')).toBeLessThan(typesOf(data).indexOf('attempt.succeeded'));

  const { timeline } = paymentShape.parse(await read(`/v1/payments/${payment.paymentId}`));
  const ofRefund = timeline.filter(({ type, refundId }) => type === 'webhook' && refundId === id);
  expect(ofRefund).toEqual(reported);

  const { stdout } = await command(harness.env, 'show', id, '--json');
  const shown = z.object({ timeline: timelineShape }).parse(JSON.parse(stdout));
  expect(shown.timeline.filter(({ type }) => type === 'webhook')).toEqual(reported);
}, 180_000);

it('shows a chargeback in the timeline of the payment, and not in those of its refunds', async () => {
  const payment = harness.newPayment();
  const { id } = await harness.ask(payment, '60.00');
  await harness.until(id, 'succeeded');
  const chargeback = harness.gateway.engine.chargeback({ paymentId: payment.paymentId });
  await deliverNotifications(harness);
  const entry = await eventually('the chargeback is confirmed', async () => {
    const { timeline } = paymentShape.parse(await read(`/v1/payments/${payment.paymentId}`));
    return timeline.find(({ data }) => data['gatewayId'] === chargeback.id && data['state'] === 'processed');
  });
  expect(entry).toMatchObject({ type: 'webhook', refundId: null });
  expect(entry.text).toMatch(/^Notified by the gateway: chargeback 100\.00 EUR .*: a query confirms it$/);
  const { data } = z.object({ data: timelineShape }).parse(await read(`/v1/refunds/${id}/timeline`));
  expect(data.filter((one) => one.data['gatewayId'] === chargeback.id)).toEqual([]);
});
