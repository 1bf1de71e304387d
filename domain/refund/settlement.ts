/** Computes how much of a refund the customer has received, and how much of it outside of the program. */
import { formatAmount, storedMoney } from '../money/money.js';
import type { AttemptState } from './attempt-states.js';
import type { Operation } from './operation.js';

/**
 * In the order that decides between two equal parts. `refund`, `reversal`, `credit`: by an attempt of this refund. `refund_elsewhere`: a refund
 * or reversal that was not made here. `external`: a step outside of the gateway, a bank transfer for example.
 */
export const SETTLED_BY = [
  'refund',
  'reversal',
  'credit',
  'refund_elsewhere',
  'chargeback',
  'external',
] as const;
export type SettledBy = (typeof SETTLED_BY)[number];

/** Minor units that reached the customer outside of the program and count for one refund. */
export interface Coverage {
  readonly elsewhereMinor: bigint;
  readonly chargedBackMinor: bigint;
}

export interface SettlementFacts extends Coverage {
  readonly amountMinor: bigint;
  readonly attempts: readonly {
    readonly operation: Operation;
    readonly state: AttemptState;
    readonly amountMinor: bigint;
  }[];
}

export interface SettlementPart {
  readonly by: SettledBy;
  readonly minor: bigint;
}

export interface Settlement {
  /** The largest part; null while the customer has nothing. */
  readonly by: SettledBy | null;
  /** Everything that the customer has of this refund. */
  readonly minor: bigint;
  readonly parts: readonly SettlementPart[];
}

/**
 * Returns the amount of this refund that the customer has, by means. Own payments count first. Outside money counts only for the rest,
 * because a payment outside of the program is attributed to a refund only where nothing else explains it.
 */
export function settlementOf(facts: SettlementFacts): Settlement {
  const paidBy = (operation: Operation): bigint =>
    facts.attempts
      .filter((attempt) => attempt.operation === operation && attempt.state === 'succeeded')
      .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  const own = { refund: paidBy('refund'), reversal: paidBy('reversal'), credit: paidBy('credit') };
  const left = facts.amountMinor - own.refund - own.reversal - own.credit;
  const elsewhere = within(facts.elsewhereMinor, left);
  const amounts: Readonly<Record<SettledBy, bigint>> = {
    ...own,
    refund_elsewhere: elsewhere,
    chargeback: within(facts.chargedBackMinor, left - elsewhere),
    external: 0n,
  };
  const parts = SETTLED_BY.map((by) => ({ by, minor: amounts[by] })).filter(({ minor }) => minor > 0n);
  const largest = parts.reduce<SettlementPart | undefined>(
    (most, part) => (most === undefined || part.minor > most.minor ? part : most),
    undefined,
  );
  return {
    by: largest?.by ?? null,
    minor: parts.reduce((sum, { minor }) => sum + minor, 0n),
    parts,
  };
}

/** The same as clients read it. Amounts are decimal strings with the currency's own decimals. */
export interface SettledAmount {
  /** Of the whole refund. */
  readonly amount: string;
  readonly currency: string;
  /** The means by which the customer has the largest part; null while the customer has nothing. */
  readonly settledBy: SettledBy | null;
  /** Received by the customer of `amount`, by all means together. */
  readonly settledAmount: string;
  /** Each means with its part. One alone is the usual case. */
  readonly settlements: readonly { readonly by: SettledBy; readonly amount: string }[];
}

export function settledAmountOf(facts: SettlementFacts, currency: string): SettledAmount {
  const { by, minor, parts } = settlementOf(facts);
  const text = (amountMinor: bigint): string => formatAmount(storedMoney(amountMinor, currency));
  return {
    amount: text(facts.amountMinor),
    currency,
    settledBy: by,
    settledAmount: text(minor),
    settlements: parts.map((part) => ({ by: part.by, amount: text(part.minor) })),
  };
}

/** Returns the amount of the refund that is still to be paid; negative if more was paid. */
export const unpaidOf = (facts: SettlementFacts): bigint => facts.amountMinor - settlementOf(facts).minor;

