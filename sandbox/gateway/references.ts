/** The fifth and sixth checks: may this capture, refund or reversal refer to that transaction, and is there enough left? */
import type { Store } from './store.js';
import type { Instruction, Transaction } from './types.js';

/** `original` is null on operations without a reference. A reversal without an amount takes the whole original. */
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

/** Capture, refund and reversal each have their own word for "no such transaction in this entity". */
const NOT_FOUND = {
  CP: '700.400.510',
  RF: '600.200.500',
  RV: '700.400.530',
} as const;

export function checkReference(store: Store, order: Instruction, rules: ReferenceRules): ReferenceCheck {
  const { type } = order;
  if (order.registrationId !== null && store.registration(order.entityId, order.registrationId) === null) {
    return { ok: false, code: '100.150.200', original: null };
  }
  if (type === 'PA' || type === 'DB' || type === 'CD') {
    return {
      ok: true,
      original: null,
      amount: order.amount ?? 0n,
      currency: order.currency ?? '',
    };
  }
  if (type !== 'CP' && type !== 'RF' && type !== 'RV') {
    // Rebills and receipts depend on acquirer and brand; this merchant has neither.
    return { ok: false, code: '600.200.202', original: null };
  }
  const original = store.find(order.entityId, order.referencedId ?? '');
  if (original === null) return { ok: false, code: NOT_FOUND[type], original };
  const amount = order.amount ?? wholeOf(store, type, original, rules);
  const code = stateRefusal(store, type, original, order.currency, amount, rules);
  if (code !== null) return { ok: false, code, original };
  return {
    ok: true,
    original,
    amount,
    currency: order.currency ?? original.currency,
  };
}

function stateRefusal(
  store: Store,
  type: 'CP' | 'RF' | 'RV',
  original: Transaction,
  currency: string | null,
  amount: bigint,
  rules: ReferenceRules,
): string | null {
  if (original.state === 'rejected') return '700.300.200';
  if (original.state === 'pending') return '700.400.570';
  const refusal = workflowRefusal(store, type, original, amount, rules);
  if (refusal !== null) return refusal;
  return currency !== null && currency !== original.currency ? '700.100.500' : null;
}

/** A reversal without an amount takes the whole original, or what is left of an authorisation where captures do not forbid it. */
function wholeOf(
  store: Store,
  type: 'CP' | 'RF' | 'RV',
  original: Transaction,
  rules: ReferenceRules,
): bigint {
  return type === 'RV' && original.type === 'PA' && rules.reversalAfterCapture
    ? openAuthorisation(store, original)
    : original.amount;
}

function workflowRefusal(
  store: Store,
  type: 'CP' | 'RF' | 'RV',
  original: Transaction,
  amount: bigint,
  rules: ReferenceRules,
): string | null {
  switch (type) {
    case 'CP':
      if (original.type !== 'PA') return '700.400.510';
      return amount > openAuthorisation(store, original) ? '700.400.100' : null;
    case 'RV':
      if (original.type !== 'PA' && !(original.type === 'DB' && rules.reversalOnDebit)) return '700.400.530';
      if (forbidsReversal(store, original, rules)) return '700.400.300';
      if (isChargedBack(store, original)) return '700.300.600';
      return amount <= 0n || amount > openAuthorisation(store, original) ? '700.400.300' : null;
    case 'RF':
      if (!isRefundable(store, original)) return '700.400.520';
      if (isChargedBack(store, original)) return '700.300.600';
      return amount > refundVolume(store, original) ? '700.400.200' : null;
  }
}

/** Manuals of the gateway disagree on whether what was never captured can be released once a part was captured. */
function forbidsReversal(store: Store, original: Transaction, rules: ReferenceRules): boolean {
  const mayBeCaptured = original.type === 'PA' && rules.reversalAfterCapture;
  return store
    .children(original)
    .some((child) => isHeld(child) && (child.type === 'RF' || (child.type === 'CP' && !mayBeCaptured)));
}

/** Succeeded or still pending: either way its amount is no longer free. */
export function isHeld(transaction: Transaction): boolean {
  return transaction.state !== 'rejected';
}

function sumOf(transactions: readonly Transaction[], type: Transaction['type']): bigint {
  return transactions
    .filter((transaction) => transaction.type === type && isHeld(transaction))
    .reduce((sum, transaction) => sum + transaction.amount, 0n);
}

function openAuthorisation(store: Store, authorisation: Transaction): bigint {
  const children = store.children(authorisation);
  return authorisation.amount - sumOf(children, 'CP') - sumOf(children, 'RV');
}

/** A debit, a capture, or an authorisation of which something was captured. Never a refund or a credit. */
function isRefundable(store: Store, original: Transaction): boolean {
  if (original.type === 'DB' || original.type === 'CP') return true;
  return original.type === 'PA' && store.children(original).some(isSettledCapture);
}

function isSettledCapture(transaction: Transaction): boolean {
  return transaction.type === 'CP' && transaction.state === 'succeeded';
}

/** A chargeback stands on the payment (or, for an authorisation, on one of its captures) until all of it is reversed. */
export function isChargedBack(store: Store, original: Transaction): boolean {
  return store
    .descendants(original)
    .some((linked) => linked.type === 'CB' && isHeld(linked) && standingOf(store, linked) > 0n);
}

/** What of a chargeback, or of its reversal, executed reversals did not take back. */
export function standingOf(store: Store, disputed: Transaction): bigint {
  return store
    .children(disputed)
    .filter(({ type, state }) => type === 'CR' && state === 'succeeded')
    .reduce((left, reversal) => left - standingOf(store, reversal), disputed.amount);
}

/** What of it a further reversal may take back: pending ones hold their amount. */
export function reversibleOf(store: Store, disputed: Transaction): bigint {
  return store
    .children(disputed)
    .filter((child) => child.type === 'CR' && isHeld(child))
    .reduce((left, reversal) => left - standingOf(store, reversal), disputed.amount);
}

/**
 * What may still be refunded. A capture shares its authorisation's volume: a refund that names the authorisation takes
 * from the same captures as one that names the capture.
 */
function refundVolume(store: Store, original: Transaction): bigint {
  const linked = store.descendants(original);
  if (original.type === 'PA') {
    const captured = linked.filter(isSettledCapture).reduce((sum, capture) => sum + capture.amount, 0n);
    return captured - sumOf(linked, 'RF');
  }
  const own = original.amount - sumOf(linked, 'RF') - sumOf(linked, 'RV');
  const authorisation =
    original.referencedId === null ? null : store.find(original.entityId, original.referencedId);
  if (original.type !== 'CP' || authorisation === null) return own;
  const shared = refundVolume(store, authorisation);
  return shared < own ? shared : own;
}
