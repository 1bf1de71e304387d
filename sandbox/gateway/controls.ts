/** Events at the gateway that no API request causes: payments, refunds in the portal, late outcomes. */
import type { Draft, Platform } from './platform.js';
import { checkReference } from './references.js';
import { paysCustomer, type Transaction } from './types.js';

/** Thrown when a control cannot be executed. Nothing has changed then. */
export class CommandRefused extends Error {
  readonly code: 'not_found' | 'conflict';

  constructor(code: 'not_found' | 'conflict', message: string) {
    super(message);
    this.name = 'CommandRefused';
    this.code = code;
  }
}

export function existing(platform: Platform, id: string): Transaction {
  const transaction = platform.store.any(id);
  if (transaction === null) throw new CommandRefused('not_found', `There is no transaction ${id}.`);
  return transaction;
}

export function successCode(platform: Platform): string {
  return platform.settings.live ? '000.000.000' : '000.100.110';
}

/** A transaction that the platform, the customer's bank or an operator in the portal creates. */
interface SystemTransaction extends Pick<Transaction, 'type' | 'amount' | 'resultCode'> {
  /** Default `succeeded`. */
  readonly state?: Transaction['state'];
  readonly merchantTransactionId?: string | null;
  readonly hidden?: { readonly reference?: boolean; readonly amount?: boolean };
}

/** Creates a transaction of the platform that refers to `original`. */
export function bySystem(
  platform: Platform,
  original: Transaction,
  now: number,
  { type, amount, resultCode, state = 'succeeded', merchantTransactionId = null, hidden }: SystemTransaction,
): Transaction {
  const draft: Draft = {
    entityId: original.entityId,
    type,
    amount,
    currency: original.currency,
    referencedId: original.id,
    state,
    merchantTransactionId,
    registrationId: null,
    paymentBrand: null,
    card: null,
    resultCode,
    source: 'SYSTEM',
    showsAmount: true,
  };
  return platform.create(draft, now, hidden);
}

/** Creates a refund that an operator makes in the gateway's portal: by the API's rules, and by default without a merchantTransactionId. */
export function refundInPortal(
  platform: Platform,
  order: {
    readonly paymentId: string;
    readonly amount: bigint;
    readonly merchantTransactionId?: string;
  },
  now: number,
): Transaction {
  const { original, amount } = checkedByHand(platform, order, 'RF');
  return bySystem(platform, original, now, {
    type: 'RF',
    amount,
    resultCode: successCode(platform),
    merchantTransactionId: order.merchantTransactionId ?? null,
  });
}

/** Checks an operation in the portal by the rules of the API. */
function checkedByHand(
  platform: Platform,
  order: { readonly paymentId: string; readonly amount?: bigint },
  type: 'CP' | 'RF' | 'RV',
): { readonly original: Transaction; readonly amount: bigint } {
  const original = existing(platform, order.paymentId);
  const check = checkReference(
    platform.store,
    {
      entityId: original.entityId,
      type,
      amount: order.amount ?? null,
      currency: original.currency,
      referencedId: original.id,
      registrationId: null,
      merchantTransactionId: null,
      paymentBrand: null,
      card: null,
      createRegistration: false,
      testMode: 'INTERNAL',
      forced: null,
    },
    platform.settings,
  );
  if (!check.ok) throw new CommandRefused('conflict', `The gateway rejects this ${type} with ${check.code}.`);
  return { original, amount: check.amount };
}

/** Creates a reversal that an operator makes in the gateway's portal. Without an amount it takes the whole remaining amount. */
export function reverseInPortal(
  platform: Platform,
  order: { readonly paymentId: string; readonly amount?: bigint },
  now: number,
): Transaction {
  const check = checkedByHand(platform, order, 'RV');
  const { original, amount } = check;
  return bySystem(platform, original, now, { type: 'RV', amount, resultCode: successCode(platform) });
}

/** Captures an authorization or a part of it, as the merchant's shop does. */
export function capture(
  platform: Platform,
  order: { readonly paymentId: string; readonly amount: bigint },
  now: number,
): Transaction {
  const { original, amount } = checkedByHand(platform, order, 'CP');
  return bySystem(platform, original, now, { type: 'CP', amount, resultCode: successCode(platform) });
}

