/** What the gateway's own records say about an original payment: captured, given back, disputed, and by whom. */
import { parseGatewayAmount } from './money.js';
import { readCode, type GatewayHost } from './refusals.js';
import type { GatewayTransaction, TransactionTree } from './transaction.js';

/** A capture, or a debit: what a refund may refer to. Minor units. */
export interface Capture {
  readonly id: string;
  readonly amountMinor: bigint;
}

/** A refund or reversal that the gateway knows. `open`: pending, or its code says nothing certain. */
export interface LinkedReturn {
  readonly id: string;
  readonly type: 'RF' | 'RV';
  readonly reference: string | null;
  readonly referencedId: string | null;
  readonly amountMinor: bigint;
  readonly state: 'succeeded' | 'open';
}

/** A chargeback. `reversed`: a later CR gave the money back to the merchant. */
export interface LinkedDispute {
  readonly id: string;
  readonly amountMinor: bigint;
  readonly reversed: boolean;
}

export interface OriginalFacts {
  /** The root: a DB, or the PA whose captures are listed. `CP`: one capture of it alone (`ofCapture`). */
  readonly id: string;
  readonly type: 'DB' | 'PA' | 'CP';
  readonly state: 'succeeded' | 'pending' | 'rejected';
  readonly currency: string;
  /** What was authorised by a PA; 0 for a DB. */
  readonly authorizedMinor: bigint;
  readonly captures: readonly Capture[];
  readonly capturedMinor: bigint;
  readonly registrationId: string | null;
  readonly returns: readonly LinkedReturn[];
  readonly disputes: readonly LinkedDispute[];
  /** Read by v1, which shows no links: that returns and disputes are empty says nothing. */
  readonly hidesLinks?: true;
}

export type UnreadableOriginal =
  | { readonly why: 'not_an_original'; readonly type: string }
  | { readonly why: 'capture'; readonly parentId: string }
  | { readonly why: 'missing_field'; readonly field: string }
  | { readonly why: 'amount'; readonly text: string };

export type OriginalReading =
  | { readonly kind: 'read'; readonly facts: OriginalFacts }
  | { readonly kind: 'unreadable'; readonly reason: UnreadableOriginal };

/**
 * Reads a look-up of an original with its linked transactions.
 * A CP is not a root: the reason names the PA to look up instead. Whatever is not certainly refused counts as
 * open, because a doubt about money already given back must never make room for giving it again.
 */
export function readOriginal(tree: TransactionTree, host: GatewayHost): OriginalReading {
  const { original, linked } = tree;
  if (original.id === undefined) return missing('id');
  const type = original.paymentType;
  if (type === 'CP' && original.referencedId !== undefined)
    return unreadable({ why: 'capture', parentId: original.referencedId });
  if (type !== 'DB' && type !== 'PA') return unreadable({ why: 'not_an_original', type: type ?? '(none)' });
  const state = stateOf(original, host);
  if (original.currency === undefined) return missing('currency');
  if (original.amount === undefined) return missing('amount');
  const currency = original.currency;
  const amount = minorOf(original.amount, currency);
  if (amount === undefined) return unreadable({ why: 'amount', text: original.amount });

  const captures: Capture[] = [];
  const seen = new Set([original.id]);
  const returns: LinkedReturn[] = [];
  const chargebacks: Chargeback[] = [];
  const chargebackReversals: GatewayTransaction[] = [];
  if (type === 'DB' && state !== 'rejected' && amount > 0n)
    captures.push({ id: original.id, amountMinor: amount });

  for (const entry of linked) {
    if (entry.id === undefined || entry.id === original.id) continue;
    const entryState = stateOf(entry, host);
    if (entryState === 'rejected') continue;
    // One that is listed under the authorisation and again under its capture is one.
    if (seen.has(entry.id)) continue;
    // An amount in another currency cannot be compared; below it counts like one that is missing.
    const isComparable = entry.currency === undefined || entry.currency === currency;
    const entryAmount =
      entry.amount === undefined || !isComparable ? undefined : minorOf(entry.amount, currency);
    if (entry.amount !== undefined && isComparable && entryAmount === undefined)
      return unreadable({ why: 'amount', text: entry.amount });
    switch (entry.paymentType) {
      case 'CP':
        if (entryState !== 'succeeded') break;
        if (entryAmount === undefined) return missing(`amount of CP ${entry.id}`);
        seen.add(entry.id);
        if (entryAmount > 0n) captures.push({ id: entry.id, amountMinor: entryAmount });
        break;
      case 'RF':
      case 'RV':
        seen.add(entry.id);
        returns.push({
          id: entry.id,
          type: entry.paymentType,
          reference: entry.merchantTransactionId ?? null,
          referencedId: entry.referencedId ?? null,
          // No amount on a live RF or RV: the whole original, which is the safe reading.
          amountMinor: entryAmount ?? amount,
          state: entryState === 'succeeded' ? 'succeeded' : 'open',
        });
        break;
      case 'CB':
        seen.add(entry.id);
        chargebacks.push({
          id: entry.id,
          amountMinor: entryAmount ?? amount,
          timestamp: entry.timestamp ?? '',
        });
        break;
      case 'CR':
        seen.add(entry.id);
        chargebackReversals.push(entry);
        break;
      case undefined:
      default:
        break;
    }
  }

  return {
    kind: 'read',
    facts: {
      id: original.id,
      type,
      state,
      currency,
      authorizedMinor: type === 'PA' && state !== 'rejected' ? amount : 0n,
      captures,
      capturedMinor: captures.reduce((sum, capture) => sum + capture.amountMinor, 0n),
      registrationId: original.registrationId ?? null,
      returns,
      disputes: pairDisputes(
        chargebacks,
        chargebackReversals,
        new Set(transactionsWithMoney(original.id, captures)),
      ),
    },
  };
}

