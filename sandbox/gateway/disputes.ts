/** Chargebacks by the customer's bank, changes of their amount, and reversals when the merchant wins. */
import { bySystem, CommandRefused, existing, successCode } from './controls.js';
import type { Platform } from './platform.js';
import { isChargedBack, reversibleOf } from './references.js';
import type { Transaction } from './types.js';

export interface ChargebackOrder {
  readonly paymentId: string;
  /** Default: the whole payment. */
  readonly amount?: bigint;
  readonly code?: string;
  /** Default `succeeded`. */
  readonly state?: Transaction['state'];
  /** False if it is listed without an amount until it changes. Default true. */
  readonly showsAmount?: boolean;
}

export interface ChargebackChange {
  readonly chargebackId: string;
  readonly amount: bigint;
}

export interface ChargebackReversal {
  /** Default: the whole amount that is not reversed yet. */
  readonly amount?: bigint;
  readonly code?: string;
  /** Default `succeeded`. */
  readonly state?: Transaction['state'];
  /** False if it is listed without a `referencedId`. Default true. */
  readonly showsReference?: boolean;
}

/** The result code of a chargeback for which none is given. */
const NO_REASON = '000.100.200';

function codeOf(state: Transaction['state'], executed: string): string {
  if (state === 'pending') return '000.200.000';
  return state === 'succeeded' ? executed : '100.397.102';
}

/** Creates a chargeback, by default of the whole payment. Earlier refunds do not prevent it. */
export function chargeback(platform: Platform, order: ChargebackOrder, now: number): Transaction {
  const payment = existing(platform, order.paymentId);
  const { amount = payment.amount, state = 'succeeded' } = order;
  if (payment.type !== 'DB' && payment.type !== 'CP') {
    throw new CommandRefused('conflict', `A ${payment.type} cannot be charged back, only a DB or a CP.`);
  }
  if (payment.state !== 'succeeded') {
    throw new CommandRefused('conflict', `Payment ${payment.id} is ${payment.state}: no money was taken.`);
  }
  if (isChargedBack(platform.store, payment)) {
    throw new CommandRefused('conflict', `Payment ${payment.id} already has an open chargeback.`);
  }
  checkAmount(amount, payment);
  return bySystem(platform, payment, now, {
    type: 'CB',
    amount,
    state,
    resultCode: order.code ?? codeOf(state, NO_REASON),
    hidden: { amount: order.showsAmount === false },
  });
}

function checkAmount(amount: bigint, payment: Transaction): void {
  if (amount <= 0n || amount > payment.amount)
    throw new CommandRefused(
      'conflict',
      'The amount of a chargeback must be above zero and at most that of the payment.',
    );
}

/** Changes the amount of a chargeback; it is shown from then on. */
export function changeChargeback(platform: Platform, order: ChargebackChange, now: number): Transaction {
  const found = chargebackOf(platform, order.chargebackId);
  checkAmount(order.amount, existing(platform, found.referencedId ?? ''));
  if (order.amount < found.amount - reversibleOf(platform.store, found)) {
    throw new CommandRefused('conflict', `Reversals of chargeback ${found.id} exceed this amount.`);
  }
  const changed: Transaction = { ...found, amount: order.amount, hidesAmount: false };
  return platform.change(changed, found.state, found.resultCode, now);
}

/**
 * Reverses a chargeback or a part of it, because the merchant won. The payment can be refunded again when the whole
 * chargeback is reversed. With the id of a reversal, it reverses that one: the merchant lost again. The gateway has one type for both.
 */
export function reverseChargeback(
  platform: Platform,
  id: string,
  { amount, code, state = 'succeeded', showsReference = true }: ChargebackReversal,
  now: number,
): Transaction {
  const found = existing(platform, id);
  if (found.type !== 'CB' && found.type !== 'CR')
    throw new CommandRefused('conflict', `${id} is neither a chargeback nor the reversal of one.`);
  const left = reversibleOf(platform.store, found);
  if (found.state === 'rejected' || left <= 0n)
    throw new CommandRefused('conflict', `Chargeback ${id} was already reversed.`);
  const minor = amount ?? left;
  if (minor <= 0n || minor > left)
    throw new CommandRefused(
      'conflict',
      'The amount of a reversal must be above zero and at most the amount that is not reversed yet.',
    );
  return bySystem(platform, found, now, {
    type: 'CR',
    amount: minor,
    state,
    resultCode: code ?? codeOf(state, successCode(platform)),
    hidden: { reference: !showsReference },
  });
}

function chargebackOf(platform: Platform, id: string): Transaction {
  const found = existing(platform, id);
  if (found.type !== 'CB') throw new CommandRefused('conflict', `${id} is not a chargeback.`);
  return found;
}
