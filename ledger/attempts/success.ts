/** Records successes: the money of each gateway transaction counts once, whatever state the attempt has. */
import { afterTrigger, type RefundState, type RefundTrigger } from '../../domain/refund/states.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { actorOf, storeEvidence, step } from './attempt-changes.js';
import { openCase } from '../core/cases.js';
import { append, reservedFor } from '../core/events.js';
import { reloadAttempt, type AttemptRow, type LockedAttempt } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import { hasCoverage, certainOverpaid, reviseClaims, trimCoverage } from '../payments/coverage.js';
import type { Tx } from '../db/database.js';
import type { Evidence } from '../ledger.js';
import { removeForeignReturn } from '../payments/foreign-returns.js';
import { paidBackBy, remainingOf } from '../core/balances.js';
import { returnCountOf } from './returned.js';
import { amountPaidBack } from '../payments/reversals.js';

/** Records a success, in any state of the attempt. Only an operator's evidence may come without a gateway id. */
export async function succeed(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  gatewayId: string | null,
  shownMinor?: bigint,
): Promise<void> {
  if (locked.attempt.state === 'succeeded') return recordSecondExecution(tx, locked, evidence, gatewayId);
  if (isOutdated(locked.attempt, evidence, gatewayId)) return;
  const isCovered = await book(tx, locked, evidence, { gatewayId, shownMinor });
  return goOn(tx, locked, evidence, { gatewayId, isCovered });
}

/** True if newer evidence about the attempt is recorded. An answer is older than every query; a query is as old as its beginning. */
function isOutdated(attempt: AttemptRow, evidence: Evidence, gatewayId: string | null): boolean {
  switch (evidence.source) {
    case 'answer':
      return (
        attempt.state === 'returned' ||
        (attempt.state === 'rejected' && attempt.gateway_id === gatewayId && attempt.queries > 0)
      );
    case 'query':
      return (
        attempt.state === 'returned' &&
        attempt.answered_at !== null &&
        evidence.asked.at < attempt.answered_at
      );
    case 'notification':
      return attempt.state === 'returned';
    case 'operator':
      return false;
    default:
      return evidence satisfies never;
  }
}

/** Books the money: from the reservation, and beyond it if the reservation is too small. Returns true if all of it was reserved. */
async function book(
  tx: Tx,
  { attempt, refund, payment, attempts }: LockedAttempt,
  evidence: Evidence,
  { gatewayId, shownMinor }: { readonly gatewayId: string | null; readonly shownMinor: bigint | undefined },
): Promise<boolean> {
  // A query for another refund may have counted it as a refund made elsewhere.
  const wasElsewhere = gatewayId !== null && (await removeForeignReturn(tx, payment.id, gatewayId));
  const held = await reservedFor(tx, refund.id);
  const hasReturned = attempt.state === 'returned';
  const given = hasReturned ? paidBackBy(attempt) : amountPaidBack(payment, attempt);
  const fromReservation = held < given ? held : given;
  const isCovered = fromReservation === given;
  await append(tx, {
    key: hasReturned
      ? `attempt:${attempt.id}:succeeded:${await returnCountOf(tx, attempt)}`
      : `attempt:${attempt.id}:succeeded`,
    type: 'attempt.succeeded',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    reserved: -fromReservation,
    // The returned money has left again; it counts as one success.
    ...(hasReturned ? { returned: -given } : { succeeded: given }),
    ...(attempt.operation === 'reversal' ? { released: given } : {}),
    // The reservation was released before. The gateway's fact is recorded all the same.
    fromOutside: !isCovered,
    actor: actorOf(evidence),
    data: { gatewayId, code: evidence.code },
  });
  if (attempt.gateway_id !== null && gatewayId !== null && attempt.gateway_id !== gatewayId)
    await openCase(tx, refund, 'answers_contradict', { gatewayId, recorded: attempt.gateway_id });
  if (shownMinor !== undefined && shownMinor < given)
    await openCase(tx, refund, 'answers_contradict', { gatewayId, shownMinor: shownMinor.toString() });
  await storeEvidence(tx, attempt, evidence, {
    state: 'succeeded',
    refusal: null,
    ...(gatewayId === null ? {} : { gatewayId }),
    ...(given < attempt.amount_minor ? { paidBackMinor: given } : {}),
  });
  if (hasCoverage(refund))
    await trimCoverage(tx, await reloadAttempt(tx, { attempt, refund, payment, attempts }));
  if (wasElsewhere) await reviseClaims(tx, payment.id);
  return isCovered;
}

