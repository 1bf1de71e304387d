/**
 * 01: a refund is submitted and its answer is lost. A blind retry pays twice; giving up never pays.
 * Sources: alphagov/pay-connector#5912 (an incident), csob/paymentgateway#705, medusajs/medusa#16681.
 */
import { describe, it } from 'vitest';
import type { FaultRule } from '../../sandbox/gateway/faults.js';
import { NEVER, openHarness } from './harness.js';

const harness = await openHarness();

type Lost = readonly [how: string, effect: FaultRule['effect']];

const EXECUTED: readonly Lost[] = [
  ['the connection ends without a byte', { kind: 'accept_then_drop' }],
  ['a proxy answers 502', { kind: 'http_error', status: 502, executed: true }],
  ['the JSON is cut off', { kind: 'broken_body', form: 'cut_off' }],
  ['the answer has no result', { kind: 'broken_body', form: 'no_result' }],
  ['the gateway says that it lost its own line', { kind: 'comm_error', executed: true }],
];

const NOT_EXECUTED: readonly Lost[] = [
  ['the connection ends before the gateway has it', { kind: 'drop_before_execute' }],
  ['a proxy answers 502', { kind: 'http_error', status: 502, executed: false }],
  ['the JSON is cut off', { kind: 'broken_body', form: 'truncated', executed: false }],
  ['the gateway says that it lost its own line', { kind: 'comm_error', executed: false }],
];

/** Answers that contain nothing certain but an id. */
const NAMED: readonly (readonly [how: string, ...effects: FaultRule['effect'][]])[] = [
  ['900.100.300', { kind: 'comm_error', executed: true, hasId: true }],
  [
    'HTTP 502 and a code that is not listed',
    { kind: 'comm_error', executed: true, hasId: true, code: '123.456.789', httpStatus: 502 },
  ],
  ['no result', { kind: 'broken_body', form: 'no_result' }],
];

describe.concurrent('a refund whose answer is lost', () => {
  it.for(EXECUTED)(
    'and which was executed (%s) is found, and not submitted again',
    async ([, effect], { expect }) => {
      const payment = harness.newPayment();
      harness.onRefund(payment, effect);
      const { id } = await harness.ask(payment, '60.00');
      const { attempts } = await harness.until(id, 'succeeded');

      expect(harness.booked(payment)).toMatchObject({ out: '60.00', refunded: '60.00' });
      expect(attempts).toHaveLength(1);
      expect(harness.ordersUnder(attempts[0]?.merchantTransactionId ?? '')).toBe(1);
      expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 40_00n });
    },
  );

  it.for(NOT_EXECUTED)(
    'and which was not executed (%s) is proven absent, and submitted once more under its own reference',
    async ([, effect], { expect }) => {
      const payment = harness.newPayment();
      harness.onRefund(payment, effect);
      const { id } = await harness.ask(payment, '60.00');
      const { attempts } = await harness.until(id, 'succeeded');

      expect(harness.booked(payment)).toMatchObject({ out: '60.00', refunded: '60.00' });
      expect(attempts).toHaveLength(1);
      expect(harness.ordersUnder(attempts[0]?.merchantTransactionId ?? '')).toBe(2);
      expect(harness.gateway.engine.executedByReference(attempts[0]?.merchantTransactionId ?? '')).toBe(1);
    },
  );

  it.for(NAMED)(
    'and whose answer has its id (%s) is found by that id alone, and not submitted again',
    async ([, ...effects], { expect }) => {
      const payment = harness.newPayment();
      harness.onRefund(payment, ...effects, { kind: 'by_id_only' });
      // The gateway would execute another refund of this amount.
      const { id } = await harness.ask(payment, '40.00');
      const { attempts } = await harness.until(id, 'succeeded');

      expect(attempts).toHaveLength(1);
      expect(harness.ordersUnder(attempts[0]?.merchantTransactionId ?? '')).toBe(1);
      expect(harness.transactionsOf(payment)).toMatchObject([{ id: attempts[0]?.gatewayId, type: 'RF' }]);
      expect(harness.booked(payment)).toMatchObject({ out: '40.00', refunded: '40.00' });
      expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 60_00n });
    },
  );

  it('is unknown and stays reserved until the gateway is queried', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'accept_then_drop' });
    const client = harness.clientWith({ queryFirst: NEVER, queryMax: NEVER });
    const { id } = await harness.ask(payment, '60.00', { by: client });
    expect(await harness.until(id, 'unknown')).toMatchObject({ status: 'pending' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 60_00n, refundableMinor: 40_00n });
    await expect(harness.ask(payment, '60.00')).rejects.toMatchObject({ code: 'exceeds_refundable' });
    await expect(
      harness.client.withdraw(id, { by: 'clerk', reason: 'no longer wanted' }),
    ).rejects.toMatchObject({
      code: 'may_have_left',
    });

    await harness.client.sync(id);
    expect(await harness.until(id, 'succeeded')).toMatchObject({ status: 'succeeded' });
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('is not considered absent when the gateway executed it and does not show it yet', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'accept_then_drop' }, { kind: 'visibility_lag', ms: 2_500 });
    // The proof of absence waits longer than the gateway's visibility lag, counted from the deadline of the submission.
    const client = harness.clientWith({ visibilityLag: 3_000 });
    const { id } = await harness.ask(payment, '60.00', { by: client });
    const { attempts } = await harness.until(id, 'succeeded');

    expect(harness.ordersUnder(attempts[0]?.merchantTransactionId ?? '')).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('is not considered absent while queries give no usable answer', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'accept_then_drop' });
    const client = harness.clientWith({ queryFirst: NEVER, queryMax: NEVER });
    const { id } = await harness.ask(payment, '60.00', { by: client });
    const { attempts } = await harness.until(id, 'unknown');
    const reference = attempts[0]?.merchantTransactionId ?? '';
    for (const how of ['throttled', 'html', 'drop'] as const) {
      harness.fault({ kind: 'query', how, status: 502 }, { merchantTransactionId: reference });
      expect(await harness.client.sync(id)).toMatchObject({ state: 'unknown' });
    }
    await harness.client.sync(id);
    await harness.until(id, 'succeeded');
    expect(harness.ordersUnder(reference)).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('and which the gateway executes after the client has given up is found as well', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'execute_after', ms: 1_000 });
    const { id } = await harness.ask(payment, '60.00');
    const { attempts } = await harness.until(id, 'succeeded');
    expect(harness.ordersUnder(attempts[0]?.merchantTransactionId ?? '')).toBe(1);
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });
});
