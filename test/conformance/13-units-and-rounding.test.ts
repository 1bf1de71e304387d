/**
 * 13: an amount is off by a factor of ten, a hundred or a thousand, or the last cent can never be refunded.
 * Sources: antiwork/gumroad#3749 (÷100), stripe-sfcc-b2c-connector#31 (×100, accepted), woocommerce-gateway-stripe#435, active_merchant#1943,
 * laravel-sisp#282, woocommerce#64668 and #26734.
 */
import { describe, it } from 'vitest';
import { openWorld } from './world.js';
import { seen } from '../support/seen.js';

const world = await openWorld();

interface Currency {
  readonly currency: string;
  /** As the gateway has the payment: two decimals whatever the currency. */
  readonly paid: string;
  /** As the caller asks, with the currency's own decimals. */
  readonly asked: string;
  readonly onTheWire: string;
  readonly minor: bigint;
}

const CURRENCIES: readonly Currency[] = [
  { currency: 'EUR', paid: '100.00', asked: '19.99', onTheWire: '19.99', minor: 19_99n },
  { currency: 'JPY', paid: '5000.00', asked: '500', onTheWire: '500.00', minor: 500n },
  { currency: 'KRW', paid: '90000.00', asked: '1', onTheWire: '1.00', minor: 1n },
  { currency: 'KWD', paid: '12.34', asked: '1.230', onTheWire: '1.23', minor: 1_230n },
  { currency: 'BHD', paid: '12.34', asked: '12.340', onTheWire: '12.34', minor: 12_340n },
  { currency: 'OMR', paid: '12.34', asked: '0.010', onTheWire: '0.01', minor: 10n },
];

const NAMED = CURRENCIES.map(
  (given) => [`${given.asked} ${given.currency}`, given.onTheWire, given] as const,
);

describe.concurrent('a refund of an exact amount', () => {
  it.for(NAMED)('%s is %s at the gateway', async ([, , given], { expect }) => {
    const payment = world.newPayment({ amount: given.paid, currency: given.currency });
    const { id } = await world.ask(payment, given.asked, { currency: given.currency });
    expect(await world.until(id, 'succeeded')).toMatchObject({
      amount: given.asked,
      currency: given.currency,
    });
    const orders = world.gateway
      .requests()
      .filter(({ method, path }) => method === 'POST' && path.endsWith(payment.paymentId));
    expect(orders).toMatchObject([{ amount: given.onTheWire, currency: given.currency }]);
    expect(world.booked(payment)).toMatchObject({ out: given.onTheWire });
    expect(await world.balance(payment)).toMatchObject({ succeededMinor: given.minor, reservedMinor: 0n });
  });

  it.for(NAMED)('%s is %s as a credit', async ([, , given], { expect }) => {
    const payment = world.newPayment({ amount: given.paid, currency: given.currency });
    world.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id } = await world.ask(payment, given.asked, { currency: given.currency });
    const { state } = await world.until(
      id,
      ({ state }) => state === 'succeeded' || state === 'awaiting_approval',
    );
    // Only euros have a limit here; where no limit is set, a person is always asked.
    expect(state).toBe(given.currency === 'EUR' ? 'succeeded' : 'awaiting_approval');
    if (state === 'awaiting_approval') {
      const { approval } = await world.client.getRefund(id);
      expect(approval).toMatchObject({ amount: given.asked, currency: given.currency });
      await world.client.approve(id, await seen(world.client, id, { by: 'supervisor', reason: 'checked' }));
      await world.until(id, 'succeeded');
    }
    expect(world.booked(payment)).toMatchObject({ out: given.onTheWire, credited: given.onTheWire });
  });
});

describe.concurrent('parts of a payment', () => {
  it.for([
    ['EUR', '100.00', ['33.33', '33.33', '33.33', '0.01']],
    ['JPY', '100.00', ['33', '33', '33', '1']],
    ['KWD', '1.00', ['0.330', '0.330', '0.330', '0.010']],
  ] as const)(
    'of %s add up to the whole of %s, to the last unit',
    async ([currency, paid, parts], { expect }) => {
      const payment = world.newPayment({ amount: paid, currency });
      for (const part of parts) {
        const { id } = await world.ask(payment, part, { currency });
        await world.until(id, 'succeeded');
      }
      expect(world.booked(payment)).toMatchObject({ out: paid });
      expect(await world.balance(payment)).toMatchObject({ refundableMinor: 0n, reservedMinor: 0n });
      await expect(world.ask(payment, parts.at(-1) ?? '', { currency })).rejects.toMatchObject({
        code: 'exceeds_refundable',
      });
    },
  );

  it('a unit more than the whole is refused before anything is sent', async ({ expect }) => {
    const payment = world.newPayment({ amount: '100.00' });
    await expect(world.ask(payment, '100.01')).rejects.toMatchObject({
      code: 'exceeds_refundable',
      details: { refundable: '100.00' },
    });
    expect(world.transactionsOf(payment)).toEqual([]);
  });
});

describe.concurrent('an amount that could mean two things', () => {
  it.for([
    ['12,30', 'EUR'],
    ['1.234,50', 'EUR'],
    ['1,234.50', 'EUR'],
    ["1'234.50", 'EUR'],
    ['1 234.50', 'EUR'],
    ['12.3', 'EUR'],
    ['12.345', 'EUR'],
    ['-12.30', 'EUR'],
    ['1e2', 'EUR'],
    ['0.00', 'EUR'],
    ['', 'EUR'],
    ['500.00', 'JPY'],
    ['1.23', 'KWD'],
    ['1.234', 'KWD'],
    ['12.30', 'XAU'],
    ['12.30', 'eur'],
  ] as const)('"%s" %s is refused and nothing is stored or sent', async ([amount, currency], { expect }) => {
    const payment = world.newPayment({ amount: '5000.00', currency: currency === 'eur' ? 'EUR' : currency });
    await expect(world.ask(payment, amount, { currency })).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await world.client.listRefunds({ paymentId: payment.paymentId })).toEqual([]);
    expect(world.transactionsOf(payment)).toEqual([]);
  });

  it('another currency than the payment is refused', async ({ expect }) => {
    const payment = world.newPayment({ amount: '100.00', currency: 'JPY' });
    await expect(world.ask(payment, '100.00', { currency: 'EUR' })).rejects.toMatchObject({
      code: 'currency_mismatch',
    });
  });
});
