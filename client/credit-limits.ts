/** Limits of credits without an approval, and what is used of them now. Read for operators. */
import type { RefundConfig } from '../domain/refund/config.js';
import { limitsOf, windowOf, type SummedBy } from '../domain/refund/credit-limits.js';
import { formatAmount, storedMoney } from '../domain/money/money.js';
import { principalKey } from '../domain/names.js';
import { rootPaymentOf } from '../ledger/core/records.js';
import type { Database } from '../ledger/db/database.js';
import { creditSum } from '../ledger/refunds/credit-sums.js';

/** Entities and currencies to return, and whose sums to read. Absent: all, and the entity's sum alone. */
export interface LimitsQuery {
  readonly entityId?: string | undefined;
  readonly currency?: string | undefined;
  /** A payment or one of its captures. */
  readonly paymentId?: string | undefined;
  /** A destination: a registration or a sealed card. */
  readonly registrationId?: string | undefined;
  readonly cardRef?: string | undefined;
  readonly requester?: string | undefined;
}

export interface LimitedSum {
  /** Null: no limit. */
  readonly limit: string | null;
  /** The sum of credits without an approval that were, or may have been, submitted. Null: the query named none to read. */
  readonly used: string | null;
  /** Length of the sliding window. Null: over all time. */
  readonly windowHours: number | null;
}

/** Limits of one entity in one currency, as decimals. A currency without an entry has no limit: every credit in it needs an approver. */
export interface CreditLimitsView extends Readonly<Record<SummedBy, LimitedSum>> {
  readonly entityId: string;
  readonly currency: string;
  /** The largest credit without an approval. */
  readonly single: string;
}

export interface LimitedEntities {
  readonly entityIds: readonly string[];
  readonly configFor: (entityId: string) => RefundConfig;
}

const HOUR = 3_600_000;

/** Returns the limits by the settings of this process. A running refund keeps the policy that it was started with. */
export async function readCreditLimits(
  database: Database,
  { entityIds, configFor }: LimitedEntities,
  query: LimitsQuery,
): Promise<readonly CreditLimitsView[]> {
  const keys = await keysOf(database, query);
  const wanted = entityIds
    .filter((entityId) => query.entityId === undefined || query.entityId === entityId)
    .flatMap((entityId) => {
      const { policy } = configFor(entityId);
      return Object.keys(policy.creditApprovalAbove)
        .filter((currency) => query.currency === undefined || query.currency === currency)
        .toSorted()
        .flatMap((currency) => {
          const limits = limitsOf(policy, currency);
          return limits === undefined ? [] : [{ entityId, currency, limits, windowMs: windowOf(policy) }];
        });
    });
  const views: CreditLimitsView[] = [];
  for (const { entityId, currency, limits, windowMs } of wanted) {
    const decimal = (minor: bigint): string => formatAmount(storedMoney(minor, currency));
    const sumOf = async (by: SummedBy): Promise<LimitedSum> => {
      const value = by === 'entity' ? entityId : keys[by];
      const { [by]: limit } = limits;
      return {
        limit: limit === undefined ? null : decimal(limit),
        used:
          value === undefined
            ? null
            : decimal(await creditSum(database.db, { by, value, currency, windowMs })),
        windowHours: by === 'payment' ? null : windowMs / HOUR,
      };
    };
    const [payment, destination, requester, entity] = await Promise.all([
      sumOf('payment'),
      sumOf('destination'),
      sumOf('requester'),
      sumOf('entity'),
    ]);
    views.push({
      entityId,
      currency,
      single: decimal(limits.single),
      ...{ payment, destination, requester, entity },
    });
  }
  return views;
}

/** Returns the values of the sums' columns. A payment or card that is not known has used nothing. */
async function keysOf(
  { db }: Database,
  { paymentId, registrationId, cardRef, requester }: LimitsQuery,
): Promise<Readonly<Partial<Record<SummedBy, string>>>> {
  const card =
    cardRef === undefined
      ? undefined
      : await db.selectFrom('cards').select('fingerprint').where('id', '=', cardRef).executeTakeFirst();
  const destination = registrationId ?? card?.fingerprint ?? cardRef;
  const payment = paymentId === undefined ? undefined : ((await rootPaymentOf(db, paymentId)) ?? paymentId);
  return {
    ...(payment === undefined ? {} : { payment }),
    ...(destination === undefined ? {} : { destination }),
    ...(requester === undefined ? {} : { requester: principalKey(requester) }),
  };
}
