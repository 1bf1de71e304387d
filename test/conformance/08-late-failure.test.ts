/**
 * 08: the refund succeeds and is returned days later: card closed, scheme reject. The customer was told "paid" and has no money.
 * Sources: Stripe `refund.failed`; Adyen `REFUND_FAILED` and `REFUNDED_REVERSED`; woocommerce-payments#601 and #3965; juspay/hyperswitch#13680.
 */
import { afterAll, describe, it } from 'vitest';
import { expectationOf } from '../../activities/refund/submit.js';
import { outcomeOfFound } from '../../domain/refund/outcome.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { deliverNotifications, startReceiver, webhookAddress } from '../support/receiver.js';
import { openHarness, SUPERVISOR, type Harness } from './harness.js';

const harness = await openHarness();
// This gateway sends notifications; the other harness in this file only shows what the test queries.
const address = await webhookAddress();
const reported = await openHarness({ webhooks: address });
const receiver = await startReceiver(reported, address);
afterAll(() => receiver.close());
const { engine } = harness.gateway;
const { dependencies } = harness;
const { ledger } = dependencies;

/** Queries the refund's last attempt by its reference, and records the answer with this source. */
async function recordQuery(
  refundId: string,
  source: 'query' | 'answer' | 'notification' = 'query',
): Promise<RefundSnapshot> {
  const refund = await ledger.findRefund(refundId);
  const attempt = refund?.attempts.at(-1);
  if (refund === null || attempt === undefined) throw new Error('nothing was sent');
  const { entityId, currency } = refund;
  const found = await dependencies.gateway.findByReference(entityId, attempt.reference);
  if (found.kind !== 'found') throw new Error(`the reference is ${found.kind}`);
  const outcome = outcomeOfFound(found.value, expectationOf({ ...attempt, currency }));
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
  // From here on, a start creates a new run.
  await where.run(id).result();
  const { attempts } = await where.client.getRefund(id);
  return { id, gatewayId: attempts.at(-1)?.gatewayId ?? '' };
}

describe.concurrent('a refund that had succeeded and is returned', () => {
  it('is owed again, goes to an operator, and is paid once by the destination they name', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });

    expect(await recordQuery(id)).toMatchObject({ state: 'returned' });
    expect(await harness.client.getRefund(id)).toMatchObject({
      status: 'pending',
      attempts: [{ state: 'returned' }],
    });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n, refundableMinor: 40_00n });

    await harness.drive(id);
    expect(await harness.until(id, 'manual_review')).toMatchObject({ status: 'review', why: 'returned' });
    expect(await harness.openCases(id)).toEqual(['returned']);
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });

    // The customer names another account: the refund is withdrawn and requested again.
    await harness.client.withdraw(id, SUPERVISOR);
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 100_00n });
    await paid(payment, '60.00');
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('and is shown as paid again has succeeded: a withdrawal queries the gateway, and is rejected', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    await recordQuery(id);
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

  it('is not submitted again by starting its workflow', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    await recordQuery(id);
    await Promise.all([harness.drive(id), harness.drive(id)]);
    await harness.until(id, 'manual_review');
    await harness.restart(id);
    await harness.client.sync(id);
    expect(harness.transactionsOf(payment)).toHaveLength(1);
  });

  it('is one fact when it is reported twice', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    await recordQuery(id);
    await recordQuery(id);
    expect(await harness.balance(payment)).toMatchObject({ returnedMinor: 60_00n, reservedMinor: 60_00n });
    await harness.drive(id);
    await harness.until(id, 'manual_review');
    await recordQuery(id);
    expect(await harness.balance(payment)).toMatchObject({ returnedMinor: 60_00n, reservedMinor: 60_00n });
  });

  it('is recorded after a query only: a notification alone changes nothing', async ({ expect }) => {
    const payment = harness.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    expect(await recordQuery(id, 'notification')).toMatchObject({ state: 'succeeded' });
    expect(await harness.balance(payment)).toMatchObject({ returnedMinor: 0n, refundableMinor: 40_00n });
    expect(await recordQuery(id)).toMatchObject({ state: 'returned' });
    await harness.drive(id);
    await harness.until(id, 'manual_review');
  });

  it('can be a credit as well', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id, gatewayId } = await paid(payment, '60.00');
    engine.failLate({ id: gatewayId });
    expect(await recordQuery(id)).toMatchObject({ state: 'returned' });
    await harness.drive(id);
    expect(await harness.until(id, 'manual_review')).toMatchObject({ why: 'returned' });
    expect(harness.booked(payment)).toMatchObject({ out: '0.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n });
  });

  it('does not affect the other refunds of its payment', async ({ expect }) => {
    const payment = harness.newPayment();
    const first = await paid(payment, '30.00');
    const second = await paid(payment, '30.00');
    engine.failLate({ id: first.gatewayId });
    await recordQuery(first.id);
    await recordQuery(second.id);
    expect(await harness.client.getRefund(second.id)).toMatchObject({ state: 'succeeded' });
    expect(harness.booked(payment)).toMatchObject({ out: '30.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 30_00n, refundableMinor: 40_00n });
    await harness.drive(first.id);
    await harness.until(first.id, 'manual_review');
  });

  it('is found without a request: the gateway sends a notification, a query confirms it, and a case is opened', async ({
    expect,
  }) => {
    const payment = reported.newPayment();
    const { id, gatewayId } = await paid(payment, '60.00', reported);
    reported.gateway.engine.failLate({ id: gatewayId });
    await deliverNotifications(reported);
    expect(await reported.until(id, 'manual_review')).toMatchObject({ status: 'review', why: 'returned' });
    expect(await reported.openCases(id)).toEqual(['returned']);
    expect(await reported.balance(payment)).toMatchObject({ returnedMinor: 60_00n, reservedMinor: 60_00n });
    // The amount is owed again, and nothing was submitted for it automatically.
    expect(reported.booked(payment)).toMatchObject({ out: '0.00' });
    expect(reported.transactionsOf(payment)).toHaveLength(1);
  });
});
