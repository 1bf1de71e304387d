/** The fifth and sixth checks: may this capture, refund or reversal refer to that original, and is the remaining amount enough? */
import type { Store } from './store.js';
import type { Instruction, Transaction } from './types.js';

/** `original` is null for operations without an original. A reversal without an amount takes the whole original. */
export type ReferenceCheck =
  | {
      readonly ok: true;
      readonly original: Transaction | null;
      readonly amount: bigint;
      readonly currency: string;
    }
  | {
      readonly ok: false;
      readonly code: string;
      readonly original: Transaction | null;
    };

interface ReferenceRules {
  readonly reversalOnDebit: boolean;
  readonly reversalAfterCapture: boolean;
}

/** The result codes for "no such transaction in this entity": capture, refund and reversal each have their own. */
const NOT_FOUND = {
  CP: '700.400.510',
  RF: '600.200.500',
  RV: '700.400.530',
} as const;

export function checkReference(store: Store, order: Instruction, rules: ReferenceRules): ReferenceCheck {
  const { type } = order;
  if (order.registrationId !== null) {
    const registration = store.registration(order.entityId, order.registrationId);
    if (registration === null) return { ok: false, code: '100.150.200', original: null };
    const created = store.find(order.entityId, order.registrationId);
    if (created?.state === 'rejected') return { ok: false, code: '100.150.203', original: null };
    if (created?.state === 'pending') return { ok: false, code: '100.150.201', original: null };
    if (registration.isRemoved) return { ok: false, code: '100.150.202', original: null };
  }
  if (type === 'PA' || type === 'DB' || type === 'CD' || type === 'RG' || type === 'DR') {
    return {
      ok: true,
      original: null,
      amount: order.amount ?? 0n,
      currency: order.currency ?? '',
    };
  }
  if (type !== 'CP' && type !== 'RF' && type !== 'RV') {
    // Rebills and receipts depend on the acquirer and the brand. The simulated merchant has neither.
    return { ok: false, code: '600.200.202', original: null };
  }
  const original = store.find(order.entityId, order.referencedId ?? '');
  if (original === null) return { ok: false, code: NOT_FOUND[type], original };
  const amount = order.amount ?? wholeOf(store, type, original, rules);
  const code = rejectionByState(store, type, original, order.currency, amount, rules);
  if (code !== null) return { ok: false, code, original };
  return {
    ok: true,
    original,
    amount,
    currency: order.currency ?? original.currency,
  };
}

function rejectionByState(
  store: Store,
  type: 'CP' | 'RF' | 'RV',
  original: Transaction,
  currency: string | null,
  amount: bigint,
  rules: ReferenceRules,
): string | null {
  if (original.state === 'rejected') return '700.300.200';
  if (original.state === 'pending') return '700.400.570';
  const rejection = rejectionByType(store, type, original, amount, rules);
  if (rejection !== null) return rejection;
  return currency !== null && currency !== original.currency ? '700.100.500' : null;
}

/** Returns the amount of a reversal without an amount: the whole original, or the open part of an authorization where `reversalAfterCapture` is set. */
function wholeOf(
  store: Store,
  type: 'CP' | 'RF' | 'RV',
  original: Transaction,
  rules: ReferenceRules,
): bigint {
  return type === 'RV' && original.type === 'PA' && rules.reversalAfterCapture
    ? openAuthorization(store, original)
    : original.amount;
}

function rejectionByType(
  store: Store,
  type: 'CP' | 'RF' | 'RV',
  original: Transaction,
  amount: bigint,
  rules: ReferenceRules,
): string | null {
  switch (type) {
    case 'CP':
      if (original.type !== 'PA') return '700.400.510';
      return amount > openAuthorization(store, original) ? '700.400.100' : null;
    case 'RV':
      if (original.type !== 'PA' && !(original.type === 'DB' && rules.reversalOnDebit)) return '700.400.530';
      if (forbidsReversal(store, original, rules)) return '700.400.300';
      if (isChargedBack(store, original)) return '700.300.600';
      return amount <= 0n || amount > openAuthorization(store, original) ? '700.400.300' : null;
    case 'RF':
      if (!isRefundable(store, original)) return '700.400.520';
      if (isChargedBack(store, original)) return '700.300.600';
      return amount > refundVolume(store, original) ? '700.400.200' : null;
  }
}

/** True if earlier captures or refunds prevent a reversal. Manuals of the gateway disagree on captures, so a setting decides. */
function forbidsReversal(store: Store, original: Transaction, rules: ReferenceRules): boolean {
  const mayBeCaptured = original.type === 'PA' && rules.reversalAfterCapture;
  return store
    .children(original)
    .some((child) => isHeld(child) && (child.type === 'RF' || (child.type === 'CP' && !mayBeCaptured)));
}

/** True if the transaction succeeded or is pending, so that its amount is not available. */
export function isHeld(transaction: Transaction): boolean {
  return transaction.state !== 'rejected';
}

function sumOf(transactions: readonly Transaction[], type: Transaction['type']): bigint {
  return transactions
    .filter((transaction) => transaction.type === type && isHeld(transaction))
    .reduce((sum, transaction) => sum + transaction.amount, 0n);
}

function openAuthorization(store: Store, authorization: Transaction): bigint {
  const children = store.children(authorization);
  return authorization.amount - sumOf(children, 'CP') - sumOf(children, 'RV');
}

/** True for a debit, a capture, and an authorization with a capture; false for refunds and credits. */
function isRefundable(store: Store, original: Transaction): boolean {
  if (original.type === 'DB' || original.type === 'CP') return true;
  return original.type === 'PA' && store.children(original).some(isSettledCapture);
}

function isSettledCapture(transaction: Transaction): boolean {
  return transaction.type === 'CP' && transaction.state === 'succeeded';
}

/** True if the payment, or one of the authorization's captures, has a chargeback that is not completely reversed. */
export function isChargedBack(store: Store, original: Transaction): boolean {
  return store
    .descendants(original)
    .some((linked) => linked.type === 'CB' && isHeld(linked) && effectiveOf(store, linked) > 0n);
}

/** Returns the part of a chargeback, or of its reversal, that executed reversals have not taken back. */
export function effectiveOf(store: Store, disputed: Transaction): bigint {
  return store
    .children(disputed)
    .filter(({ type, state }) => type === 'CR' && state === 'succeeded')
    .reduce((left, reversal) => left - effectiveOf(store, reversal), disputed.amount);
}

/** Returns the part that a further reversal may take back. Pending reversals count as taken. */
export function reversibleOf(store: Store, disputed: Transaction): bigint {
  return store
    .children(disputed)
    .filter((child) => child.type === 'CR' && isHeld(child))
    .reduce((left, reversal) => left - effectiveOf(store, reversal), disputed.amount);
}

/**
 * Returns the amount that can still be refunded. A capture shares the volume of its authorization: a refund of the
 * authorization and a refund of the capture take from the same captured amount.
 */
function refundVolume(store: Store, original: Transaction): bigint {
  const linked = store.descendants(original);
  if (original.type === 'PA') {
    const captured = linked.filter(isSettledCapture).reduce((sum, capture) => sum + capture.amount, 0n);
    return captured - sumOf(linked, 'RF');
  }
  const own = original.amount - sumOf(linked, 'RF') - sumOf(linked, 'RV');
  const authorization =
    original.referencedId === null ? null : store.find(original.entityId, original.referencedId);
  if (original.type !== 'CP' || authorization === null) return own;
  const shared = refundVolume(store, authorization);
  return shared < own ? shared : own;
}
