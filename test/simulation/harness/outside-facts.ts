/** Events of the payment that this program does not cause: it is taken, charged back, refunded in the portal, or decided late. */
import type { CreatedPayment } from '../../../sandbox/gateway/controls.js';
import { decimalsOf, isCurrencyCode } from '../../../domain/money/currency.js';
import { chargeBackAnyhow, happens } from './chargebacks.js';
import type { Scenario } from './scenario.js';
import type { Harness } from './harness.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A payment and the unit of its amounts. */
export class SimulatedPayment {
  readonly id: string;
  readonly currency: string;
  /** The whole amount in minor units: captured, or authorized if nothing is captured. */
  readonly minor: bigint;
  readonly type: 'DB' | 'PA';
  readonly created: CreatedPayment;
  readonly #decimals: number;

  constructor(
    created: CreatedPayment,
    taken: { readonly type: 'DB' | 'PA'; readonly currency: string; readonly hundredths: bigint },
  ) {
    if (!isCurrencyCode(taken.currency)) throw new Error(taken.currency);
    this.#decimals = decimalsOf(taken.currency);
    this.id = created.paymentId;
    this.created = created;
    this.type = taken.type;
    this.currency = taken.currency;
    this.minor = this.toMinor(taken.hundredths);
  }

  toMinor(hundredths: bigint): bigint {
    return this.#decimals >= 2
      ? hundredths * 10n ** BigInt(this.#decimals - 2)
      : hundredths / 10n ** BigInt(2 - this.#decimals);
  }

  toHundredths(minor: bigint): bigint {
    return this.#decimals >= 2
      ? minor / 10n ** BigInt(this.#decimals - 2)
      : minor * 10n ** BigInt(2 - this.#decimals);
  }

  /** Rounds down to an amount that the gateway accepts: amounts with three decimals end in 0 there. */
  roundDown(minor: bigint): bigint {
    return this.toMinor(this.toHundredths(minor));
  }
}

/** `parts`: captured in several parts; `unregistered`: a debit without a registration. */
export type PaymentKind = 'DB' | 'PA' | 'captured' | 'parts' | 'unregistered';

export class OutsideFacts {
  readonly #harness: Harness;
  /** True after a chargeback or a portal refund: more money may be out than the program decided on. */
  hasOutsideMoney = false;

  constructor(harness: Harness) {
    this.#harness = harness;
  }

  takePayment(kinds: Scenario['payments'] = ['DB', 'DB', 'DB', 'captured', 'captured', 'PA']): void {
    const { random, gateway } = this.#harness;
    const kind = random.pick<PaymentKind>(kinds);
    const currency = random.pick(['EUR', 'EUR', 'EUR', 'EUR', 'JPY', 'KWD']);
    const hundredths = random.pick([10_000n, 10_000n, 3_000n, 99_900n]);
    const captures =
      kind === 'captured' || kind === 'parts'
        ? random
            .pick(
              kind === 'captured'
                ? [[10n], [5n, 5n], [6n, 2n, 2n], [7n]]
                : [
                    [5n, 5n],
                    [6n, 2n, 2n],
                  ],
            )
            .map((tenth) => (hundredths * tenth) / 10n)
        : [];
    const type = kind === 'DB' || kind === 'unregistered' ? 'DB' : 'PA';
    const registered = kind !== 'unregistered';
    const created = gateway.createPayment({
      ...{ type, amount: hundredths, currency, captures, ageMs: DAY, registered },
    });
    gateway.due();
    this.#harness.payment = new SimulatedPayment(created, {
      type,
      currency,
      hundredths: captures.length > 0 ? captures.reduce((sum, amount) => sum + amount, 0n) : hundredths,
    });
    this.#harness.trace.note(
      'gateway',
      `${type} of ${hundredths} hundredths ${currency}${captures.length > 0 ? `, captured ${captures.join(' + ')}` : ''}`,
    );
  }

  /** Schedules events at random moments. */
  schedule(): void {
    const { random, scheduler } = this.#harness;
    const at = (act: () => void): void => void scheduler.after(random.spread(10, 2 * DAY), act);
    const { payment, gateway } = this.#harness;
    if (payment.type === 'PA' && random.chance(0.5)) gateway.changeSettings({ captureLinks: 'apart' });
    if (payment.type === 'PA' && payment.created.captureIds.length === 0) {
      gateway.changeSettings({
        reversalAfterCapture: random.chance(0.5),
        reversalShowsAmount: random.chance(0.5),
      });
      for (let captures = random.pick([0, 0, 1, 1, 2]); captures > 0; captures -= 1)
        at(() => this.#capture());
    }
    if (random.chance(0.12)) at(() => this.#chargeback());
    if (random.chance(0.1)) at(() => this.#portalRefund());
    if (random.chance(0.08)) at(() => this.#returnRefund());
    if (random.chance(0.05)) at(() => this.#forgedNotification());
  }

  /** Makes one of the events happen now. */
  happen(): void {
    switch (this.#harness.random.between(0, 3)) {
      case 0:
      case 1:
        this.#chargeback();
        return;
      case 2:
        this.#portalRefund();
        return;
      default:
        this.#returnRefund();
    }
  }

  #withMoney(): string {
    const { payment, random } = this.#harness;
    return random.pick([payment.created.captureIds[0] ?? payment.id, ...payment.created.captureIds]);
  }

  #chargeback(): void {
    this.hasOutsideMoney = true;
    chargeBackAnyhow(this.#harness, this.#withMoney(), DAY);
  }

  #portalRefund(): void {
    const { gateway, random, payment } = this.#harness;
    happens(this.#harness, 'portal refund', () => {
      const amount = payment.toHundredths(payment.roundDown(payment.minor / random.pick([1n, 2n, 4n])));
      gateway.refundInPortal({ paymentId: this.#withMoney(), amount });
      this.hasOutsideMoney = true;
    });
  }

  /** Captures a part or all of a payment that is only authorized. */
  #capture(): void {
    const { gateway, random, payment } = this.#harness;
    happens(this.#harness, 'capture', () => {
      const part = (payment.minor * BigInt(random.pick([10, 6, 5, 3, 1]))) / 10n;
      gateway.capture({ paymentId: payment.id, amount: payment.toHundredths(payment.roundDown(part)) });
    });
  }

  #returnRefund(): void {
    const { gateway, random, scheduler } = this.#harness;
    const paid = gateway.transactions().filter(
      (found) =>
        found.state === 'succeeded' &&
        found.source === 'OPP' &&
        ['RF', 'RV', 'CD'].includes(found.type) &&
        // A refund that no query has shown as paid cannot be shown as returned.
        found.visibleAt <= scheduler.now,
    );
    const one = paid[random.between(0, Math.max(0, paid.length - 1))];
    if (one !== undefined) happens(this.#harness, 'returned', () => void gateway.failLate({ id: one.id }));
  }

  #forgedNotification(): void {
    const { random } = this.#harness;
    this.#harness.coverage.hit('outside', 'notification of an unknown refund');
    this.#harness.onNotification(random.chance(0.5) ? undefined : 'SOMEBODYELSES000');
  }

  /** Gives everything that is still pending at the gateway its final outcome. */
  finishPending(): void {
    const { gateway, random } = this.#harness;
    for (const found of gateway.transactions())
      if (found.state === 'pending' && random.chance(0.7))
        gateway.finishPending({ id: found.id, state: random.chance(0.7) ? 'succeeded' : 'rejected' });
    this.#harness.watchGateway();
  }
}
