/**
 * 08: the refund succeeds and comes back days later: card closed, scheme reject. The customer was told "paid" and has nothing.
 * Sources: Stripe `refund.failed`; Adyen `REFUND_FAILED` and `REFUNDED_REVERSED`; woocommerce-payments#601 and #3965; juspay/hyperswitch#13680.
 */
import { afterAll, describe, it } from 'vitest';
import { expectationOf } from '../../activities/refund/submit.js';
import { outcomeOfFound } from '../../domain/refund/outcome.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { deliverNotifications, startReceiver, webhookAddress } from '../support/receiver.js';
import { openHarness, SUPERVISOR, type Harness } from './world.js';

const harness = await openHarness();
// Where the gateway tells of itself; in the other world only what the test looks up is known.
const address = await webhookAddress();
const reported = await openHarness({ webhooks: address });
const receiver = await startReceiver(reported, address);
afterAll(() => receiver.close());
const { engine } = harness.gateway;
const { dependencies } = harness;
const { ledger } = dependencies;

/** What the gateway shows now under the reference of the refund's last attempt, recorded as coming from `source`. */
async function tell(
  refundId: string,
  source: 'query' | 'answer' | 'notification' = 'query',
): Promise<RefundSnapshot> {
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
  const asked = { send: attempt.submissions, at: await ledger.clock() };
  return ledger.record({
    attemptId: attempt.id,
    ...(source === 'query'
      ? { source, asked }
      : source === 'answer'
        ? { source, send: attempt.submissions }
        : { source }),
    outcome,
    ...(entry === undefined ? {} : { code: entry.result.code }),
  });
}

async function paid(
  payment: CreatedPayment,
  amount: string,
  where: Harness = harness,
): Promise<{ id: string; gatewayId: string }> {
  const { id } = await where.ask(payment, amount);
  // Whoever starts it from here on starts a run of its own.
  await where.run(id).result();
  const { attempts } = await where.client.getRefund(id);
  return { id, gatewayId: attempts.at(-1)?.gatewayId ?? '' };
}

describe.concurrent('a refund that had succeeded and comes back', () => {
  it('is owed again, goes to a person, and is paid by what they ask for: once', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });

    expect(await tell(id)).toMatchObject({ state: 'returned' });
    expect(await harness.client.getRefund(id)).toMatchObject({
      status: 'pending',
      attempts: [{ state: 'returned' }],
    });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n, refundableMinor: 40_00n });

    await harness.drive(id);
    expect(await harness.until(id, 'manual_review')).toMatchObject({ status: 'review', why: 'returned' });
    expect(await harness.openCases(id)).toEqual(['returned']);
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });

    // The customer names another account; the promise is withdrawn and made anew.
    await harness.client.withdraw(id, SUPERVISOR);
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 100_00n });
    await paid(payment, '60.00');
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('and is shown paid again has succeeded: a withdrawal asks the gateway, and is refused', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    await tell(id);
    await harness.drive(id);
    await harness.until(id, 'manual_review');
    engine.succeedLate({ id: gatewayId });

    await expect(harness.client.withdraw(id, SUPERVISOR)).rejects.toMatchObject({ code: 'final' });
    expect(await harness.until(id, 'succeeded')).toMatchObject({ status: 'succeeded' });
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
    expect(harness.transactionsOf(payment)).toHaveLength(1);
    expect(await harness.balance(payment)).toMatchObject({
      returnedMinor: 0n,
      reservedMinor: 0n,
      refundableMinor: 40_00n,
    });
    expect(await harness.openCases(id)).toEqual([]);
  });

  it('is not sent again by anybody who starts it', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    await tell(id);
    await Promise.all([harness.drive(id), harness.drive(id)]);
    await harness.until(id, 'manual_review');
    await harness.restart(id);
    await harness.client.resolve(id);
    expect(harness.transactionsOf(payment)).toHaveLength(1);
  });

  it('told twice is one fact', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    await tell(id);
    await tell(id);
    expect(await harness.balance(payment)).toMatchObject({ returnedMinor: 60_00n, reservedMinor: 60_00n });
    await harness.drive(id);
    await harness.until(id, 'manual_review');
    await tell(id);
    expect(await harness.balance(payment)).toMatchObject({ returnedMinor: 60_00n, reservedMinor: 60_00n });
  });

  it('is believed from a look-up only: a notice alone takes nothing back', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    expect(await tell(id, 'notification')).toMatchObject({ state: 'succeeded' });
    expect(await harness.balance(payment)).toMatchObject({ returnedMinor: 0n, refundableMinor: 40_00n });
    expect(await tell(id)).toMatchObject({ state: 'returned' });
    await harness.drive(id);
    await harness.until(id, 'manual_review');
  });

  it('as a credit does so as well', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    expect(await tell(id)).toMatchObject({ state: 'returned' });
    await harness.drive(id);
    expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'returned' });
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n });
  });

  it('leaves the other refunds of its payment alone', async ({ expect }) => {
    const payment = harness.newPayment();
    const first = await paid(payment, '30.00');
    const second = await paid(payment, '30.00');
    engine.failLate({ id: first.gatewayId });
    await tell(first.id);
    await tell(second.id);
    expect(await harness.client.getRefund(second.id)).toMatchObject({ state: 'succeeded' });
    expect(harness.booked(payment)).toMatchObject({ out: '30.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 30_00n, refundableMinor: 40_00n });
    await harness.drive(first.id);
    await harness.until(first.id, 'manual_review');
  });

  it('is noticed without being asked for: the gateway tells of it, a look-up shows it, and a person is asked', async ({
    expect,
  }) => {
    const payment = reported.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00', reported);
    reported.gateway.engine.failLate({ id: gatewayId });
    await deliverNotifications(reported);
    expect(await reported.until(id, 'manual_review')).toMatchObject({ status: 'review', why: 'returned' });
    expect(await reported.openCases(id)).toEqual(['returned']);
    expect(await reported.balance(payment)).toMatchObject({ returnedMinor: 60_00n, reservedMinor: 60_00n });
    // It is owed again, and nothing has been sent for it by itself.
    expect(reported.booked(payment)).toMatchObject({ out: '0.00' });
    expect(reported.transactionsOf(payment)).toHaveLength(1);
  });
});