/** Makes a pending transaction final now, instead of at its planned time. */
export function finishPending(
  platform: Platform,
  order: {
    readonly id: string;
    readonly state: 'succeeded' | 'rejected';
    readonly code?: string;
  },
  now: number,
): Transaction {
  const transaction = existing(platform, order.id);
  if (transaction.state !== 'pending') {
    throw new CommandRefused('conflict', `Transaction ${order.id} is ${transaction.state}, not pending.`);
  }
  const usual = order.state === 'succeeded' ? successCode(platform) : '100.397.102';
  return platform.change(transaction, order.state, order.code ?? usual, now);
}

/** Makes a refund, reversal or credit that had succeeded fail: the money is returned to the merchant. */
export function failLate(
  platform: Platform,
  order: { readonly id: string; readonly code?: string },
  now: number,
): Transaction {
  const transaction = existing(platform, order.id);
  if (transaction.state !== 'succeeded' || !paysCustomer(transaction.type)) {
    throw new CommandRefused('conflict', 'Only a refund, reversal or credit that succeeded can be returned.');
  }
  return platform.change(transaction, 'rejected', order.code ?? '100.397.102', now);
}

/** Makes a refund, reversal or credit that was declined or returned succeed after all. */
export function succeedLate(
  platform: Platform,
  order: { readonly id: string; readonly code?: string },
  now: number,
): Transaction {
  const transaction = existing(platform, order.id);
  if (transaction.state !== 'rejected' || !paysCustomer(transaction.type)) {
    throw new CommandRefused(
      'conflict',
      'Only a refund, reversal or credit that was declined or returned can succeed late.',
    );
  }
  return platform.change(transaction, 'succeeded', order.code ?? successCode(platform), now);
}

/** Makes a transaction visible to queries before its lag ends. No notification is sent, because the transaction itself does not change. */
export function show(platform: Platform, order: { readonly id: string }, now: number): Transaction {
  const transaction = existing(platform, order.id);
  if (transaction.visibleAt <= now) {
    throw new CommandRefused('conflict', `Transaction ${order.id} is visible already.`);
  }
  return platform.show(transaction, now);
}

export interface NewPayment {
  /** Default: the first entity. */
  readonly entityId?: string;
  readonly type: 'DB' | 'PA';
  readonly amount: bigint;
  readonly currency: string;
  /** Amounts to capture of an authorization. */
  readonly captures?: readonly bigint[];
  readonly merchantTransactionId?: string;
  /** Milliseconds since the customer paid. Default 0. */
  readonly ageMs?: number;
  /** False if the payment does not show the registration that is created with it. Default true. */
  readonly registered?: boolean;
}

export interface CreatedPayment {
  readonly paymentId: string;
  readonly captureIds: readonly string[];
  readonly registrationId: string;
}

const CARD = { bin: '420000', last4Digits: '0000' };

/** Creates a payment by card, and a registration of that card. */
export function createPayment(platform: Platform, order: NewPayment, now: number): CreatedPayment {
  const entity =
    order.entityId === undefined
      ? platform.entities.values().next().value
      : platform.entities.get(order.entityId);
  if (entity === undefined)
    throw new CommandRefused('not_found', `There is no entity ${order.entityId ?? ''}.`);
  const captures = order.captures ?? [];
  const captured = captures.reduce((sum, amount) => sum + amount, 0n);
  if (captures.length > 0 && order.type === 'DB') {
    throw new CommandRefused('conflict', 'A DB cannot be captured. Only a PA has captures.');
  }
  if (captured > order.amount) throw new CommandRefused('conflict', 'The captures exceed the authorization.');

  const at = now - (order.ageMs ?? 0);
  const registrationId = platform.register(entity.id, CARD);
  const common = {
    entityId: entity.id,
    currency: order.currency,
    state: 'succeeded',
    resultCode: successCode(platform),
    registrationId: order.registered === false ? null : registrationId,
    source: 'OPP',
    showsAmount: true,
  } as const;
  const payment = platform.create(
    {
      type: order.type,
      amount: order.amount,
      referencedId: null,
      merchantTransactionId: order.merchantTransactionId ?? null,
      paymentBrand: 'VISA',
      card: CARD,
      ...common,
    },
    at,
  );
  const captureIds = captures.map((amount) => {
    const draft: Draft = {
      type: 'CP',
      amount,
      referencedId: payment.id,
      merchantTransactionId: null,
      paymentBrand: null,
      card: null,
      ...common,
    };
    return platform.create(draft, at).id;
  });
  return { paymentId: payment.id, captureIds, registrationId };
}
