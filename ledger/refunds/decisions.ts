/** Decisions of the program: applies a reconciliation result, opens a review, and fails a refund. */
import { chooseCertain } from '../../domain/payment/captures.js';
import {
  readFinding,
  type CaseReason,
  type Finding,
  type FindingEvidence,
  type GiveUpReason,
} from '../../domain/payment/finding.js';
import type { Position } from '../../domain/refund/next-step.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import { afterTrigger, isFinal, isOpenAttempt } from '../../domain/refund/states.js';
import { remainingOf } from '../core/amounts.js';
import { openCase } from '../core/cases.js';
import { lockPayment, lockRefund, type Locked } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import { cover } from '../payments/coverage.js';
import type { Database, Tx } from '../db/database.js';
import { moneyOf, settle, close } from './ends.js';
import { ObservationOutdated } from '../ledger.js';
import { openCaptures } from '../attempts/open-captures.js';
import { observe } from '../payments/observation.js';
import { currentPosition, refusalOf } from '../core/positions.js';
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
export function applyFinding(
  database: Database,
  refundId: string,
  original: OriginalFacts,
  purpose: 'decide' | 'before_credit',
): Promise<{ readonly finding: Finding; readonly position: Position }> {
  return database.transaction(async (tx) => {
    const { payment } = await lockRefund(tx, refundId);
    const { own, isOutdated } = await observe(tx, payment, original);
    if (isOutdated) throw new ObservationOutdated(payment.id);
    const locked = await lockRefund(tx, refundId);
    await clearUnread(tx, locked.refund);
    const finding = readFinding(await evidenceOf(tx, locked, own));
    // Nothing may be concluded while an attempt is open.
    const isOver = !locked.attempts.some((attempt) => isOpenAttempt(attempt.state));
    if (purpose === 'decide' && locked.refund.state === 'rejected') await carryOut(tx, locked, finding);
    if (purpose === 'before_credit' && isOver && finding.kind !== 'ours') {
      if (finding.kind === 'settled' || finding.kind === 'give_up') await carryOut(tx, locked, finding);
      else if (!isFinal(locked.refund.state)) await cover(tx, locked.refund, finding.covered);
    }
    return { finding, position: await currentPosition(tx, refundId) };
  });
}

async function evidenceOf(tx: Tx, locked: Locked, original: OriginalFacts): Promise<FindingEvidence> {
  const known = await returnsKnownTo(tx, locked, original);
  // The gateway does not link credits to the payment, so a declined credit says nothing about it.
  const refused = locked.attempts
    .filter((attempt) => attempt.state === 'rejected' && attempt.way !== 'credit')
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
        : { way: refused.way, class: refusalOf(refused), amountMinor: refused.amount_minor },
  };
}

async function hasOtherCapture(tx: Tx, { payment, refund, attempts }: Locked): Promise<boolean> {
  const tried = new Set(
    attempts.filter(({ state }) => state === 'rejected').map(({ original_id }) => original_id),
  );
  const left = (await openCaptures(tx, payment.id)).filter(({ id }) => !tried.has(id));
  return chooseCertain(left, refund.capture_id, 1n) !== undefined;
}

async function carryOut(tx: Tx, locked: Locked, finding: Finding): Promise<void> {
  if (finding.kind === 'ours') return;
  const refund = await cover(tx, locked.refund, finding.covered);
  switch (finding.kind) {
    case 'settled':
      return settle(tx, { ...locked, refund }, finding.why);
    case 'give_up':
      return close(tx, { ...locked, refund }, 'give_up', finding.why);
    case 'try_again':
      await move(tx, refund, { on: 'try_again' });
      return;
    case 'person':
      await openCase(tx, refund, finding.why, moneyOf({ ...locked, refund }));
      await move(tx, refund, { on: 'ask_person', why: finding.why });
      return;
    default:
      return finding satisfies never;
  }
}

export function ask(
  database: Database,
  refundId: string,
  why: CaseReason,
  details: Readonly<Record<string, unknown>> = {},
): Promise<Position> {
  return database.transaction(async (tx) => {
    const { refund, attempts } = await lockRefund(tx, refundId);
    // In `awaiting_approval` an operator is already asked.
    if (refund.state !== 'awaiting_approval' && afterTrigger(refund.state, 'ask_person') !== undefined) {
      // No process waits for the answer once an operator is asked: from now on the attempt is queried.
      const unanswered = attempts.find((attempt) => attempt.state === 'submitting');
      if (unanswered !== undefined)
        await tx
          .updateTable('attempts')
          .set({ state: 'unknown', note: why })
          .where('id', '=', unanswered.id)
          .execute();
      await openCase(tx, refund, why, { ...(await lastAnswer(tx, refund, attempts, why)), ...details });
      await move(tx, refund, { on: 'ask_person', why });
    }
    // The refund is final, but an open attempt may still pay.
    if (isFinal(refund.state) && attempts.some((attempt) => isOpenAttempt(attempt.state)))
      await openCase(tx, refund, why, { ...(await lastAnswer(tx, refund, attempts, why)), ...details });
    return currentPosition(tx, refundId);
  });
}

/** Returns the gateway's last answer, for cases that are about it. */
async function lastAnswer(
  tx: Tx,
  refund: Locked['refund'],
  attempts: Locked['attempts'],
  why: CaseReason,
): Promise<{ readonly answer?: string }> {
  if (why === 'original_unreadable')
    return refund.unread_answer === null ? {} : { answer: refund.unread_answer };
  const open = attempts.find((attempt) => isOpenAttempt(attempt.state));
  if (open === undefined || (why !== 'outcome_unknown' && why !== 'pending_too_long')) return {};
  const last = await tx
    .selectFrom('look_ups')
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
): Promise<Position> {
  return database.transaction(async (tx) => {
    const locked = await lockRefund(tx, refundId);
    const isOver = !locked.attempts.some((attempt) => isOpenAttempt(attempt.state));
    if (isOver && afterTrigger(locked.refund.state, 'give_up') !== undefined)
      await close(tx, locked, 'give_up', why, actor);
    return currentPosition(tx, refundId);
  });
}
