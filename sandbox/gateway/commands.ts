/** What happens at the gateway without the merchant asking: refunds in the portal, late decisions, new payments. */
import type { Draft, Platform } from './platform.js';
import { checkReference } from './references.js';
import { paysOut, type Transaction } from './types.js';

/** Why a command cannot be done. Nothing has changed then. */
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

/** What the platform, the customer's bank or a person in the portal makes. */
interface SystemTransaction extends Pick<Transaction, 'type' | 'amount' | 'resultCode'> {
  /** Default `succeeded`. */
  readonly state?: Transaction['state'];
  readonly merchantTransactionId?: string | null;
  readonly hidden?: { readonly reference?: boolean; readonly amount?: boolean };
}

/** A transaction by the platform on `original`. */
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

/** A refund that a person made in the gateway's portal: under the same rules, under no reference of ours. */
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

/** What a person does by hand is under the rules that the API has. */
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
  if (!check.ok) throw new CommandRefused('conflict', `The gateway refuses this ${type} with ${check.code}.`);
  return { original, amount: check.amount };
}

/** A reversal that a person made in the gateway's portal, of all that is left where no amount is given. */
export function reverseInPortal(
  platform: Platform,
  order: { readonly paymentId: string; readonly amount?: bigint },
  now: number,
): Transaction {
  const check = checkedByHand(platform, order, 'RV');
  const { original, amount } = check;
  return bySystem(platform, original, now, { type: 'RV', amount, resultCode: successCode(platform) });
}

/** The merchant's own shop captures an authorisation, or a part of it. */
export function capture(
  platform: Platform,
  order: { readonly paymentId: string; readonly amount: bigint },
  now: number,
): Transaction {
  const { original, amount } = checkedByHand(platform, order, 'CP');
  return bySystem(platform, original, now, { type: 'CP', amount, resultCode: successCode(platform) });
}

/** The final word on something pending, now instead of when planned. */
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

/** A refund, reversal or credit that had succeeded comes back. */
export function failLate(
  platform: Platform,
  order: { readonly id: string; readonly code?: string },
  now: number,
): Transaction {
  const transaction = existing(platform, order.id);
  if (transaction.state !== 'succeeded' || !paysOut(transaction.type)) {
    throw new CommandRefused('conflict', 'Only a refund, reversal or credit that succeeded can come back.');
  }
  return platform.change(transaction, 'rejected', order.code ?? '100.397.102', now);
}

/** A refund, reversal or credit that was refused turns out to have been executed all the same; one that came back, to be paid again. */
export function succeedLate(
  platform: Platform,
  order: { readonly id: string; readonly code?: string },
  now: number,
): Transaction {
  const transaction = existing(platform, order.id);
  if (transaction.state !== 'rejected' || !paysOut(transaction.type)) {
    throw new CommandRefused(
      'conflict',
      'Only a refund, reversal or credit that was refused or came back can turn out executed.',
    );
  }
  return platform.change(transaction, 'succeeded', order.code ?? successCode(platform), now);
}

/** What a lag still hides from look-ups is shown from now on. No notice is sent: nothing about it has changed. */
export function show(platform: Platform, order: { readonly id: string }, now: number): Transaction {
  const transaction = existing(platform, order.id);
  if (transaction.visibleAt <= now) {
    throw new CommandRefused('conflict', `Transaction ${order.id} is shown already.`);
  }
  return platform.show(transaction, now);
}

export interface NewPayment {
  /** The first entity where absent. */
  readonly entityId?: string;
  readonly type: 'DB' | 'PA';
  readonly amount: bigint;
  readonly currency: string;
  /** Amounts of captures to make of an authorisation. */
  readonly captures?: readonly bigint[];
  readonly merchantTransactionId?: string;
  /** How long ago the customer paid, in milliseconds. */
  readonly ageMs?: number;
  /** False: the payment shows no registration; the one that is made belongs to the customer alone. Default true. */
  readonly registered?: boolean;
}

export interface CreatedPayment {
  readonly paymentId: string;
  readonly captureIds: readonly string[];
  readonly registrationId: string;
}

const CARD = { bin: '420000', last4Digits: '0000' };

/** A customer paid, by a card that is now registered. */
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
    throw new CommandRefused('conflict', 'A DB is not captured; captures belong to a PA.');
  }
  if (captured > order.amount) throw new CommandRefused('conflict', 'The captures exceed the authorisation.');

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
