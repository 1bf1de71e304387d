/**
 * 05: operators run a refund again: reset, terminate and start, start what is over, two at once, activity reset. Each may pay a second time.
 * Sources: Temporal's documentation of resets, temporalio/temporal#8901, medusajs/medusa#15527 (a late compensation refunded a good payment).
 */
import { describe, expect, it } from 'vitest';
import type { CreatedPayment } from '../../sandbox/gateway/commands.js';
import { resetToTheStart } from '../support/reset.js';
import { eventually, openWorld, SUPERVISOR, type World } from './world.js';

const world = await openWorld();
const { temporal } = world;
const { namespace } = temporal.options;

type Run = ReturnType<World['run']>;

/** As after the retention period: Temporal knows nothing of the run any more. */
async function forget(run: Run): Promise<void> {
  await temporal.workflowService.deleteWorkflowExecution({
    namespace,
    workflowExecution: { workflowId: run.workflowId },
  });
  await eventually('the run is forgotten', () =>
    run.describe().then(
      () => undefined,
      () => true,
    ),
  );
}

const executed = (payment: CreatedPayment): number =>
  world.transactionsOf(payment).filter((transaction) => transaction.executed).length;

describe('a refund that is under way', () => {
  it.for(['reset', 'terminated and started', 'forgotten and started'] as const)(
    'is %s while its answer is on its way: it is not sent again',
    async (how) => {
      const payment = world.newPayment();
      world.onRefund(payment, { kind: 'answer_after', ms: 2_000 });
      const { id } = await world.ask(payment, '60.00');
      await world.untilExecuted(payment);
      if (how === 'reset') await resetToTheStart(temporal, world.run(id));
      else {
        if (how === 'terminated and started') await world.run(id).terminate('a test');
        else await forget(world.run(id));
        await world.drive(id);
      }
      expect(await world.run(id).result()).toMatchObject({ state: 'succeeded' });
      expect(executed(payment)).toBe(1);
      expect(world.booked(payment)).toMatchObject({ out: '60.00' });
    },
  );

  it('is taken over by two operators at once: they share one run', async () => {
    const payment = world.newPayment();
    world.onRefund(payment, { kind: 'accept_then_drop' });
    const { id } = await world.ask(payment, '60.00');
    await world.untilExecuted(payment);
    await world.run(id).terminate('a test');
    await Promise.all([world.drive(id), world.drive(id), world.client.resume(), world.client.resolve(id)]);
    expect(await world.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(executed(payment)).toBe(1);
  });

  it('has its sending activity reset while the answer is on its way: it is not sent again', async () => {
    const payment = world.newPayment();
    world.onRefund(payment, { kind: 'answer_after', ms: 2_000 });
    const { id } = await world.ask(payment, '60.00');
    await world.untilExecuted(payment);
    const [pending] = (await world.run(id).describe()).raw.pendingActivities ?? [];
    await temporal.workflowService.resetActivity({
      namespace,
      execution: { workflowId: `refund-${id}` },
      id: pending?.activityId ?? '',
      identity: 'operator',
    });
    expect(await world.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(executed(payment)).toBe(1);
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('is reset after it had become a credit: no second credit', async () => {
    const payment = world.newPayment();
    world.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    world.onCredit(payment, { kind: 'answer_after', ms: 2_000 });
    const { id } = await world.ask(payment, '60.00');
    await world.untilExecuted(payment);
    await resetToTheStart(temporal, world.run(id));
    expect(await world.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(executed(payment)).toBe(1);
    expect(world.booked(payment)).toMatchObject({ out: '60.00', credited: '60.00' });
  });

  it('is reset while a person is asked to approve: the approval still counts, and is not asked for twice', async () => {
    const payment = world.newPayment({ amount: '800.00' });
    world.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id } = await world.ask(payment, '800.00');
    const { approval } = await world.until(id, 'awaiting_approval');
    await resetToTheStart(temporal, world.run(id));
    await world.client.approve(id, { ...SUPERVISOR, instruction: approval?.instruction ?? '' });
    await resetToTheStart(temporal, world.run(id));
    await world.until(id, 'succeeded');
    expect(executed(payment)).toBe(1);
    expect(world.booked(payment)).toMatchObject({ out: '800.00' });
  });
});

describe('two operators at once', () => {
  const redirectTo = (registrationId: string, by: string) => ({
    by,
    reason: 'the card is closed',
    registrationId,
  });

  it('name two destinations for one refund: one counts, the other is told, and one credit is paid', async () => {
    const payment = world.newPayment();
    const [first, second] = [world.newPayment().registrationId, world.newPayment().registrationId];
    world.onRefund(payment, { kind: 'reject', code: '800.100.171' });
    const { id } = await world.ask(payment, '60.00');
    await world.until(id, 'manual_review');
    await world.run(id).terminate('a test');

    const said = await Promise.allSettled([
      world.client.redirect(id, redirectTo(first, 'anna')),
      world.client.redirect(id, redirectTo(second, 'berta')),
    ]);
    expect(said.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const { approval } = await world.until(id, 'awaiting_approval');
    await world.client.approve(id, { ...SUPERVISOR, instruction: approval?.instruction ?? '' });
    await world.until(id, 'succeeded');
    const credits = world.gateway.engine
      .transactions()
      .filter(({ type, registrationId }) => type === 'CD' && [first, second].includes(registrationId ?? ''));
    expect(credits).toMatchObject([{ executed: true, registrationId: approval?.destination.registrationId }]);
  });

  it('restart the same run: each start finds in the ledger what was sent, and it is not sent again', async () => {
    const payment = world.newPayment();
    world.onRefund(payment, { kind: 'answer_after', ms: 2_000 });
    const { id } = await world.ask(payment, '60.00');
    await world.untilExecuted(payment);
    const { run } = await world.client.foresee(id);
    const restart = { runId: run?.runId ?? '' };
    await Promise.allSettled(
      ['anna', 'berta'].map((by) => world.client.replay(id, { by, reason: 'hangs', restart })),
    );
    expect(await world.run(id).result()).toMatchObject({ state: 'succeeded' });
    expect(executed(payment)).toBe(1);
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
  });
});

describe('a refund that is over', () => {
  it.for(['succeeded', 'failed'] as const)(
    '%s: reset, and started anew by two at once, it stays so',
    async (state) => {
      const payment = world.newPayment();
      if (state === 'failed') world.onRefund(payment, { kind: 'reject', code: '700.100.300' });
      const { id } = await world.ask(payment, '60.00');
      await world.run(id).result();
      const before = world.transactionsOf(payment);
      const balance = await world.balance(payment);

      await resetToTheStart(temporal, world.run(id));
      expect(await world.run(id).result()).toMatchObject({ state });
      // A new run knows nothing of the last one, as after the retention period.
      await Promise.all([world.drive(id), world.drive(id)]);
      expect(await world.run(id).result()).toMatchObject({ state });

      expect(world.transactionsOf(payment)).toEqual(before);
      // Released once, and not again by a compensation that runs late.
      expect(await world.balance(payment)).toEqual(balance);
      expect(world.booked(payment).out).toBe(state === 'failed' ? '0.00' : '60.00');
    },
  );

  it('asked for again with its own key, is the same refund and starts nothing', async () => {
    const payment = world.newPayment();
    const key = crypto.randomUUID();
    const { id } = await world.ask(payment, '50.00', { idempotencyKey: key });
    await world.run(id).result();
    expect(await world.ask(payment, '50.00', { idempotencyKey: key })).toMatchObject({
      id,
      state: 'succeeded',
    });
    expect(executed(payment)).toBe(1);
  });
});
