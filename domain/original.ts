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
  /** The root: a DB, or the PA whose captures are listed. */
  readonly id: string;
  readonly type: 'DB' | 'PA';
  readonly state: 'succeeded' | 'pending' | 'rejected';
  readonly currency: string;
  /** What was authorised by a PA; 0 for a DB. */
  readonly authorizedMinor: bigint;
  readonly captures: readonly Capture[];
  readonly capturedMinor: bigint;
  readonly registrationId: string | null;
  readonly returns: readonly LinkedReturn[];
  readonly disputes: readonly LinkedDispute[];
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
  const returns: LinkedReturn[] = [];
  const chargebacks: { id: string; amountMinor: bigint }[] = [];
  const chargebackReversals: GatewayTransaction[] = [];
  if (type === 'DB' && state !== 'rejected') captures.push({ id: original.id, amountMinor: amount });

  for (const entry of linked) {
    if (entry.id === undefined || entry.id === original.id) continue;
    const entryState = stateOf(entry, host);
    if (entryState === 'rejected') continue;
    const entryAmount = entry.amount === undefined ? undefined : minorOf(entry.amount, currency);
    if (entry.amount !== undefined && entryAmount === undefined)
      return unreadable({ why: 'amount', text: entry.amount });
    switch (entry.paymentType) {
      case 'CP':
        if (entryState !== 'succeeded') break;
        if (entryAmount === undefined) return missing(`amount of CP ${entry.id}`);
        captures.push({ id: entry.id, amountMinor: entryAmount });
        break;
      case 'RF':
      case 'RV':
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
        chargebacks.push({ id: entry.id, amountMinor: entryAmount ?? amount });
        break;
      case 'CR':
        chargebackReversals.push(entry);
        break;
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
      disputes: pairDisputes(chargebacks, chargebackReversals),
    },
  };
}

/** A CR ends the chargeback that it refers to; one without a reference ends the oldest that still stands. */
function pairDisputes(
  chargebacks: readonly { id: string; amountMinor: bigint }[],
  reversals: readonly GatewayTransaction[],
): LinkedDispute[] {
  const reversed = new Set<string>();
  for (const reversal of reversals) {
    const named = chargebacks.find((chargeback) => chargeback.id === reversal.referencedId);
    const ended = named ?? chargebacks.find((chargeback) => !reversed.has(chargeback.id));
    if (ended) reversed.add(ended.id);
  }
  return chargebacks.map((chargeback) => ({ ...chargeback, reversed: reversed.has(chargeback.id) }));
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
