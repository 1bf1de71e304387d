/** Policy and acquirer capabilities of one entity, where they differ from the settings for all entities. */
import { z } from 'zod';
import { parseAmount } from '../domain/money/money.js';
import type { Policy } from '../domain/refund/config.js';

const flag = z.boolean({ error: 'must be true or false' }).optional();
const count = (most: number, least = 0) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, error).max(most, error).optional();
};
/** Next step after a decline that leaves in doubt whether the customer has the money. */
const afterDoubt = z.enum(['approval', 'operator'], { error: 'must be approval or operator' }).optional();
const thresholds = z
  .string({ error: 'must be a list of currency:amount' })
  .transform(readThresholds)
  .optional();

export const capabilitiesShape = z.strictObject({ credit: flag, partialReversal: flag });

/** Each field overrides the default, or the variable for all entities. Meanings and defaults: `docs/reference/settings.md`. */
export const policyShape = z.strictObject({
  creditApprovalAbove: thresholds,
  creditLimitPerPayment: thresholds,
  creditLimitPerDestination: thresholds,
  creditLimitPerRequester: thresholds,
  creditLimitPerEntity: thresholds,
  creditLimitWindowHours: count(8_760, 1),
  correctionAloneUpTo: thresholds,
  creditAfterIssuerDecline: afterDoubt,
  creditWhenNeverSettled: afterDoubt,
  creditWhenPartialNotSupported: afterDoubt,
  creditWhenRefundNotEnabled: afterDoubt,
  cards: z.enum(['direct', 'register'], { error: 'must be direct or register' }).optional(),
  softRetries: count(100),
  maxAttempts: count(1_000),
  maxSubmissions: count(1_000),
});

export interface OwnPolicy {
  /** Capabilities of the acquirer behind the entity. */
  readonly capabilities: z.output<typeof capabilitiesShape>;
  readonly policy: z.output<typeof policyShape>;
}

export function policyFor(shared: Policy, { capabilities, policy }: OwnPolicy): Policy {
  const { maxSubmissions, ...own } = policy;
  const set = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  return {
    ...shared,
    ...set,
    maxSubmissions: maxSubmissions ?? shared.maxSubmissions,
    creditEnabled: capabilities.credit ?? shared.creditEnabled,
    partialReversal: capabilities.partialReversal ?? shared.partialReversal,
  };
}

/** Reads `EUR:500.00,JPY:80000` into minor units by currency. */
export function readThresholds(
  text: string,
  context: z.core.$RefinementCtx,
): Readonly<Record<string, string>> {
  const thresholds = new Map<string, string>();
  for (const entry of text === '' ? [] : text.split(',')) {
    const [currency = '', amount = '', ...rest] = entry.trim().split(':');
    const reading = parseAmount(amount, currency);
    if (rest.length > 0 || !reading.ok)
      context.addIssue({
        code: 'custom',
        message: `must be a list of currency:amount; ${reading.ok ? 'an entry has two colons' : reading.error.message.replace(/\.$/, '')}`,
      });
    else if (thresholds.has(currency))
      context.addIssue({ code: 'custom', message: `names ${currency} twice` });
    else thresholds.set(currency, reading.money.minor.toString());
  }
  return Object.fromEntries(thresholds);
}