interface Chargeback {
  readonly id: string;
  readonly amountMinor: bigint;
  readonly timestamp: string;
}

const transactionsWithMoney = (originalId: string, captures: readonly Capture[]): string[] => [
  originalId,
  ...captures.map((capture) => capture.id),
];

/**
 * A CR ends the chargeback that it refers to; one without a reference, or with the payment's own, ends the oldest that still stands.
 * The order is the gateway's time, then the id: the same chargeback is found ended whatever order a look-up lists them in.
 * A CR that refers to anything else ends nothing here: a chargeback that stands blocks payments, and that is the safe reading.
 */
function pairDisputes(
  chargebacks: readonly Chargeback[],
  reversals: readonly GatewayTransaction[],
  payment: ReadonlySet<string>,
): LinkedDispute[] {
  const byAge = [...chargebacks].sort((a, b) => (a.timestamp + a.id < b.timestamp + b.id ? -1 : 1));
  const reversed = new Set<string>();
  const unnamed: GatewayTransaction[] = [];
  for (const reversal of reversals) {
    const { referencedId } = reversal;
    if (referencedId === undefined || payment.has(referencedId)) unnamed.push(reversal);
    else if (byAge.some((chargeback) => chargeback.id === referencedId)) reversed.add(referencedId);
  }
  for (const _reversal of unnamed) {
    const ended = byAge.find((chargeback) => !reversed.has(chargeback.id));
    if (ended !== undefined) reversed.add(ended.id);
  }
  return byAge.map(({ id, amountMinor }) => ({ id, amountMinor, reversed: reversed.has(id) }));
}

/**
 * What each return takes from the money that a refund can give back. A reversal of an authorization that has captures releases what was
 * never captured, and that was nobody's money yet: whatever amount is shown for it, it takes nothing from the captures. One that names
 * nothing may have been of a capture: beyond what was never captured it counts.
 */
export function takenByReturns(
  facts: OriginalFacts,
): { readonly entry: LinkedReturn; readonly takenMinor: bigint }[] {
  let uncaptured =
    facts.type === 'PA' && facts.capturedMinor > 0n && facts.authorizedMinor > facts.capturedMinor
      ? facts.authorizedMinor - facts.capturedMinor
      : 0n;
  return [...facts.returns]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((entry) => {
      if (entry.type !== 'RV' || facts.captures.some((capture) => capture.id === entry.referencedId))
        return { entry, takenMinor: entry.amountMinor };
      const free = entry.amountMinor < uncaptured ? entry.amountMinor : uncaptured;
      uncaptured -= free;
      const isOfRest = facts.type === 'PA' && facts.capturedMinor > 0n && entry.referencedId === facts.id;
      return { entry, takenMinor: isOfRest ? 0n : entry.amountMinor - free };
    });
}

/** Chargebacks carry codes of their own group; for them only a refusal of the entry itself would count, and none exists. */
function stateOf(transaction: GatewayTransaction, host: GatewayHost): 'succeeded' | 'pending' | 'rejected' {
  if (transaction.paymentType === 'CB' || transaction.paymentType === 'CR') return 'succeeded';
  const read = readCode(transaction.result.code, 'refund', host);
  if (read.kind === 'succeeded') return 'succeeded';
  return read.kind === 'refused' ? 'rejected' : 'pending';
}

function minorOf(text: string, currency: string): bigint | undefined {
  const parsed = parseGatewayAmount(text, currency);
  return parsed.ok ? parsed.money.minor : undefined;
}

function unreadable(reason: UnreadableOriginal): OriginalReading {
  return { kind: 'unreadable', reason };
}

function missing(field: string): OriginalReading {
  return unreadable({ why: 'missing_field', field });
}
