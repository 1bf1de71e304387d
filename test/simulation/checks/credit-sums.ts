/** Checks the limits of sums of credits against the attempts and events of a run. */
import type { Row } from '../database/tables.js';
import type { Harness } from '../harness/harness.js';
import { amount, atOf } from './rows.js';

const HOUR = 3_600_000;

/** True if a credit exceeds a limit together with the credits before it. All orders have one requester and one entity. */
export function isAboveSum(harness: Harness, credit: Row, minor: bigint, single: bigint): boolean {
  const { policy } = harness.config;
  const currency = harness.payment.currency;
  const windowMs = (policy.creditLimitWindowHours ?? 24) * HOUR;
  const isAbove = (
    limits: Readonly<Record<string, string>> | undefined,
    unset: bigint | undefined,
    ...[lasts, isSummed]: [number, (other: Row) => boolean]
  ): boolean => {
    const limit = limits?.[currency] === undefined ? unset : BigInt(limits[currency]);
    const sum = (): bigint => creditedUnapprovedBefore(harness, credit, lasts, isSummed);
    return limit !== undefined && minor + sum() > limit;
  };
  const hasSame =
    (column: string) =>
    (other: Row): boolean =>
      other[column] === credit[column];
  return (
    isAbove(policy.creditLimitPerPayment, single, Infinity, hasSame('payment_id')) ||
    isAbove(policy.creditLimitPerDestination, single, windowMs, hasSame('destination_key')) ||
    isAbove(policy.creditLimitPerRequester, single, windowMs, () => true) ||
    isAbove(policy.creditLimitPerEntity, undefined, windowMs, () => true)
  );
}

/** Returns the amount credited without approval before this credit. `lastsMs`: how long a credit counts. */
function creditedUnapprovedBefore(
  { database }: Harness,
  credit: Row,
  lastsMs: number,
  isSummed: (other: Row) => boolean,
): bigint {
  const { attempts, events } = database.tables.rows;
  const sent = lastOf(events, credit, 'attempt.submitted');
  if (sent === undefined) return 0n;
  const isBefore = (event: Row | undefined): event is Row =>
    event !== undefined && Number(event['id']) < Number(sent['id']);
  return attempts
    .filter((other) => {
      if (other['operation'] !== 'credit' || other['id'] === credit['id'] || !isSummed(other)) return false;
      const submitted = lastOf(events, other, 'attempt.submitted');
      const wasApproved = events.some(
        (event) => event['refund_id'] === other['refund_id'] && event['type'] === 'refund.approved',
      );
      return (
        !wasApproved &&
        isBefore(submitted) &&
        atOf(submitted) > atOf(sent) - lastsMs &&
        isBefore(lastOf(events, other, 'attempt.succeeded')) &&
        !isBefore(lastOf(events, other, 'attempt.returned'))
      );
    })
    .reduce((sum, other) => sum + amount(other, 'amount_minor'), 0n);
}

const lastOf = (events: readonly Row[], attempt: Row, type: string): Row | undefined =>
  events.findLast((event) => event['attempt_id'] === attempt['id'] && event['type'] === type);
