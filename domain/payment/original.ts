/** Reads an original payment from the gateway's records: what was captured, returned and disputed. */
import { readDisputes, type LinkedDispute } from './disputes.js';
import {
  idOf,
  minorOf,
  readLinked,
  registrationOf,
  stateOf,
  type Capture,
  type LinkedReturn,
} from './linked.js';
import type { OriginalDoubt } from './original-doubts.js';
import type { TransactionTree } from '../transaction.js';

export type { Capture, LinkedReturn } from './linked.js';
export type { DoubtReason, OriginalDoubt } from './original-doubts.js';

/** `capture`: one capture of a preauthorization alone, see `ofCapture`. */
export type OriginalType = 'debit' | 'preauthorization' | 'capture';

export interface OriginalFacts {
  /** A debit, or the preauthorization whose captures are listed. */
  readonly id: string;
  readonly type: OriginalType;
  readonly state: 'succeeded' | 'pending' | 'rejected';
  readonly currency: string;
  /** Reserved by a preauthorization; 0 for a debit. */
  readonly authorizedMinor: bigint;
  readonly captures: readonly Capture[];
  readonly capturedMinor: bigint;
  readonly registrationId: string | null;
  readonly returns: readonly LinkedReturn[];
  readonly disputes: readonly LinkedDispute[];
  /** Gateway ids of the chargeback reversals that are listed and were not declined. */
  readonly reversalIds: readonly string[];
  /** Gateway ids of linked transactions that were declined. Amounts that were counted for them are removed. */
  readonly declined: readonly string[];
  readonly doubts: readonly OriginalDoubt[];
  /** Start of the query by the ledger's clock. Of two observations the later one wins, whatever the order of storing. */
  readonly observedAt: Date;
  /** False if refunds that refer to its captures may be missing, because the captures were not queried one by one. */
  readonly coversCaptures: boolean;
  /** Read without linked transactions: empty returns and disputes prove nothing. */
  readonly hidesLinks?: true;
}

/** Time and completeness of a query. */
export interface Observation {
  readonly observedAt: Date;
  readonly coversCaptures: boolean;
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
 * Reads a query of an original with its linked transactions.
 * For a capture the reason names the preauthorization to query instead. A transaction that is not certainly declined counts as open,
 * because money that may have been given back must not be given back again. A linked transaction that cannot be read is a doubt, and counts
 * as the whole amount of the payment if it may have given money back. The rest stays readable.
 */
export function readOriginal(
  { original, linked }: TransactionTree,
  observation: Observation,
): OriginalReading {
  const id = idOf(original);
  if (id === undefined) return missing('id');
  const { type } = original;
  if (type === 'capture' && original.referencedId !== undefined)
    return unreadable({ why: 'capture', parentId: original.referencedId });
  if (type !== 'debit' && type !== 'preauthorization')
    return unreadable({ why: 'not_an_original', type: type ?? '(none)' });
  const state = stateOf(original);
  const { currency } = original;
  if (currency === undefined) return missing('currency');
  if (original.amount === undefined) return missing('amount');
  const amount = minorOf(original.amount, currency);
  if (amount === undefined) return unreadable({ why: 'amount', text: original.amount });

  const read = readLinked(linked, { id, amount, currency });
  const captures =
    type === 'debit' && state !== 'rejected' && amount > 0n
      ? [{ id, amountMinor: amount }, ...read.captures]
      : read.captures;
  // The captured amount decides between refund and reversal. Without a readable capture the choice would be a guess.
  if (captures.length === 0 && read.unreadableCapture !== undefined)
    return missing(`amount of capture ${read.unreadableCapture}`);
  const disputed = readDisputes(
    read.chargebacks,
    read.reversals,
    new Set([id, ...captures.map((capture) => capture.id)]),
  );
  const registrationId = registrationOf(original);
  return {
    kind: 'read',
    facts: {
      id,
      type,
      state: state === 'open' ? 'pending' : state,
      currency,
      authorizedMinor: type === 'preauthorization' && state !== 'rejected' ? amount : 0n,
      captures,
      capturedMinor: captures.reduce((sum, capture) => sum + capture.amountMinor, 0n),
      registrationId: registrationId ?? null,
      returns: read.returns,
      disputes: disputed.disputes,
      reversalIds: read.reversals.map((reversal) => reversal.id),
      declined: read.declined,
      doubts: [
        ...(original.registrationId !== undefined && registrationId === undefined
          ? [{ gatewayId: '', why: 'registration_unreadable' } as const]
          : []),
        ...read.doubts,
        ...disputed.doubts,
      ],
      observedAt: observation.observedAt,
      coversCaptures: observation.coversCaptures || type === 'debit' || captures.length === 0,
    },
  };
}

/**
 * Returns the amount that each return takes from the refundable money. A reversal of an authorization with captures releases the part that
 * was never captured. It takes nothing from the captures, whatever amount it shows. A reversal that refers to nothing may belong to a
 * capture: the amount beyond the uncaptured part counts.
 */
export function takenByReturns(
  facts: OriginalFacts,
): { readonly entry: LinkedReturn; readonly takenMinor: bigint }[] {
  let uncaptured =
    facts.type === 'preauthorization' &&
    facts.capturedMinor > 0n &&
    facts.authorizedMinor > facts.capturedMinor
      ? facts.authorizedMinor - facts.capturedMinor
      : 0n;
  return [...facts.returns]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((entry) => {
      if (entry.type !== 'reversal' || facts.captures.some((capture) => capture.id === entry.referencedId))
        return { entry, takenMinor: entry.amountMinor };
      const free = entry.amountMinor < uncaptured ? entry.amountMinor : uncaptured;
      uncaptured -= free;
      const isOfRest =
        facts.type === 'preauthorization' && facts.capturedMinor > 0n && entry.referencedId === facts.id;
      return { entry, takenMinor: isOfRest ? 0n : entry.amountMinor - free };
    });
}

function unreadable(reason: UnreadableOriginal): OriginalReading {
  return { kind: 'unreadable', reason };
}

function missing(field: string): OriginalReading {
  return unreadable({ why: 'missing_field', field });
}
