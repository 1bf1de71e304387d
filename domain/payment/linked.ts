/** Reads the linked transactions of an original: captures, refunds, reversals, chargebacks and chargeback reversals. */
import {
  disputeState,
  mustBeRead,
  stateOfResult,
  type Chargeback,
  type ChargebackReversal,
  type EntryState,
} from './disputes.js';
import { isGatewayId } from '../ids.js';
import { parseGatewayAmount } from '../money/money.js';
import type { DoubtReason, OriginalDoubt } from './original-doubts.js';
import type { GatewayTransaction } from '../transaction.js';

/** A capture or a debit, which a refund may refer to. Minor units. */
export interface Capture {
  readonly id: string;
  readonly amountMinor: bigint;
}

/** A refund or reversal in the gateway's records. `open`: pending, or its result is not certain. */
export interface LinkedReturn {
  readonly id: string;
  readonly type: 'refund' | 'reversal';
  readonly reference: string | null;
  readonly referencedId: string | null;
  readonly amountMinor: bigint;
  readonly state: 'succeeded' | 'open';
}

/** More than the gateway accepts for any order. The sum of all entries of one query still fits into the ledger's columns. */
const LARGEST_MINOR = 10n ** 15n;

export interface Linked {
  readonly captures: Capture[];
  readonly returns: LinkedReturn[];
  readonly chargebacks: Chargeback[];
  readonly reversals: ChargebackReversal[];
  readonly declined: string[];
  readonly doubts: OriginalDoubt[];
  /** Reversals that show no amount. */
  readonly withoutAmount: { readonly id: string; readonly referencedId: string | undefined }[];
  unreadableCapture?: string;
}

interface Root {
  readonly id: string;
  readonly amount: bigint;
  readonly currency: string;
}

const COUNTED: ReadonlySet<string | undefined> = new Set([
  'capture',
  'refund',
  'reversal',
  'chargeback',
  'chargeback_reversal',
]);

export function readLinked(linked: readonly GatewayTransaction[], root: Root): Linked {
  const read: Linked = {
    ...{ captures: [], returns: [], chargebacks: [], reversals: [], declined: [], doubts: [] },
    withoutAmount: [],
  };
  // A transaction listed under the authorization and under its capture counts once. An entry that is not a decline counts before a decline.
  const seen = new Set([root.id]);
  const declined = new Set<string>();
  for (const entry of linked) {
    if (!COUNTED.has(entry.type)) continue;
    const state = stateOf(entry);
    const id = idOf(entry);
    if (state === 'rejected') {
      if (id !== undefined) declined.add(id);
      continue;
    }
    if (id === undefined) read.doubts.push({ gatewayId: '', why: 'no_id' });
    else if (!seen.has(id) && count(read, entry, { id, state, root })) seen.add(id);
  }
  read.declined.push(...[...declined].filter((id) => !seen.has(id)));
  checkTogether(read, root);
  return read;
}

/** Adds the doubts that depend on several transactions. */
function checkTogether(read: Linked, root: Root): void {
  const doubt = (gatewayId: string, why: DoubtReason): void => void read.doubts.push({ gatewayId, why });
  const returns = new Set(read.returns.map(({ id }) => id));
  // A reversal is submitted without an amount and may show none: it takes all that is left, unless it may refer to one capture.
  for (const { id, referencedId } of read.withoutAmount)
    if (read.captures.length > 0 && referencedId !== root.id) doubt(id, 'amount_unreadable');
  for (const [index, chargeback] of read.chargebacks.entries()) {
    if (chargeback.referencedId === undefined || !returns.has(chargeback.referencedId)) continue;
    doubt(chargeback.id, 'refund_charged_back');
    read.chargebacks[index] = { ...chargeback, state: 'open' };
  }
}

/** Counts one entry. Returns false if a later entry with the same id may still count, as for a capture that has not succeeded. */
function count(
  read: Linked,
  entry: GatewayTransaction,
  { id, state, root }: { readonly id: string; readonly state: 'succeeded' | 'open'; readonly root: Root },
): boolean {
  const { type } = entry;
  if (type === 'capture' && state !== 'succeeded') return false;
  const doubt = (why: DoubtReason): void => void read.doubts.push({ gatewayId: id, why });
  const amountMinor = amountOf(entry, root.currency);
  if (!isGatewayId(id)) doubt('unusual_id');
  if (type === 'capture') {
    if (typeof amountMinor === 'bigint' && isGatewayId(id)) {
      if (amountMinor > 0n) read.captures.push({ id, amountMinor });
    } else {
      doubt('capture_unreadable');
      read.unreadableCapture = id;
    }
    return true;
  }
  if (typeof amountMinor === 'string') doubt(amountMinor);
  const known = typeof amountMinor === 'bigint' ? amountMinor : undefined;
  const referencedId = entry.referencedId === undefined ? undefined : normalized(entry.referencedId);
  // An executed refund always shows an amount.
  if (amountMinor === undefined && type === 'refund') doubt('amount_unreadable');
  if (amountMinor === undefined && type === 'reversal') read.withoutAmount.push({ id, referencedId });
  // An entry without an amount counts as the whole original, which is the safe assumption.
  const most = known ?? root.amount;
  if (type === 'chargeback')
    read.chargebacks.push({
      ...{ id, amountMinor: most, state: known === undefined ? 'open' : state },
      ...(referencedId === undefined ? {} : { referencedId }),
    });
  else if (type === 'chargeback_reversal')
    read.reversals.push({ id, referencedId, amountMinor: known, state, isUnclear: mustBeRead(entry.result) });
  else if (type === 'refund' || type === 'reversal')
    read.returns.push({
      ...{ id, type, amountMinor: most, state },
      reference: entry.reference ?? null,
      referencedId: referencedId ?? null,
    });
  return true;
}

/** Returns the amount; undefined if none is shown, or the reason that it cannot be compared with the payment's. */
function amountOf(
  { amount, currency }: GatewayTransaction,
  expected: string,
): bigint | 'amount_unreadable' | 'currency_differs' | undefined {
  if (currency !== undefined && currency !== expected) return 'currency_differs';
  return amount === undefined ? undefined : (minorOf(amount, expected) ?? 'amount_unreadable');
}

export function stateOf({ type, result }: GatewayTransaction): EntryState {
  return type === 'chargeback' || type === 'chargeback_reversal'
    ? disputeState(result)
    : stateOfResult(result);
}

/** The gateway's ids are lower case. An id in capitals is the same transaction. */
function normalized(id: string): string {
  const lower = id.toLowerCase();
  return isGatewayId(lower) ? lower : id;
}

export const idOf = ({ id }: GatewayTransaction): string | undefined =>
  id === undefined || id === '' ? undefined : normalized(id);

export function registrationOf({ registrationId }: GatewayTransaction): string | undefined {
  const id = registrationId === undefined ? undefined : normalized(registrationId);
  return id !== undefined && isGatewayId(id) ? id : undefined;
}

export function minorOf(text: string, currency: string): bigint | undefined {
  const parsed = parseGatewayAmount(text, currency);
  return parsed.ok && parsed.money.minor <= LARGEST_MINOR ? parsed.money.minor : undefined;
}
