/** Notifications of the gateway only bring the next query forward. */
import { describe, expect, it, vi } from 'vitest';
import { historyOf } from './history.js';
import { CLERK, eventually, openHarness } from './harness.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { recordReturn, inLastMomentOf } from '../support/last-moment.js';
import { gatewayNotification, refundWorkflowId, syncUpdate } from '../../workflows/refund/contract.js';
import type { refund } from '../../workflows/refund/workflow.js';

const harness = await openHarness();
const { ledger } = harness.dependencies;

/** Far longer than any test may last: only the notification ends such a wait. */
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

describe('a notification about a pending refund', () => {
  it('makes it query at once instead of in an hour', async () => {
    const { refundId, handle, gatewayId } = await pendingRefund();
    harness.gateway.engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await handle.signal(gatewayNotification);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
    expect(await queriesOf(refundId)).toBe(1);
  });

  it('proves nothing by itself: while the gateway has nothing final, the refund stays pending', async () => {
    const { refundId, handle, gatewayId } = await pendingRefund();
    await handle.signal(gatewayNotification);
    await eventually('it was queried', async () => ((await queriesOf(refundId)) === 1 ? true : undefined));
    expect((await harness.refund(refundId)).state).toBe('pending');
    harness.gateway.engine.finishPending({ id: gatewayId, state: 'succeeded' });
    await handle.signal(gatewayNotification);
    expect(await handle.result()).toMatchObject({ state: 'succeeded' });
  });

  it('that arrives before the answer is not lost', async () => {
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

/** A refund of 100.00. `during` runs between its success in the ledger and the workflow's receipt of it. */
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

describe('a refund that waits for an operator', () => {
  it('ends its run without a signal: it reads the ledger again by itself', async () => {
    const { paymentId } = harness.newPayment();
    harness.fault({ kind: 'reject', code: '700.300.300' }, { paymentId });
    const { refundId, handle } = await harness.pay(paymentId, '100.00', { caseAfterUnknown: 500 });
    await harness.untilState(refundId, 'manual_review');
    // As after an attempt that the server had given up, or a command that a reset left out.
    await harness.dependencies.ledger.withdraw(refundId, 'supervisor', 'paid by hand');
    expect(await handle.result()).toMatchObject({ state: 'canceled' });
  });
});

describe('a message during the last activity', () => {
  it('is handled: a notification that the money was returned leads to an operator', async () => {
    const refundId = await inLastMoment(async (id) => {
      const { version } = await recordReturn(id, ledger, harness.gateway.engine);
      await handleOf(id).signal(gatewayNotification, version);
    });
    expect(await harness.untilState(refundId, 'manual_review')).toMatchObject({ why: 'returned' });
    const { activities } = await historyOf(handleOf(refundId));
    expect(activities).toEqual(['submitRefund', 'readSnapshot', 'openCase']);
  });

  it('is handled: so does the result of a command that is still running', async () => {
    const recordNote = ledger.note.bind(ledger);
    let goOn = (): void => undefined;
    const heldUp = vi.spyOn(ledger, 'note').mockImplementationOnce(async (...args) => {
      await new Promise<void>((resolve) => (goOn = resolve));
      return recordNote(...args);
    });
    let resolved: Promise<unknown> = Promise.resolve();
    const refundId = await inLastMoment(async (id) => {
      await recordReturn(id, ledger, harness.gateway.engine);
      const note = { by: CLERK, reason: 'the customer called' };
      resolved = handleOf(id).executeUpdate(syncUpdate, { args: [note] });
      await eventually('it is being carried out', () => heldUp.mock.calls.length === 1 || undefined);
    });
    await eventually('the run has received the success', async () =>
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

  it('has no effect if the run knows it already', async () => {
    const refundId = await inLastMoment((id, { version }) =>
      handleOf(id).signal(gatewayNotification, version),
    );
    expect(await handleOf(refundId).result()).toMatchObject({ state: 'succeeded' });
    expect((await historyOf(handleOf(refundId))).activities).toEqual(['submitRefund']);
  });
});
