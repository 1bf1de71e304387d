/**
 * 09: two separate refunds of 30 on one payment. Mistaken for one, the customer lacks 30; retried wrongly, they get 90.
 * Sources: saleor/apps#2446, HealthByRo/aa-stripe#68, woocommerce-gateway-stripe#5697 (one id slot, overwritten), GOV.UK Pay ADR-001.
 */
import { randomUUID } from 'node:crypto';
import { describe, it } from 'vitest';
import type { FaultRule } from '../../sandbox/gateway/faults.js';
import { openHarness } from './harness.js';

const harness = await openHarness();

type Effects = readonly [first: FaultRule['effect'] | null, second: FaultRule['effect'] | null];

const HOW: readonly (readonly [string, Effects])[] = [
  ['both are answered', [null, null]],
  ['both answers are lost, both are executed', [{ kind: 'accept_then_drop' }, { kind: 'accept_then_drop' }]],
  [
    'both answers are lost, only the first is executed',
    [{ kind: 'accept_then_drop' }, { kind: 'drop_before_execute' }],
  ],
  [
    'both answers are lost, only the second is executed',
    [{ kind: 'drop_before_execute' }, { kind: 'accept_then_drop' }],
  ],
  ['neither is executed', [{ kind: 'drop_before_execute' }, { kind: 'drop_before_execute' }]],
  [
    'both are pending first',
    [
      { kind: 'pending', afterMs: 700 },
      { kind: 'pending', afterMs: 300 },
    ],
  ],
];

describe.concurrent('two refunds of 30.00 on one payment', () => {
  it.for(HOW)('where %s, pay 60.00', async ([, effects], { expect }) => {
    const payment = harness.newPayment();
    for (const effect of effects) if (effect !== null) harness.onRefund(payment, effect);
    const asked = await Promise.all([harness.ask(payment, '30.00'), harness.ask(payment, '30.00')]);
    const ended = await Promise.all(asked.map(({ id }) => harness.until(id, 'succeeded')));

    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
    const gatewayIds = ended.flatMap(({ attempts }) => attempts.map(({ gatewayId }) => gatewayId));
    expect(new Set(gatewayIds).size).toBe(2);
    for (const { attempts } of ended) {
      const reference = attempts[0]?.merchantTransactionId ?? '';
      expect(attempts).toHaveLength(1);
      expect(harness.gateway.engine.executedByReference(reference)).toBe(1);
      const [booked] = harness.transactionsOf(payment).filter(({ id }) => id === attempts[0]?.gatewayId);
      expect(booked).toMatchObject({ merchantTransactionId: reference, state: 'succeeded' });
    }
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 40_00n });
  });

  it('one of which the gateway shows without its original, are not mistaken for each other', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    harness.onRefund(
      payment,
      { kind: 'missing_reference' },
      { kind: 'missing_reference' },
      { kind: 'accept_then_drop' },
      { kind: 'accept_then_drop' },
    );
    const asked = await Promise.all([harness.ask(payment, '30.00'), harness.ask(payment, '30.00')]);
    await Promise.all(asked.map(({ id }) => harness.until(id, 'succeeded')));
    expect(harness.gateway.engine.leftMerchant({ references: await referencesOf(asked) })).toMatchObject([
      { refunded: 60_00n },
    ]);
  });

  it('each requested repeatedly with its own key, stay two', async ({ expect }) => {
    const payment = harness.newPayment();
    const keys = [randomUUID(), randomUUID()];
    const asked = await Promise.all(
      [...keys, ...keys, ...keys].map((idempotencyKey) => harness.ask(payment, '30.00', { idempotencyKey })),
    );
    const ids = [...new Set(asked.map(({ id }) => id))];
    expect(ids).toHaveLength(2);
    await Promise.all(ids.map((id) => harness.until(id, 'succeeded')));
    for (const idempotencyKey of keys)
      expect(await harness.ask(payment, '30.00', { idempotencyKey })).toMatchObject({ state: 'succeeded' });
    expect(harness.booked(payment)).toMatchObject({ out: '60.00' });
  });

  it('one of which is declined: the other is paid, and only the declined amount is released', async ({
    expect,
  }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '700.100.300' });
    const asked = await Promise.all([harness.ask(payment, '30.00'), harness.ask(payment, '30.00')]);
    const ended = await Promise.all(
      asked.map(({ id }) => harness.until(id, ({ state }) => state === 'succeeded' || state === 'failed')),
    );
    expect(ended.map(({ state }) => state).sort()).toEqual(['failed', 'succeeded']);
    expect(harness.booked(payment)).toMatchObject({ out: '30.00' });
    expect(await harness.balance(payment)).toMatchObject({ reservedMinor: 0n, refundableMinor: 70_00n });
  });

  it('one of which becomes a credit: the credit is for the declined one only', async ({ expect }) => {
    const payment = harness.newPayment();
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const asked = await Promise.all([harness.ask(payment, '30.00'), harness.ask(payment, '30.00')]);
    await Promise.all(asked.map(({ id }) => harness.until(id, 'succeeded')));
    expect(harness.booked(payment)).toMatchObject({ out: '60.00', refunded: '30.00', credited: '30.00' });
  });
});

async function referencesOf(refunds: readonly { readonly id: string }[]): Promise<string[]> {
  const found = await Promise.all(refunds.map(({ id }) => harness.client.getRefund(id)));
  return found.flatMap(({ attempts }) => attempts.map(({ merchantTransactionId }) => merchantTransactionId));
}
