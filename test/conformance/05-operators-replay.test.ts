/**
 * 05: operators run a refund again: reset, terminate and start, start a final one, two at once, activity reset. Each may pay a second time.
 * Sources: Temporal's documentation of resets, temporalio/temporal#8901, medusajs/medusa#15527 (a late compensation refunded a good payment).
 */
import { describe, expect, it } from 'vitest';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { resetToTheStart } from '../support/reset.js';
import { eventually, openHarness, SUPERVISOR, type Harness } from './harness.js';

const harness = await openHarness();
const { temporal } = harness;
const { namespace } = temporal.options;

type Run = ReturnType<Harness['run']>;

/** Deletes the run, as the retention period does: Temporal knows nothing of it afterwards. */
async function remove(run: Run): Promise<void> {
  await temporal.workflowService.deleteWorkflowExecution({
    namespace,
    workflowExecution: { workflowId: run.workflowId },
  });
  await eventually('the run is deleted', () =>
    run.describe().then(
      () => undefined,
      () => true,
    ),
  );
}

const executed = (payment: CreatedPayment): number =>
  harness.transactionsOf(payment).filter((transaction) => transaction.executed).length;

describe('a refund in progress', () => {
  it.for(['reset', 'terminated and started', 'deleted and started'] as const)(
    'is %s while its answer is in transit: it is not submitted again',
    async (how) => {
      const payment = harness.newPayment();
      harness.onRefund(payment, { kind: 'answer_after', ms: 2_000 });
      const { id } = await harness.ask(payment, '60.00');
      await harness.untilExecuted(payment);
      if (how === 'reset') await resetToTheStart(temporal, harness.run(id));
      else {
        if (how === 'terminated and started') await harness.run(id).terminate('a test');
        else await remove(harness.run(id));
        await harness.drive(id);
      }
      expect(await harness.run(id).result()).toMatchObject({ state: 'succeeded' });
      expect(executed(payment)).toBe(1);
      expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
    },
  );

  it('is resumed by two operators at once: they share one run', async () => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'accept_then_drop' });
    const { id } = await harness.ask(payment, '60.00');
    await harness.untilExecuted(payment);
    await harness.run(id).terminate('a test');
    await Promise.all([
      harness.drive(id),
      harness.drive(id),
      harness.client.resume(),
      harness.client.sync(id),
    ]);
    expect(await harness.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(executed(payment)).toBe(1);
  });

  it('has its submitting activity reset while the answer is in transit: it is not submitted again', async () => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'answer_after', ms: 2_000 });
    const { id } = await harness.ask(payment, '60.00');
    await harness.untilExecuted(payment);
    const [pending] = (await harness.run(id).describe()).raw.pendingActivities ?? [];
    await temporal.workflowService.resetActivity({
      namespace,
      execution: { workflowId: `refund-${id}` },
      id: pending?.activityId ?? '',
      identity: 'operator',
    });
    expect(await harness.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(executed(payment)).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('is reset after it became a credit: no second credit', async () => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    harness.onCredit(payment, { kind: 'answer_after', ms: 2_000 });
    const { id } = await harness.ask(payment, '60.00');
    await harness.untilExecuted(payment);
    await resetToTheStart(temporal, harness.run(id));
    expect(await harness.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(executed(payment)).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', credited: '60.00' });
  });

  it('is reset while it waits for approval: the approval still counts, and is requested once only', async () => {
    const payment = harness.newPayment({ amount: '800.00' });
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id } = await harness.ask(payment, '800.00');
    const { approval } = await harness.until(id, 'awaiting_approval');
    await resetToTheStart(temporal, harness.run(id));
    await harness.client.approve(id, { ...SUPERVISOR, instruction: approval?.instruction ?? '' });
    await resetToTheStart(temporal, harness.run(id));
    await harness.until(id, 'succeeded');
    expect(executed(payment)).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '800.00' });
  });
});

describe('two operators at once', () => {
  const destinationOf = (registrationId: string, by: string) => ({
    by,
    reason: 'the card is closed',
    registrationId,
  });

  it('name two destinations for one refund: the first counts, the second gets an error, and one credit is paid', async () => {
    const payment = harness.newPayment();
    const [first, second] = [harness.newPayment().registrationId, harness.newPayment().registrationId];
    harness.onRefund(payment, { kind: 'reject', code: '800.100.171' });
    const { id } = await harness.ask(payment, '60.00');
    await harness.until(id, 'manual_review');
    await harness.run(id).terminate('a test');

    const answer = await Promise.allSettled([
      harness.client.changeDestination(id, destinationOf(first, 'anna')),
      harness.client.changeDestination(id, destinationOf(second, 'berta')),
    ]);
    expect(answer.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const { approval } = await harness.until(id, 'awaiting_approval');
    await harness.client.approve(id, { ...SUPERVISOR, instruction: approval?.instruction ?? '' });
    await harness.until(id, 'succeeded');
    const credits = harness.gateway.engine
      .transactions()
      .filter(({ type, registrationId }) => type === 'CD' && [first, second].includes(registrationId ?? ''));
    expect(credits).toMatchObject([{ executed: true, ...approval?.destination }]);
  });

  it('restart the same run: each new run finds the submission in the ledger, and does not submit again', async () => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'answer_after', ms: 2_000 });
    const { id } = await harness.ask(payment, '60.00');
    await harness.untilExecuted(payment);
    const { run } = await harness.client.explainReplay(id);
    const restart = { runId: run?.runId ?? '' };
    await Promise.allSettled(
      ['anna', 'berta'].map((by) => harness.client.replay(id, { by, reason: 'hangs', restart })),
    );
    expect(await harness.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(executed(payment)).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });
});

describe('a final refund', () => {
  it.for(['succeeded', 'failed'] as const)(
    'that is %s stays so when it is reset, and started again by two operators at once',
    async (state) => {
      const payment = harness.newPayment();
      if (state === 'failed') harness.onRefund(payment, { kind: 'reject', code: '700.100.300' });
      const { id } = await harness.ask(payment, '60.00');
      await harness.run(id).result();
      const before = harness.transactionsOf(payment);
      const balance = await harness.balance(payment);

      await resetToTheStart(temporal, harness.run(id));
      expect(await harness.run(id).result()).toMatchObject({ state });
      // A new run has no history of the last one, as after the retention period.
      await Promise.all([harness.drive(id), harness.drive(id)]);
      expect(await harness.run(id).result()).toMatchObject({ state });

      expect(harness.transactionsOf(payment)).toEqual(before);
      // Released once, and not again by a compensation that runs late.
      expect(await harness.balance(payment)).toEqual(balance);
      expect(harness.booked(payment).out).toBe(state === 'failed' ? '0.00' : '60.00');
    },
  );

  it('that is requested again with its own key is the same refund and starts nothing', async () => {
    const payment = harness.newPayment();
    const key = crypto.randomUUID();
    const { id } = await harness.ask(payment, '50.00', { idempotencyKey: key });
    await harness.run(id).result();
    expect(await harness.ask(payment, '50.00', { idempotencyKey: key })).toMatchObject({
      id,
      state: 'succeeded',
    });
    expect(executed(payment)).toBe(1);
  });
});
