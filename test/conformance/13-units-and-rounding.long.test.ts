/**
 * 13: an amount is off by a factor of ten, a hundred or a thousand, or the last cent can never be refunded.
 * Sources: antiwork/gumroad#3749 (÷100), stripe-sfcc-b2c-connector#31 (×100, accepted), woocommerce-gateway-stripe#435, active_merchant#1943,
 * laravel-sisp#282, woocommerce#64668 and #26734.
 */
import { describe, it } from 'vitest';
import { openHarness } from './harness.js';
import { seen } from '../support/seen.js';

const harness = await openHarness();

interface Currency {
  readonly currency: string;
  /** The amount as the gateway writes it: two decimals for every currency. */
  readonly paid: string;
  /** The amount as the client requests it, with the currency's own decimals. */
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
  (fixture) => [`${fixture.asked} ${fixture.currency}`, fixture.onTheWire, fixture] as const,
);

describe.concurrent('a refund of an exact amount', () => {
  it.for(NAMED)('%s is %s at the gateway', async ([, , fixture], { expect }) => {
    const payment = harness.newPayment({ amount: fixture.paid, currency: fixture.currency });
    const { id } = await harness.ask(payment, fixture.asked, { currency: fixture.currency });
    expect(await harness.until(id, 'succeeded')).toMatchObject({
      amount: fixture.asked,
      currency: fixture.currency,
    });
    const orders = harness.gateway
      .requests()
      .filter(({ method, path }) => method === 'POST' && path.endsWith(payment.paymentId));
    expect(orders).toMatchObject([{ amount: fixture.onTheWire, currency: fixture.currency }]);
    expect(harness.booked(payment)).toMatchObject({ out: fixture.onTheWire });
    expect(await harness.balance(payment)).toMatchObject({
      succeededMinor: fixture.minor,
      reservedMinor: 0n,
    });
  });

  it.for(NAMED)('%s is %s as a credit', async ([, , fixture], { expect }) => {
    const payment = harness.newPayment({ amount: fixture.paid, currency: fixture.currency });
    harness.onRefund(payment, { kind: 'reject', code: '700.500.001' });
    const { id } = await harness.ask(payment, fixture.asked, { currency: fixture.currency });
    const { state } = await harness.until(
      id,
      ({ state }) => state === 'succeeded' || state === 'awaiting_approval',
    );
    // Only euros have an approval limit here; a currency without a limit always needs approval.
    expect(state).toBe(fixture.currency === 'EUR' ? 'succeeded' : 'awaiting_approval');
    if (state === 'awaiting_approval') {
      const { approval } = await harness.client.getRefund(id);
      expect(approval).toMatchObject({ amount: fixture.asked, currency: fixture.currency });
      await harness.client.approve(
        id,
        await seen(harness.client, id, { by: 'supervisor', reason: 'checked' }),
      );
      await harness.until(id, 'succeeded');
    }
    expect(harness.booked(payment)).toMatchObject({ out: fixture.onTheWire, credited: fixture.onTheWire });
  });
});

describe.concurrent('parts of a payment', () => {
  it.for([
    ['EUR', '100.00', ['33.33', '33.33', '33.33', '0.01']],
    ['JPY', '100.00', ['33', '33', '33', '1']],
    ['KWD', '1.00', ['0.330', '0.330', '0.330', '0.010']],
  ] as const)(
    'of %s add up to the whole of %s, to the last minor unit',
    async ([currency, paid, parts], { expect }) => {
      const payment = harness.newPayment({ amount: paid, currency });
      for (const part of parts) {
        const { id } = await harness.ask(payment, part, { currency });
        await harness.until(id, 'succeeded');
      }
      expect(harness.booked(payment)).toMatchObject({ out: paid });
      expect(await harness.balance(payment)).toMatchObject({ refundableMinor: 0n, reservedMinor: 0n });
      await expect(harness.ask(payment, parts.at(-1) ?? '', { currency })).rejects.toMatchObject({
        code: 'exceeds_refundable',
      });
    },
  );

  it('exceeding the whole by one minor unit are rejected before anything is submitted', async ({
    expect,
  }) => {
    const payment = harness.newPayment({ amount: '100.00' });
    await expect(harness.ask(payment, '100.01')).rejects.toMatchObject({
      code: 'exceeds_refundable',
      details: { refundable: '100.00' },
    });
    expect(harness.transactionsOf(payment)).toEqual([]);
  });
});

describe.concurrent('an ambiguous amount', () => {
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
    const payment = harness.newPayment({
      amount: '5000.00',
      currency: currency === 'eur' ? 'EUR' : currency,
    });
    await expect(harness.ask(payment, amount, { currency })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(await harness.client.listRefunds({ paymentId: payment.paymentId })).toEqual([]);
    expect(harness.transactionsOf(payment)).toEqual([]);
  });

  it('in another currency than the payment is rejected', async ({ expect }) => {
    const payment = harness.newPayment({ amount: '100.00', currency: 'JPY' });
    await expect(harness.ask(payment, '100.00', { currency: 'EUR' })).rejects.toMatchObject({
      code: 'currency_mismatch',
    });
  });
});
