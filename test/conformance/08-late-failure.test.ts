/**
 * 08: the refund succeeds and comes back days later: card closed, scheme reject. The customer was told "paid" and has nothing.
 * Sources: Stripe `refund.failed`; Adyen `REFUND_FAILED` and `REFUNDED_REVERSED`; woocommerce-payments#601 and #3965; juspay/hyperswitch#13680.
 */
import { afterAll, describe, it } from 'vitest';
import { expectationOf } from '../../activities/refund/send.js';
import { outcomeOfFound } from '../../domain/refund/outcome.js';
import type { Position } from '../../domain/refund/next-step.js';
import type { CreatedPayment } from '../../sandbox/gateway/commands.js';
import { deliverNotices, startReceiver, webhookAddress } from '../support/receiver.js';
import { openWorld, SUPERVISOR, type World } from './world.js';

const world = await openWorld();
// Where the gateway tells of itself; in the other world only what the test looks up is known.
const address = await webhookAddress();
const told = await openWorld({ webhooks: address });
const receiver = await startReceiver(told, address);
afterAll(() => receiver.close());
const { engine } = world.gateway;
const { dependencies } = world;
const { ledger } = dependencies;

/** What the gateway shows now under the reference of the refund's last attempt, recorded as coming from `source`. */
async function tell(
  refundId: string,
  source: 'look_up' | 'answer' | 'notice' = 'look_up',
): Promise<Position> {
  const refund = await ledger.findRefund(refundId);
  const attempt = refund?.attempts.at(-1);
  if (refund === null || attempt === undefined) throw new Error('nothing was sent');
  const { entityId, currency } = refund;
  const found = await dependencies.gateway.findByReference(entityId, attempt.reference);
  if (found.kind !== 'found') throw new Error(`the reference is ${found.kind}`);
  const outcome = outcomeOfFound(
    found.value,
    expectationOf(dependencies, { ...attempt, entityId, currency }),
  );
  if (outcome.kind === 'no_match') throw new Error('no match');
  const [entry] = found.value;
  const asked = { send: attempt.sends, at: await ledger.clock() };
  return ledger.record({
    attemptId: attempt.id,
    ...(source === 'look_up'
      ? { source, asked }
      : source === 'answer'
        ? { source, send: attempt.sends }
        : { source }),
    outcome,
    ...(entry === undefined ? {} : { code: entry.result.code }),
  });
}

async function paid(
  payment: CreatedPayment,
  amount: string,
  where: World = world,
): Promise<{ id: string; gatewayId: string }> {
  const { id } = await where.ask(payment, amount);
  // Whoever starts it from here on starts a run of its own.
  await where.run(id).result();
  const { attempts } = await where.client.getRefund(id);
  return { id, gatewayId: attempts.at(-1)?.gatewayId ?? '' };
}

