/** The gateway's notices: hints that bring the next look-up forward, and nothing else. */
import { describe, expect, it, vi } from 'vitest';
import { historyOf } from './history.js';
import { CLERK, eventually, openHarness } from './harness.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { recordReturn, inLastMomentOf } from '../support/last-moment.js';
import { gatewayNotification, refundWorkflowId, syncUpdate } from '../../workflows/refund/contract.js';
import type { refund } from '../../workflows/refund/workflow.js';

const harness = await openHarness();
const { ledger } = harness.dependencies;

/** Far longer than any test may last: what ends such a wait is the notice. */
const HOUR = 3_600_000;
const patient = { queryFirst: HOUR, queryMax: HOUR, caseAfterPending: 24 * HOUR };

async function pendingRefund() {
  const { paymentId } = harness.newPayment();
  harness.fault({ kind: 'pending' }, { paymentId });
  const { refundId, handle } = await harness.pay(paymentId, '100.00', patient);
  const { attempts } = await harness.untilState(refundId, 'pending');
  return { refundId, handle, gatewayId: attempts[0]?.gatewayId ?? '' };
}

const queriesOf = async (refundId: string): Promise<number> =>
  (await harness.refund(refundId)).attempts.reduce((sum, { queries }) => sum + queries, 0);

describe('a notice about a pending refund', () => {
  it('has it looked up at once instead of in an hour', async () => {
    const { refundId, handle, gatewayId } = await pendingRefund();
    harness.gateway.engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await handle.signal(gatewayNotification);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await queriesOf(refundId)).toBe(1);
  });

  it('proves nothing by itself: while the gateway has nothing final, the refund stays pending', async () => {
    const { refundId, handle, gatewayId } = await pendingRefund();
    await handle.signal(gatewayNotification);
    await eventually('it was looked up', async () => ((await queriesOf(refundId)) === 1 ? true : undefined));
    expect((await harness.refund(refundId)).state).toBe('pending');
    harness.gateway.engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await handle.signal(gatewayNotification);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
  });

  it('that comes before the answer does is not forgotten', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'accept_then_drop', dropAfterMs: 2_000 }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00', patient);
    await harness.untilExecuted(paymentId);
    expect((await harness.refund(refundId)).state).toBe('submitting');
    await handle.signal(gatewayNotification);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(handle)).activities).toEqual(['submitRefund', 'queryOutcome']);
  });
});

const handleOf = (refundId: string) =>
  harness.temporal.workflow.getHandle<typeof refund>(refundWorkflowId(refundId));

/** A refund of 100.00, and what happens between its success and its run's hearing of it. */
async function inLastMoment(during: (refundId: string, recorded: RefundSnapshot) => Promise<unknown>) {
  const { id } = await harness.accept(harness.newPayment().paymentId, '100.00');
  await inLastMomentOf(
    id,
    ledger,
    () => harness.drive(id),
    (recorded) => during(id, recorded),
  );
  return id;
}

describe('a refund that waits for a person', () => {
  it('ends its run though nothing told it: it reads the ledger again by itself', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'reject', code: '700.300.300' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00', { caseAfterUnknown: 500 });
    await harness.untilState(refundId, 'manual_review');
    // As an attempt does that the server had given up, or a word that was left out where its run was reset.
    await harness.dependencies.ledger.withdraw(refundId, 'supervisor', 'paid by hand');
    expect(await handle.result()).toMatchObject({ state: 'canceled' });
  });
});

describe('what comes while the last activity answers', () => {
  it('is heard: a notice that the money is back leads to a person', async () => {
    const refundId = await inLastMoment(async (id) => {
      const { version } = await recordReturn(id, ledger, harness.gateway.engine);
      await handleOf(id).signal(gatewayNotification, version);
    });
    expect(await harness.untilState(refundId, 'manual_review')).toMatchObject({ why: 'returned' });
    const { activities } = await historyOf(handleOf(refundId));
    expect(activities).toEqual(['submitRefund', 'readSnapshot', 'openCase']);
  });

  it('is heard: so does what comes of a person’s word that is still being carried out', async () => {
    const note = ledger.note.bind(ledger);
    let goOn = (): void => undefined;
    const heldUp = vi.spyOn(ledger, 'note').mockImplementationOnce(async (...args) => {
      await new Promise<void>((resolve) => (goOn = resolve));
      return note(...args);
    });
    let resolved: Promise<unknown> = Promise.resolve();
    const refundId = await inLastMoment(async (id) => {
      await recordReturn(id, ledger, harness.gateway.engine);
      const note = { by: CLERK, reason: 'the customer called' };
      resolved = handleOf(id).executeUpdate(syncUpdate, { args: [note] });
      await eventually('it is being carried out', () => heldUp.mock.calls.length === 1 || undefined);
    });
    await eventually('the run has heard that it succeeded', async () =>
      (await historyOf(handleOf(refundId))).completed.includes('submitRefund') ? true : undefined,
    );
    goOn();
    expect(await resolved).toMatchObject({ state: 'returned' });
    expect(await harness.untilState(refundId, 'manual_review')).toMatchObject({ why: 'returned' });
    expect((await historyOf(handleOf(refundId))).activities).toEqual([
      'submitRefund',
      'queryOutcome',
      'openCase',
    ]);
  });

  it('costs nothing where the run knows it already', async () => {
    const refundId = await inLastMoment((id, { version }) =>
      handleOf(id).signal(gatewayNotification, version),
    );
    expect(await handleOf(refundId).result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(handleOf(refundId))).activities).toEqual(['submitRefund']);
  });
});
