/** Chargebacks as a bank makes them: partial, pending, declined, with changing amounts, and reversed correctly, wrongly or repeatedly. */
import { CommandRefused } from '../../../sandbox/gateway/controls.js';
import type { Transaction } from '../../../sandbox/gateway/types.js';
import type { Harness } from './harness.js';

/** Runs `act`: an event at the gateway that this program did not cause. Does nothing if the gateway's own books do not allow it. */
export function happens(harness: Harness, name: string, act: () => void): void {
  try {
    act();
    harness.coverage.hit('outside', name);
    harness.trace.note('outside', name);
  } catch (error) {
    if (!(error instanceof CommandRefused)) throw error;
  }
  harness.watchGateway();
}

const STATES = ['succeeded', 'succeeded', 'succeeded', 'pending', 'rejected'] as const;

/** Makes a random chargeback and random events after it, each at most `within` milliseconds after the one before; 0: at once. */
export function chargeBackAnyhow(harness: Harness, paymentId: string, within: number): void {
  const { gateway, payment, random } = harness;
  const part = random.chance(0.4) ? random.pick([2n, 4n, 5n]) : 1n;
  const state = random.chance(0.75) ? 'succeeded' : random.pick(STATES);
  const isHidden = random.chance(0.15);
  happens(harness, `chargeback${nameOf(state, part > 1n)}${isHidden ? ', no amount' : ''}`, () => {
    const of = gateway.transactions().find(({ id }) => id === paymentId)?.amount ?? 0n;
    const amount = payment.toHundredths(payment.roundDown(payment.toMinor(of / part)));
    const { id } = gateway.chargeback({ paymentId, amount, state, showsAmount: !isHidden });
    if (isHidden || random.chance(0.2)) later(harness, within, () => change(harness, id, of));
    if (random.chance(0.5)) later(harness, within, () => reverse(harness, id, within));
  });
}

const nameOf = (state: Transaction['state'], isPart: boolean): string =>
  `${state === 'succeeded' ? '' : ` ${state}`}${isPart ? ' in part' : ''}`;

function later({ random, scheduler }: Harness, within: number, act: () => void): void {
  if (within === 0) act();
  else scheduler.after(random.spread(1_000, within), act);
}

/** Changes a chargeback: shows its amount, increases or decreases it. */
function change(harness: Harness, id: string, most: bigint): void {
  const { gateway, payment, random } = harness;
  const amount = payment.toHundredths(
    payment.roundDown(payment.toMinor(most / random.pick([1n, 2n, 3n, 10n]))),
  );
  happens(harness, 'chargeback changes', () => gateway.changeChargeback({ chargebackId: id, amount }));
}

function reverse(harness: Harness, id: string, within: number): void {
  const { gateway, payment, random } = harness;
  const state = random.pick(STATES);
  const isPart = random.chance(0.4);
  const showsReference = random.chance(0.8);
  const name = `chargeback reversed${nameOf(state, isPart)}${showsReference ? '' : ', no reference'}`;
  happens(harness, name, () => {
    const of = gateway.transactions().find((found) => found.id === id)?.amount ?? 0n;
    const part = payment.toHundredths(payment.roundDown(payment.toMinor((of * 2n) / 5n)));
    const reversal = gateway.reverseChargeback(id, {
      ...{ state, showsReference },
      ...(isPart ? { amount: part } : {}),
    });
    if (random.chance(0.25)) later(harness, within, () => reverse(harness, id, within));
    if (random.chance(0.15))
      later(harness, within, () =>
        happens(harness, 'reversal reversed', () => gateway.reverseChargeback(reversal.id)),
      );
  });
}
