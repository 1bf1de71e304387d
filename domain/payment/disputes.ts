/** Chargebacks on a payment, and the amounts that their reversals gave back to the merchant. */
import type { OriginalDoubt } from './original-doubts.js';
import type { GatewayResult } from '../transaction.js';

/** The state of a linked transaction by its result. `open`: pending, or nothing certain. */
export type EntryState = 'succeeded' | 'open' | 'rejected';

/** A chargeback. `open`: pending, or its result is not certain. An open chargeback limits refunds but proves nothing. Minor units. */
export interface LinkedDispute {
  readonly id: string;
  readonly amountMinor: bigint;
  /** Given back to the merchant by executed reversals: never more than the chargeback. */
  readonly reversedMinor: bigint;
  readonly state: 'succeeded' | 'open';
  /** The debit or capture that it refers to; absent if the gateway does not show it. */
  readonly referencedId?: string;
}

/** Returns the part of a chargeback that the customer has, or may have. */
export const effectiveMinor = ({ amountMinor, reversedMinor }: LinkedDispute): bigint =>
  amountMinor - reversedMinor;

/** Returns the amount that the customer certainly has by chargebacks. Open chargebacks do not count. */
export const chargedBackMinor = (disputes: readonly LinkedDispute[]): bigint =>
  disputes
    .filter(({ state }) => state === 'succeeded')
    .reduce((sum, dispute) => sum + effectiveMinor(dispute), 0n);

export type Chargeback = Omit<LinkedDispute, 'reversedMinor'>;

export interface ChargebackReversal {
  readonly id: string;
  readonly referencedId: string | undefined;
  /** Undefined if the gateway shows no readable amount. */
  readonly amountMinor: bigint | undefined;
  readonly state: 'succeeded' | 'open';
  /** True if its result does not show who has the money. */
  readonly isUnclear: boolean;
}

/**
 * Returns the state of a chargeback or of its reversal. Chargebacks have their reason as the code, from a group of its own; executed
 * chargebacks and reversals may have a success code as well. A code about a representment alone does not show who has the money.
 */
export function disputeState(result: GatewayResult): EntryState {
  if (mustBeRead(result)) return 'open';
  return result.isChargeback ? 'succeeded' : stateOfResult(result);
}

/** True if an operator must check the result. The doubt is the same for every operation. */
export const mustBeRead = ({ meaning: { refund } }: GatewayResult): boolean =>
  refund.kind === 'unknown' && refund.why === 'manual_code';

export function stateOfResult({ meaning }: GatewayResult): EntryState {
  const { kind } = meaning.refund;
  if (kind === 'succeeded') return 'succeeded';
  return kind === 'declined' ? 'rejected' : 'open';
}

/**
 * Subtracts reversals from chargebacks. An executed reversal counts with its own amount against the chargeback that it refers to. A
 * reversal that refers to the payment, to a capture or to nothing counts only if exactly one chargeback fits. A reversal that cannot be
 * assigned reduces nothing and is a doubt. The money of a reversal that was itself reversed may be lost again: it is listed as an open
 * chargeback under the id of the second reversal.
 */
export function readDisputes(
  chargebacks: readonly Chargeback[],
  reversals: readonly ChargebackReversal[],
  payment: ReadonlySet<string>,
): { readonly disputes: readonly LinkedDispute[]; readonly doubts: readonly OriginalDoubt[] } {
  const left = new Map(chargebacks.map(({ id, amountMinor }) => [id, amountMinor]));
  const references = new Map(
    [...chargebacks, ...reversals].map(({ id, referencedId }) => [id, referencedId]),
  );
  const byId = new Map(reversals.map((reversal) => [reversal.id, reversal]));
  const lostAgain: LinkedDispute[] = [];
  const doubts: OriginalDoubt[] = [];
  const unplaced: { readonly id: string; readonly amountMinor: bigint; readonly of: string | undefined }[] =
    [];

  for (const reversal of reversals) {
    const { id, referencedId, amountMinor, state, isUnclear } = reversal;
    const doubt = (why: OriginalDoubt['why']): void => void doubts.push({ gatewayId: id, why });
    // The gateway has one type for a won reversal, a representment and its cancellation: the merchant may have lost again.
    if (referencedId !== undefined && byId.has(referencedId)) {
      doubt('reversal_of_reversal');
      if (depthOf(reversal, byId) % 2 === 0)
        lostAgain.push({
          ...{ id, amountMinor: amountMinor ?? byId.get(referencedId)?.amountMinor ?? 0n, reversedMinor: 0n },
          ...{ state: 'open', ...ofOriginal(referencedId, references) },
        });
    } else if (isUnclear) doubt('reversal_unclear');
    else if (state === 'open') continue;
    else if (amountMinor === undefined) doubt('reversal_without_amount');
    else if (referencedId === undefined || payment.has(referencedId))
      unplaced.push({ id, amountMinor, of: referencedId });
    else {
      const stands = left.get(referencedId);
      if (stands === undefined) doubt('reversal_of_unknown');
      else {
        left.set(referencedId, amountMinor < stands ? stands - amountMinor : 0n);
        if (amountMinor > stands) doubt('reversal_too_large');
      }
    }
  }
  // The largest first, so that the result does not depend on the order of the list.
  unplaced.sort((a, b) =>
    a.amountMinor === b.amountMinor ? (a.id < b.id ? -1 : 1) : a.amountMinor > b.amountMinor ? -1 : 1,
  );
  for (const { id, amountMinor, of } of unplaced) {
    const named = chargebacks.filter(({ referencedId }) => of !== undefined && referencedId === of);
    const candidates = new Set((named.length > 0 ? named : chargebacks).map((chargeback) => chargeback.id));
    const fitting = [...left].filter(
      ([chargebackId, stands]) => candidates.has(chargebackId) && stands > 0n && stands >= amountMinor,
    );
    const [only] = fitting;
    if (only === undefined || fitting.length > 1) doubts.push({ gatewayId: id, why: 'reversal_unplaced' });
    else left.set(only[0], only[1] - amountMinor);
  }
  return {
    disputes: [
      ...chargebacks.map(({ referencedId, ...chargeback }) => ({
        ...chargeback,
        ...ofOriginal(referencedId, references),
        reversedMinor: chargeback.amountMinor - (left.get(chargeback.id) ?? 0n),
      })),
      ...lostAgain,
    ],
    doubts,
  };
}

/** Returns 1 for a reversal of a chargeback, 2 for a reversal of such a reversal (the money may be lost again), and so on. */
function depthOf(reversal: ChargebackReversal, byId: ReadonlyMap<string, ChargebackReversal>): number {
  let depth = 1;
  let before = byId.get(reversal.referencedId ?? '');
  while (before !== undefined && depth <= byId.size) {
    depth += 1;
    before = byId.get(before.referencedId ?? '');
  }
  return depth;
}

/** Follows references to the debit or capture. A second chargeback may refer to the reversal of the first. */
function ofOriginal(
  referencedId: string | undefined,
  references: ReadonlyMap<string, string | undefined>,
): Pick<LinkedDispute, 'referencedId'> {
  let found = referencedId;
  for (let steps = 0; found !== undefined && references.has(found) && steps <= references.size; steps += 1)
    found = references.get(found);
  return found === undefined ? {} : { referencedId: found };
}
