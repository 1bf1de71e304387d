/** Limits of credits without an approval: for a single credit, and for sums that a credit cannot evade by being split. */
import type { Policy } from './config.js';

/** Names what the credits of one sum have in common. Each sum has its own limit. */
export const SUMMED_BY = ['payment', 'destination', 'requester', 'entity'] as const;
export type SummedBy = (typeof SUMMED_BY)[number];

/** Amounts in minor units of other credits without an approval that were, or may have been, submitted. */
export type CreditSums = Readonly<Record<SummedBy, bigint>>;

/** Minor units of one currency. Undefined: no limit. */
export interface CreditLimits extends Readonly<Record<SummedBy, bigint | undefined>> {
  readonly single: bigint;
}

const HOUR = 3_600_000;
const DEFAULT_WINDOW_HOURS = 24;

/** Returns the length of the sliding window in milliseconds. It is that of all sums but the payment's, which never ends. */
export const windowOf = ({ creditLimitWindowHours = DEFAULT_WINDOW_HOURS }: Policy): number =>
  creditLimitWindowHours * HOUR;

/**
 * Returns the limits in a currency. Undefined if it has no limit for a single credit: then every credit needs an approver. The sums for a
 * payment, a destination and a requester are limited to a single credit's amount where the policy has no limit of their own.
 */
export function limitsOf(policy: Policy, currency: string): CreditLimits | undefined {
  const single = minorOf(policy.creditApprovalAbove, currency);
  if (single === undefined) return undefined;
  return {
    single,
    payment: minorOf(policy.creditLimitPerPayment, currency) ?? single,
    destination: minorOf(policy.creditLimitPerDestination, currency) ?? single,
    requester: minorOf(policy.creditLimitPerRequester, currency) ?? single,
    entity: minorOf(policy.creditLimitPerEntity, currency),
  };
}

/** Returns the sums that a credit of this amount would bring above their limit. */
export const exceededBy = (
  amountMinor: bigint,
  limits: CreditLimits,
  sums: CreditSums,
): readonly SummedBy[] =>
  SUMMED_BY.filter((by) => {
    const limit = limits[by];
    return limit !== undefined && amountMinor + sums[by] > limit;
  });

function minorOf(
  amounts: Readonly<Record<string, string>> | undefined,
  currency: string,
): bigint | undefined {
  const minor = amounts?.[currency];
  return minor === undefined ? undefined : BigInt(minor);
}
