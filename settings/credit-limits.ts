/** Variables of the limits of sums of credits, for all entities: `REFUNDS_CREDIT_LIMIT_PER_…`. */
import { z } from 'zod';
import type { Policy } from '../domain/refund/config.js';
import { readThresholds } from './policy.js';

const MOST_HOURS = 8_760;
const hours = `must be a whole number of hours from 1 to ${MOST_HOURS}`;
const amounts = z.string().transform(readThresholds).optional();

export const limitVariables = {
  REFUNDS_CREDIT_LIMIT_PER_PAYMENT: amounts,
  REFUNDS_CREDIT_LIMIT_PER_DESTINATION: amounts,
  REFUNDS_CREDIT_LIMIT_PER_REQUESTER: amounts,
  REFUNDS_CREDIT_LIMIT_PER_ENTITY: amounts,
  REFUNDS_CREDIT_LIMIT_WINDOW_HOURS: z
    .string()
    .refine((text) => /^[1-9]\d{0,3}$/.test(text) && Number(text) <= MOST_HOURS, hours)
    .transform(Number)
    .optional(),
};

export const LIMIT_EXAMPLES: Readonly<Record<keyof typeof limitVariables, string>> = {
  REFUNDS_CREDIT_LIMIT_PER_PAYMENT: 'EUR:500.00',
  REFUNDS_CREDIT_LIMIT_PER_DESTINATION: 'EUR:500.00',
  REFUNDS_CREDIT_LIMIT_PER_REQUESTER: 'EUR:2000.00',
  REFUNDS_CREDIT_LIMIT_PER_ENTITY: 'EUR:10000.00',
  REFUNDS_CREDIT_LIMIT_WINDOW_HOURS: '24',
};

/** Returns the limits that are set. An absent field keeps its default. */
export function limitPolicy(read: z.infer<z.ZodObject<typeof limitVariables>>): Partial<Policy> {
  const set = {
    creditLimitPerPayment: read.REFUNDS_CREDIT_LIMIT_PER_PAYMENT,
    creditLimitPerDestination: read.REFUNDS_CREDIT_LIMIT_PER_DESTINATION,
    creditLimitPerRequester: read.REFUNDS_CREDIT_LIMIT_PER_REQUESTER,
    creditLimitPerEntity: read.REFUNDS_CREDIT_LIMIT_PER_ENTITY,
    creditLimitWindowHours: read.REFUNDS_CREDIT_LIMIT_WINDOW_HOURS,
  };
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
}
