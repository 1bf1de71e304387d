/** Opens an attempt on the original: a refund of a capture, or a reversal of an amount that is only authorized. */
import { chooseCapture } from '../../domain/payment/captures.js';
import type { Policy, Timings } from '../../domain/refund/config.js';
import { totalOf } from '../../domain/refund/settlement.js';
import { isOpenAttempt, OPEN_ATTEMPT_STATES } from '../../domain/refund/attempt-states.js';
import { lockRefund, type LockedRefund } from '../core/locks.js';
import { chargedBackBefore, cover, undecidedBeside } from '../payments/coverage.js';
import type { Database, Tx } from '../db/database.js';
import { settle } from '../refunds/ends.js';
import {
  resume,
  openCaseInstead,
  isStepDue,
  isPartialReversal,
  open,
  reopen,
  resumeOpenAttempt,
  type Target,
} from './submission.js';
import type { Opened } from '../ledger.js';
import { openCaptures } from './open-captures.js';
import { limitOf, remainingOf } from '../core/balances.js';
import { releasableOf } from '../payments/reversals.js';

export function openLinked(
  database: Database,
  refundId: string,
  timings: Timings,
  policy: Policy,
): Promise<Opened> {
  return database.transaction(async (tx) => {
    const before = await lockRefund(tx, refundId);
    const taken = await resumeOpenAttempt(tx, before);
    if (taken !== undefined) return taken;
    if (!(await isStepDue('submit', tx, before, { timings, policy }))) return resume(tx, refundId);
    const absent = before.attempts.find((attempt) => attempt.state === 'absent');
    const locked = await lessChargedBack(tx, before, absent !== undefined);
    if (remainingOf(locked) <= 0n) {
      await settle(tx, locked, 'charged_back');
      return resume(tx, refundId);
    }
    const undecided = await undecidedBeside(tx, locked);
    if (undecided > 0n)
      return openCaseInstead(tx, locked, 'dispute_undecided', { undecidedMinor: undecided.toString() });
    const remaining = await remainingBesideCredits(tx, locked);
    if (absent !== undefined) {
      if (absent.amount_minor > remainingOf(locked)) return openCaseInstead(tx, locked, 'answers_contradict');
      if (remaining !== undefined && absent.amount_minor > remaining)
        return openCaseInstead(tx, locked, 'not_captured');
      return { kind: 'send', order: await reopen(tx, locked, absent, timings) };
    }
    const target = within(await linkedTarget(tx, locked), remaining);
    const owed = {
      owedMinor: remainingOf(locked).toString(),
      currency: locked.refund.currency,
      uncapturedMinor: releasableOf(locked.payment).toString(),
    };
    if (target === undefined) return openCaseInstead(tx, locked, 'not_captured', owed);
    // A full reversal releases all that is authorized, which may be more than was declared.
    if (target.operation === 'reversal' && !locked.payment.is_confirmed)
      return { ...(await resume(tx, refundId)), needsQuery: true };
    if (isPartialReversal(locked, target) && !policy.partialReversal)
      return openCaseInstead(tx, locked, 'partial_reversal', owed);
    return { kind: 'send', order: await open(tx, locked, target, timings) };
  });
}

/**
 * Returns what refunds may still take from a payment that also has credits, which the gateway does not count. Undefined if the gateway's
 * own cap is enough. Reservations may exceed the limit if the payment was declared, or if less is captured than was shown before.
 */
async function remainingBesideCredits(tx: Tx, { payment }: LockedRefund): Promise<bigint | undefined> {
  if (payment.excess_minor === 0n) return undefined;
  const attempts = await tx
    .selectFrom('attempts')
    .select(['operation', 'state', 'amount_minor'])
    .where('payment_id', '=', payment.id)
    .where('state', 'in', ['succeeded', ...OPEN_ATTEMPT_STATES])
    .execute();
  if (!attempts.some(({ operation }) => operation === 'credit')) return undefined;
  const inProgress = attempts
    .filter(({ state }) => isOpenAttempt(state))
    .reduce((sum, { amount_minor }) => sum + amount_minor, 0n);
  const remaining =
    limitOf(payment) - payment.succeeded_minor + payment.returned_minor - payment.disputed_minor - inProgress;
  return remaining > 0n ? remaining : 0n;
}

function within(target: Target | undefined, remaining: bigint | undefined): Target | undefined {
  if (target === undefined || remaining === undefined || target.amountMinor <= remaining) return target;
  return remaining > 0n ? { ...target, amountMinor: remaining } : undefined;
}

/**
 * Reduces the refund by what chargebacks already paid to the customer. An attempt that is submitted again keeps its amount or is not
 * submitted at all.
 */
async function lessChargedBack(tx: Tx, locked: LockedRefund, isSentAgain: boolean): Promise<LockedRefund> {
  const covered = await chargedBackBefore(tx, locked);
  if (isSentAgain && totalOf(covered) < remainingOf(locked)) return locked;
  return { ...locked, refund: await cover(tx, locked.refund, covered) };
}

/**
 * Chooses the operation: a refund of a capture with money left, otherwise a reversal of what was never captured. Undefined if neither is
 * possible. A capture from which only others have drawn is tried as well: the gateway's answer decides.
 */
async function linkedTarget(tx: Tx, locked: LockedRefund): Promise<Target | undefined> {
  const { payment, refund } = locked;
  const remaining = remainingOf(locked);
  const captures = payment.captured_minor > 0n ? await openCaptures(tx, payment.id) : [];
  const capture = chooseCapture(captures, refund.capture_id, remaining);
  if (capture !== undefined) return refundOf(capture);
  const releasable = releasableOf(payment);
  if (releasable > 0n)
    return {
      operation: 'reversal',
      originalId: payment.id,
      registrationId: null,
      amountMinor: releasable < remaining ? releasable : remaining,
    };
  const drawnElsewhere = captures.map(({ id, ownLeftMinor }) => ({
    ...{ id, ownLeftMinor, leftMinor: ownLeftMinor, doubtfulMinor: 0n },
  }));
  const other = chooseCapture(drawnElsewhere, refund.capture_id, remaining);
  return other === undefined ? undefined : refundOf(other);
}

const refundOf = ({ id, amountMinor }: { readonly id: string; readonly amountMinor: bigint }): Target => ({
  ...{ operation: 'refund', originalId: id, registrationId: null, amountMinor },
});
