/** A refund that stays pending for months: its history is limited, so it continues in new runs. */
import { afterAll, expect, it } from 'vitest';
import { startTemporal } from '../../sandbox/servers/temporal.js';
import { historyOf } from './history.js';
import { eventually, openHarness } from './harness.js';

/** Temporal suggests a new run after 4,096 events: with one query per hour that is two weeks. */
const EVENTS = 60;
const server = await startTemporal({
  dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': String(EVENTS) },
});
afterAll(() => server.stop());
const harness = await openHarness({ temporal: server });

it('a refund that stays pending continues in run after run, and is paid once', async () => {
  const { paymentId } = harness.newPayment();
  harness.fault({ kind: 'pending' }, { paymentId });
  const { refundId, handle } = await harness.pay(paymentId, '100.00');
  const first = (await handle.describe()).runId;
  const { attempts } = await harness.untilState(refundId, 'pending');
  await eventually('a fresh run', async () => ((await handle.describe()).runId === first ? undefined : true));
  expect((await harness.refund(refundId)).state).toBe('pending');

  harness.gateway.engine.finishPending({ id: attempts[0]?.gatewayId ?? '', state: 'succeeded' });
  expect(await handle.result()).toMatchObject({ refundId, state: 'succeeded' });
  expect((await harness.refund(refundId)).attempts).toMatchObject([{ submissions: 1, state: 'succeeded' }]);
  // Each run takes over the state of the last one, and none grows beyond its share.
  const last = await historyOf(harness.temporal.workflow.getHandle(handle.workflowId));
  expect(last.activities[0]).toBe('submitRefund');
  expect(last.length).toBeLessThan(EVENTS + 20);
});
