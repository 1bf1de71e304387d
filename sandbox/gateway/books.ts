/** Sums of the gateway's own books, to compare the ledger with. They are computed from transactions, never from answers. */
import { effectiveOf } from './references.js';
import type { Store } from './store.js';
import { paysCustomer, type Transaction } from './types.js';

/** A standalone credit, which the gateway links to no original. */
export interface CreditLine {
  readonly id: string;
  readonly merchantTransactionId: string | null;
  readonly registrationId: string | null;
  readonly amount: bigint;
  readonly currency: string;
  readonly state: Transaction['state'];
}

/** Sums of one original and the transactions linked to it, in hundredths of its currency. */
export interface Books {
  readonly originalId: string;
  readonly entityId: string;
  readonly currency: string;
  /** The debited amount, or the captured part of an authorization. */
  readonly captured: bigint;
  readonly refunded: bigint;
  readonly reversed: bigint;
  /** Chargebacks minus their reversals. */
  readonly chargedBack: bigint;
  /** Refunds and reversals that are accepted and not final yet. */
  readonly pending: bigint;
  /** Refunds and reversals that succeeded and were returned. */
  readonly returned: bigint;
  /** Credits of the same entity, selected by the hint. They are not linked, so they are not part of the sums above. */
  readonly credits: readonly CreditLine[];
}

/** Selects credits with one of these references or to this registration. Without a hint: all credits. */
export interface CreditHint {
  readonly references?: readonly string[];
  readonly registrationId?: string;
}

/** Money that left the merchant in one currency, in hundredths. `total` is refunds, reversals and credits, without chargebacks. */
export interface Outflow {
  readonly currency: string;
  readonly refunded: bigint;
  readonly reversed: bigint;
  readonly credited: bigint;
  readonly chargedBack: bigint;
  readonly total: bigint;
}

function sum(transactions: readonly Transaction[], type: Transaction['type']): bigint {
  return transactions
    .filter((transaction) => transaction.type === type && transaction.state === 'succeeded')
    .reduce((total, transaction) => total + transaction.amount, 0n);
}

function chargedBack(store: Store, transactions: readonly Transaction[]): bigint {
  return transactions
    .filter(({ type, state }) => type === 'CB' && state === 'succeeded')
    .reduce((total, chargeback) => total + effectiveOf(store, chargeback), 0n);
}

function amountOf(transactions: readonly Transaction[]): bigint {
  return transactions.reduce((total, transaction) => total + transaction.amount, 0n);
}

export function booksOf(store: Store, original: Transaction, hint: CreditHint = {}): Books {
  const linked = store.descendants(original);
  const outgoing = linked.filter(({ type }) => type === 'RF' || type === 'RV');
  return {
    originalId: original.id,
    entityId: original.entityId,
    currency: original.currency,
    captured: original.type === 'PA' ? sum(linked, 'CP') : sum([original], original.type),
    refunded: sum(linked, 'RF'),
    reversed: sum(linked, 'RV'),
    chargedBack: chargedBack(store, linked),
    pending: amountOf(outgoing.filter(({ state }) => state === 'pending')),
    returned: amountOf(outgoing.filter(({ state, executed }) => state === 'rejected' && executed)),
    credits: creditsOf(store, original.entityId, hint),
  };
}

export function creditsOf(store: Store, entityId: string, hint: CreditHint = {}): CreditLine[] {
  const everything = hint.references === undefined && hint.registrationId === undefined;
  return [...store.all()].filter(
    (found) =>
      found.type === 'CD' &&
      found.entityId === entityId &&
      (everything ||
        (found.merchantTransactionId !== null && hint.references?.includes(found.merchantTransactionId)) ||
        (hint.registrationId !== undefined && found.registrationId === hint.registrationId)),
  );
}

/** Sums the transactions with these references and those linked to these originals, each counted once. */
export function outflowOf(
  store: Store,
  references: readonly string[],
  originals: readonly string[],
): Outflow[] {
  const linked = originals.flatMap((id) => {
    const original = store.any(id);
    return original === null ? [] : store.descendants(original);
  });
  const found = new Map(
    [...references.flatMap((reference) => store.byReference(reference)), ...linked].map((transaction) => [
      transaction.id,
      transaction,
    ]),
  );
  const currencies = [...new Set([...found.values()].map(({ currency }) => currency))].sort();
  return currencies.map((currency) => {
    const own = [...found.values()].filter((transaction) => transaction.currency === currency);
    const refunded = sum(own, 'RF');
    const reversed = sum(own, 'RV');
    const credited = sum(own, 'CD');
    return {
      currency,
      refunded,
      reversed,
      credited,
      chargedBack: chargedBack(store, own),
      total: refunded + reversed + credited,
    };
  });
}

/** Counts refunds, reversals and credits with one reference that moved money or are pending. */
export function executedUnder(store: Store, reference: string): number {
  return store
    .byReference(reference)
    .filter(({ type }) => paysCustomer(type))
    .filter(({ executed, state }) => executed || state === 'pending').length;
}
