/** Decisions of the program: applies a reconciliation result, opens a review, and fails a refund. */
import { chooseCertain } from '../../domain/payment/captures.js';
import {
  reconciliationOf,
  type ReconciliationResult,
  type ReconciliationEvidence,
} from '../../domain/payment/reconciliation.js';
import type { CaseReason, GiveUpReason } from '../../domain/refund/reasons.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import { afterTrigger, isFinal } from '../../domain/refund/states.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { remainingOf } from '../core/balances.js';
import { openCase } from '../core/cases.js';
import { lockPayment, lockRefund, type LockedRefund } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import { cover } from '../payments/coverage.js';
import type { Database, Tx } from '../db/database.js';
import { moneyOf, settle, close } from './ends.js';
import { ObservationOutdated } from '../ledger.js';
import { openCaptures } from '../attempts/open-captures.js';
import { observe } from '../payments/observation.js';
import { currentSnapshot, declineClassOf } from '../core/snapshots.js';
import { returnsKnownTo } from '../payments/returns.js';
import { clearUnread } from './unread.js';

export function recordOriginal(
  database: Database,
  paymentId: string,
  original: OriginalFacts,
): Promise<void> {
  return database.transaction(async (tx) => {
    await observe(tx, await lockPayment(tx, paymentId), original);
  });
}

/** Compares a declined refund with the original as the gateway shows it, and carries out the result if it needs no other evidence. */
export function applyReconciliation(
  database: Database,
  refundId: string,
  original: OriginalFacts,
  purpose: 'decide' | 'before_credit',
): Promise<{ readonly reconciliation: ReconciliationResult; readonly snapshot: RefundSnapshot }> {
  return database.transaction(async (tx) => {
    const { payment } = await lockRefund(tx, refundId);
    const { own, isOutdated } = await observe(tx, payment, original);
    if (isOutdated) throw new ObservationOutdated(payment.id);
    const locked = await lockRefund(tx, refundId);
    await clearUnread(tx, locked.refund);
    const reconciliation = reconciliationOf(await evidenceOf(tx, locked, own));
    // Nothing may be concluded while an attempt is open.
    const isOver = !locked.attempts.some((attempt) => isOpenAttempt(attempt.state));
    if (purpose === 'decide' && locked.refund.state === 'rejected')
      await carryOut(tx, locked, reconciliation);
    if (purpose === 'before_credit' && isOver && reconciliation.kind !== 'ours') {
      if (reconciliation.kind === 'settled' || reconciliation.kind === 'give_up')
        await carryOut(tx, locked, reconciliation);
      else if (!isFinal(locked.refund.state)) await cover(tx, locked.refund, reconciliation.covered);
    }
    return { reconciliation, snapshot: await currentSnapshot(tx, refundId) };
  });
}

async function evidenceOf(
  tx: Tx,
  locked: LockedRefund,
  original: OriginalFacts,
): Promise<ReconciliationEvidence> {
  const known = await returnsKnownTo(tx, locked, original);
  // The gateway does not link credits to the payment, so a declined credit says nothing about it.
  const refused = locked.attempts
    .filter((attempt) => attempt.state === 'rejected' && attempt.operation !== 'credit')
    .at(-1);
  return {
    ...known,
    hasOtherCapture: original.captures.length > 1 && (await hasOtherCapture(tx, locked)),
    remainingMinor: remainingOf(locked),
    releasedMinor: locked.payment.released_minor,
    original,
    refused:
      refused === undefined
        ? null
        : { operation: refused.operation, class: declineClassOf(refused), amountMinor: refused.amount_minor },
  };
}

async function hasOtherCapture(tx: Tx, { payment, refund, attempts }: LockedRefund): Promise<boolean> {
  const tried = new Set(
    attempts.filter(({ state }) => state === 'rejected').map(({ original_id }) => original_id),
  );
  const left = (await openCaptures(tx, payment.id)).filter(({ id }) => !tried.has(id));
  return chooseCertain(left, refund.capture_id, 1n) !== undefined;
}

async function carryOut(tx: Tx, locked: LockedRefund, reconciliation: ReconciliationResult): Promise<void> {
  if (reconciliation.kind === 'ours') return;
  const refund = await cover(tx, locked.refund, reconciliation.covered);
  switch (reconciliation.kind) {
    case 'settled':
      return settle(tx, { ...locked, refund }, reconciliation.why);
    case 'give_up':
      return close(tx, { ...locked, refund }, 'give_up', reconciliation.why);
    case 'try_again':
      await move(tx, refund, { on: 'try_again' });
      return;
    case 'operator':
      await openCase(tx, refund, reconciliation.why, moneyOf({ ...locked, refund }));
      await move(tx, refund, { on: 'open_case', why: reconciliation.why });
      return;
    default:
      return reconciliation satisfies never;
  }
}

export function openReviewCase(
  database: Database,
  refundId: string,
  why: CaseReason,
  details: Readonly<Record<string, unknown>> = {},
): Promise<RefundSnapshot> {
  return database.transaction(async (tx) => {
    const { refund, attempts } = await lockRefund(tx, refundId);
    // In `awaiting_approval` an operator is already asked.
    if (refund.state !== 'awaiting_approval' && afterTrigger(refund.state, 'open_case') !== undefined) {
      // No process waits for the answer once an operator is asked: from now on the attempt is queried.
      const unanswered = attempts.find((attempt) => attempt.state === 'submitting');
      if (unanswered !== undefined)
        await tx
          .updateTable('attempts')
          .set({ state: 'unknown', note: why })
          .where('id', '=', unanswered.id)
          .execute();
      await openCase(tx, refund, why, { ...(await lastAnswer(tx, refund, attempts, why)), ...details });
      await move(tx, refund, { on: 'open_case', why });
    }
    // The refund is final, but an open attempt may still pay.
    if (isFinal(refund.state) && attempts.some((attempt) => isOpenAttempt(attempt.state)))
      await openCase(tx, refund, why, { ...(await lastAnswer(tx, refund, attempts, why)), ...details });
    return currentSnapshot(tx, refundId);
  });
}

/** Returns the gateway's last answer, for cases that are about it. */
async function lastAnswer(
  tx: Tx,
  refund: LockedRefund['refund'],
  attempts: LockedRefund['attempts'],
  why: CaseReason,
): Promise<{ readonly answer?: string }> {
  if (why === 'original_unreadable')
    return refund.unread_answer === null ? {} : { answer: refund.unread_answer };
  const open = attempts.find((attempt) => isOpenAttempt(attempt.state));
  if (open === undefined || (why !== 'outcome_unknown' && why !== 'pending_too_long')) return {};
  const last = await tx
    .selectFrom('queries')
    .select('answer')
    .where('attempt_id', '=', open.id)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last === undefined ? {} : { answer: last.answer };
}

export function giveUp(
  database: Database,
  refundId: string,
  why: GiveUpReason,
  actor: string,
): Promise<RefundSnapshot> {
  return database.transaction(async (tx) => {
    const locked = await lockRefund(tx, refundId);
    const isOver = !locked.attempts.some((attempt) => isOpenAttempt(attempt.state));
    if (isOver && afterTrigger(locked.refund.state, 'give_up') !== undefined)
      await close(tx, locked, 'give_up', why, actor);
    return currentSnapshot(tx, refundId);
  });
}