describe.concurrent('a refund that had succeeded and comes back', () => {
  it('is owed again, goes to a person, and is paid by what they ask for: once', async ({ expect }) => {
    const payment = world.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    expect(world.booked(payment)).toMatchObject({ out: '0.00' });

    expect(await tell(id)).toMatchObject({ state: 'returned' });
    expect(await world.client.getRefund(id)).toMatchObject({
      status: 'pending',
      attempts: [{ state: 'returned' }],
    });
    expect(await world.balance(payment)).toMatchObject({ reservedMinor: 60_00n, refundableMinor: 40_00n });

    await world.drive(id);
    expect(await world.until(id, 'manual_review')).toMatchObject({ status: 'review', why: 'came_back' });
    expect(await world.openCases(id)).toEqual(['came_back']);
    expect(world.booked(payment)).toMatchObject({ out: '0.00' });

    // The customer names another account; the promise is withdrawn and made anew.
    await world.client.withdraw(id, SUPERVISOR);
    expect(await world.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 100_00n });
    await paid(payment, '60.00');
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('and is shown paid again has succeeded: a withdrawal asks the gateway, and is refused', async ({
    expect,
  }) => {
    const payment = world.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    await tell(id);
    await world.drive(id);
    await world.until(id, 'manual_review');
    engine.succeedLate({ id: gatewayId });

    await expect(world.client.withdraw(id, SUPERVISOR)).rejects.toMatchObject({ code: 'final' });
    expect(await world.until(id, 'succeeded')).toMatchObject({ status: 'succeeded' });
    expect(world.booked(payment)).toMatchObject({ out: '60.00' });
    expect(world.transactionsOf(payment)).toHaveLength(1);
    expect(await world.balance(payment)).toMatchObject({
      returnedMinor: 0n,
      reservedMinor: 0n,
      refundableMinor: 40_00n,
    });
    expect(await world.openCases(id)).toEqual([]);
  });

  it('is not sent again by anybody who starts it', async ({ expect }) => {
    const payment = world.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    await tell(id);
    await Promise.all([world.drive(id), world.drive(id)]);
    await world.until(id, 'manual_review');
    await world.restart(id);
    await world.client.resolve(id);
    expect(world.transactionsOf(payment)).toHaveLength(1);
  });

  it('told twice is one fact', async ({ expect }) => {
    const payment = world.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    await tell(id);
    await tell(id);
    expect(await world.balance(payment)).toMatchObject({ returnedMinor: 60_00n, reservedMinor: 60_00n });
    await world.drive(id);
    await world.until(id, 'manual_review');
    await tell(id);
    expect(await world.balance(payment)).toMatchObject({ returnedMinor: 60_00n, reservedMinor: 60_00n });
  });

  it('is believed from a look-up only: a notice alone takes nothing back', async ({ expect }) => {
    const payment = world.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    expect(await tell(id, 'notice')).toMatchObject({ state: 'succeeded' });
    expect(await world.balance(payment)).toMatchObject({ returnedMinor: 0n, refundableMinor: 40_00n });
    expect(await tell(id)).toMatchObject({ state: 'returned' });
    await world.drive(id);
    await world.until(id, 'manual_review');
  });

  it('as a credit does so as well', async ({ expect }) => {
    const payment = world.newPayment();
    world.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    expect(await tell(id)).toMatchObject({ state: 'returned' });
    await world.drive(id);
    expect(await world.until(id, 'manual_review')).toMatchObject({ why: 'came_back' });
    expect(world.booked(payment)).toMatchObject({ out: '0.00' });
    expect(await world.balance(payment)).toMatchObject({ reservedMinor: 60_00n });
  });

  it('leaves the other refunds of its payment alone', async ({ expect }) => {
    const payment = world.newPayment();
    const first = await paid(payment, '30.00');
    const second = await paid(payment, '30.00');
    engine.failLate({ id: first.gatewayId });
    await tell(first.id);
    await tell(second.id);
    expect(await world.client.getRefund(second.id)).toMatchObject({ state: 'succeeded' });
    expect(world.booked(payment)).toMatchObject({ out: '30.00' });
    expect(await world.balance(payment)).toMatchObject({ reservedMinor: 30_00n, refundableMinor: 40_00n });
    await world.drive(first.id);
    await world.until(first.id, 'manual_review');
  });

  it('is noticed without being asked for: the gateway tells of it, a look-up shows it, and a person is asked', async ({
    expect,
  }) => {
    const payment = told.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00', told);
    told.gateway.engine.failLate({ id: gatewayId });
    await deliverNotices(told);
    expect(await told.until(id, 'manual_review')).toMatchObject({ status: 'review', why: 'came_back' });
    expect(await told.openCases(id)).toEqual(['came_back']);
    expect(await told.balance(payment)).toMatchObject({ returnedMinor: 60_00n, reservedMinor: 60_00n });
    // It is owed again, and nothing has been sent for it by itself.
    expect(told.booked(payment)).toMatchObject({ out: '0.00' });
    expect(told.transactionsOf(payment)).toHaveLength(1);
  });
});