/** Continues the refund: it has succeeded, a rest is still to be paid, or an operator has to compare. */
async function goOn(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  { gatewayId, isCovered }: { readonly gatewayId: string | null; readonly isCovered: boolean },
): Promise<void> {
  const { attempt, refund } = locked;
  const after = await reloadAttempt(tx, locked);
  const overpaid = await certainOverpaid(tx, after.payment);
  if (!isCovered || overpaid > 0n)
    await openCase(tx, refund, 'paid_twice', { excessMinor: overpaid.toString() });
  const owed = remainingOf(after);
  const mustStop = after.attempts.some((other) => other.id !== attempt.id && mayStillPayTooMuch(other, owed));
  if (mustStop) await openCase(tx, refund, 'answers_contradict', { gatewayId });
  if (mustStop && refund.state === 'manual_review') return;
  const on = mustStop && mayAsk(refund.state) ? 'open_case' : triggerFor(refund.state, owed, evidence);
  if (on === 'open_case') {
    await move(tx, refund, { on, why: 'answers_contradict' });
    return;
  }
  const isLate = on === 'part_after_end';
  if (isLate) await openCase(tx, refund, 'partly_refunded', { gatewayId });
  await step(tx, refund, on, evidence, isLate ? 'partly_refunded' : undefined);
}

/** True if the attempt is open, or absent and larger than what is owed: submitted again it would pay twice. */
function mayStillPayTooMuch(other: AttemptRow, owed: bigint): boolean {
  return isOpenAttempt(other.state) || (other.state === 'absent' && owed > 0n && other.amount_minor > owed);
}

const mayAsk = (state: RefundState): boolean => afterTrigger(state, 'open_case') !== undefined;

function triggerFor(state: RefundState, owed: bigint, { source }: Evidence): RefundTrigger {
  if (owed <= 0n) return source === 'operator' ? 'correct_succeeded' : 'answer_succeeded';
  return afterTrigger(state, 'part_after_end') === undefined ? 'part_succeeded' : 'part_after_end';
}

/** Records a second transaction under one attempt: the gateway executed it twice. The money counts, and an operator has to recover it. */
export async function recordSecondExecution(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  gatewayId: string | null,
): Promise<void> {
  const { attempt, refund, payment } = locked;
  if (gatewayId === null || attempt.gateway_id === gatewayId) return;
  if (attempt.gateway_id === null) return confirm(tx, locked, evidence, gatewayId);
  const wasElsewhere = await removeForeignReturn(tx, payment.id, gatewayId);
  await append(tx, {
    key: `attempt:${attempt.id}:executed_again:${gatewayId}`,
    type: 'attempt.executed_again',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    succeeded: attempt.amount_minor,
    fromOutside: true,
    actor: actorOf(evidence),
    data: { gatewayId, recorded: attempt.gateway_id, code: evidence.code },
  });
  await openCase(tx, refund, 'paid_twice', { gatewayId, recorded: attempt.gateway_id });
  if (wasElsewhere) await reviseClaims(tx, payment.id);
}

/** Records the gateway id of an attempt that operators had corrected to paid. The money is counted already. */
async function confirm(
  tx: Tx,
  { attempt, payment, refund }: LockedAttempt,
  evidence: Evidence,
  gatewayId: string,
): Promise<void> {
  const wasElsewhere = await removeForeignReturn(tx, payment.id, gatewayId);
  await append(tx, {
    key: `attempt:${attempt.id}:confirmed:${gatewayId}`,
    type: 'attempt.confirmed',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    actor: actorOf(evidence),
    data: { gatewayId, code: evidence.code },
  });
  await storeEvidence(tx, attempt, evidence, { state: 'succeeded', gatewayId });
  if (wasElsewhere) await reviseClaims(tx, payment.id);
}