/** A payment's money, as far as it is final. Minor units. */
export interface OutsideMoney {
  /** Most that can be owed on the payment: captured, or authorized while nothing is captured. */
  readonly limitMinor: bigint;
  /** Given back by any refund, reversal or credit, made here or elsewhere. */
  readonly paidBackMinor: bigint;
  /** The part of it that was made outside of the program. */
  readonly elsewhereMinor: bigint;
  /** Chargebacks, less what was won back. */
  readonly chargedBackMinor: bigint;
  /** Counted by refunds of this payment as their own already, this one included. */
  readonly claimed: Coverage;
}

/**
 * Returns the part of the unpaid amount that the customer certainly has from outside of the program: the part that the payment has no money
 * left for. A chargeback or a refund elsewhere that leaves room for the whole refund covers nothing of it.
 */
export function coverageOf(unpaidMinor: bigint, money: OutsideMoney): Coverage {
  const remaining = money.limitMinor - money.paidBackMinor - money.chargedBackMinor;
  return takeFrom(unpaidMinor - (remaining > 0n ? remaining : 0n), money);
}

/** Returns at most `minor` of the outside money that counts for no refund yet. Refunds count before chargebacks. */
export function takeFrom(
  minor: bigint,
  { elsewhereMinor, chargedBackMinor, claimed }: Coverage & { readonly claimed: Coverage },
): Coverage {
  const elsewhere = within(elsewhereMinor - claimed.elsewhereMinor, minor);
  const chargedBack = within(chargedBackMinor - claimed.chargedBackMinor, minor - elsewhere);
  return { elsewhereMinor: elsewhere, chargedBackMinor: chargedBack };
}

export const NO_COVERAGE: Coverage = { elsewhereMinor: 0n, chargedBackMinor: 0n };

export const totalOf = ({ elsewhereMinor, chargedBackMinor }: Coverage): bigint =>
  elsewhereMinor + chargedBackMinor;

/** Outside money that a refund counts as its own. */
export interface Claim extends Coverage {
  /** Missing from the full amount, although the refund has ended. */
  readonly missingMinor: bigint;
  /** Most that it takes of the missing amount: a refund that ended for another reason takes only money that was in progress at its end. Absent: no limit. */
  readonly inProgress?: Coverage;
}

/**
 * Recomputes the claims of refunds after `available` has changed: a chargeback was won back, or a refund elsewhere was undone or added.
 * `claims`: oldest first; the newest loses first. Returns those that change.
 */
export function claimsAfter<T extends Claim>(
  claims: readonly T[],
  available: Coverage,
): readonly { readonly claim: T; readonly now: Coverage }[] {
  let { elsewhereMinor, chargedBackMinor } = available;
  const take = (most: Coverage): Coverage => {
    const taken = {
      elsewhereMinor: within(elsewhereMinor, most.elsewhereMinor),
      chargedBackMinor: within(chargedBackMinor, most.chargedBackMinor),
    };
    elsewhereMinor -= taken.elsewhereMinor;
    chargedBackMinor -= taken.chargedBackMinor;
    return taken;
  };
  const kept = claims.map((claim) => ({ claim, kept: take(claim) }));
  return kept.flatMap(({ claim, kept }) => {
    const lost = totalOf(claim) - totalOf(kept);
    const more =
      lost > 0n
        ? NO_COVERAGE
        : take(takeFrom(claim.missingMinor, leastOf({ elsewhereMinor, chargedBackMinor }, claim.inProgress)));
    return lost === 0n && totalOf(more) === 0n ? [] : [{ claim, now: sumOf(kept, more) }];
  });
}

export const sumOf = (a: Coverage, b: Coverage): Coverage => ({
  elsewhereMinor: a.elsewhereMinor + b.elsewhereMinor,
  chargedBackMinor: a.chargedBackMinor + b.chargedBackMinor,
});

const leastOf = (a: Coverage, b: Coverage = a): Coverage & { readonly claimed: Coverage } => ({
  elsewhereMinor: within(a.elsewhereMinor, b.elsewhereMinor),
  chargedBackMinor: within(a.chargedBackMinor, b.chargedBackMinor),
  claimed: NO_COVERAGE,
});

/** Returns `minor`, limited to 0 … `most`. */
function within(minor: bigint, most: bigint): bigint {
  const capped = minor < most ? minor : most;
  return capped > 0n ? capped : 0n;
}
