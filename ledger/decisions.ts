/** What the program concludes and what people decide: cases, giving up, withdrawing, approving. */
import { readFinding, type CaseReason, type Finding, type GiveUpReason } from '../domain/finding.js';
import type { Position } from '../domain/next-step.js';
import type { OriginalFacts } from '../domain/original.js';
import { isSamePerson } from '../domain/people.js';
import { afterTrigger, isFinal, isOpenAttempt } from '../domain/states.js';
import { answerOnce, refused } from './answers.js';
import type { Database, Tx } from './database.js';
import { append, lockPayment, lockRefund, move, openCase, type AttemptRow, type Locked } from './books.js';
import { NOW } from './expressions.js';
import { openProposal, redirectors } from './given-words.js';
import { ObservationOutdated } from './ledger.js';
import type { Answered, Answers, Decision, SeenReturned } from './people.js';
import { returnsKnownTo } from './returns.js';
import { observe } from './payments.js';
import { clearUnread } from './unread.js';
import { currentPosition, remainingOf } from './records.js';

export function recordOriginal(
  database: Database,
  paymentId: string,
  original: OriginalFacts,
): Promise<void> {
  return database.transaction(async (tx) => {
    await observe(tx, await lockPayment(tx, paymentId), original);
  });
}

/** Weighs what the gateway shows on the original against a refused refund, and carries out what needs no other evidence. */
export function applyFinding(
  database: Database,
  refundId: string,
  original: OriginalFacts,
  purpose: 'decide' | 'before_credit',
): Promise<{ readonly finding: Finding; readonly position: Position }> {
  return database.transaction(async (tx) => {
    const { payment } = await lockRefund(tx, refundId);
    if ((await observe(tx, payment, original)).isOutdated) throw new ObservationOutdated(payment.id);
    const locked = await lockRefund(tx, refundId);
    const { refund, attempts } = locked;
    await clearUnread(tx, refund);
    const refused = attempts.filter((attempt) => attempt.state === 'rejected').at(-1);
    const known = await returnsKnownTo(tx, locked, original);
    const finding = readFinding({
      remainingMinor: remainingOf(locked),
      original,
      ownReturns: known.ownReturns,
      knownReturns: known.knownReturns,
      creditedMinor: known.creditedMinor,
      refusedWay: refused?.way === 'reversal' ? 'reversal' : 'refund',
    });
    const ends = finding.kind === 'closed_by_dispute' || finding.kind === 'give_up';
    // While an attempt is open nothing may be concluded.
    const isOver = !attempts.some((attempt) => isOpenAttempt(attempt.state));
    const mayEnd = isOver && ends && purpose === 'before_credit';
    if (mayEnd || (purpose === 'decide' && refund.state === 'rejected')) await carryOut(tx, locked, finding);
    return { finding, position: await currentPosition(tx, refundId) };
  });
}

async function carryOut(tx: Tx, locked: Locked, finding: Finding): Promise<void> {
  switch (finding.kind) {
    case 'closed_by_dispute':
      return close(tx, locked, 'dispute', 'a chargeback stands on the original');
    case 'give_up':
      return close(tx, locked, 'give_up', finding.why);
    case 'try_again':
      await move(tx, locked.refund, { on: 'try_again' });
      return;
    case 'person':
      await openCase(tx, locked.refund, finding.why);
      await move(tx, locked.refund, { on: 'ask_person', why: finding.why });
      return;
    case 'ours':
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
    // In awaiting_approval a person is asked already.
    if (refund.state !== 'awaiting_approval' && afterTrigger(refund.state, 'ask_person') !== undefined) {
      // Nobody waits for the answer any more where a person is asked: from now on it is looked up.
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
    return currentPosition(tx, refundId);
  });
}

/** What the gateway answered last, where the case is about that. */
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

export function withdraw(
  database: Database,
  refundId: string,
  by: string,
  reason: string,
  ticket?: string,
  wordId?: string,
  stillReturned: readonly SeenReturned[] = [],
): Promise<Answered<'withdraw'>> {
  return database.transaction(async (tx) => {
    const locked = await lockRefund(tx, refundId);
    return answerOnce(tx, refundId, 'withdraw', { by, wordId }, () =>
      withdrawal(tx, locked, { by, reason, ticket, stillReturned }),
    );
  });
}

async function withdrawal(
  tx: Tx,
  locked: Locked,
  said: {
    readonly by: string;
    readonly reason: string;
    readonly ticket: string | undefined;
    readonly stillReturned: readonly SeenReturned[];
  },
): Promise<Answers['withdraw']> {
  const { by, reason, ticket, stillReturned } = said;
  const { refund, attempts } = locked;
  if (refund.state === 'canceled') {
    const before = await withdrawnBy(tx, refund.id);
    // A workflow's own wish to stop is no person's word: that it is granted already is all it asks.
    return before === undefined || by === CANCELLATION || isSamePerson(before, by)
      ? { kind: 'withdrawn' }
      : refused('already_decided', before);
  }
  if (isFinal(refund.state)) return refused('final');
  if (
    (await mayBePaidAgain(tx, attempts, stillReturned)) ||
    mayHaveLeft(locked) ||
    afterTrigger(refund.state, 'withdraw') === undefined
  )
    return refused('may_have_left');
  await move(tx, refund, {
    on: 'withdraw',
    why: reason,
    actor: by,
    ...(ticket === undefined ? {} : { data: { ticket } }),
  });
  return { kind: 'withdrawn' };
}

/** Milliseconds for which a query proves that what came back was not shown paid again. */
const PROOF_FOR = 60_000;

async function mayBePaidAgain(
  tx: Tx,
  attempts: readonly AttemptRow[],
  stillReturned: readonly SeenReturned[],
): Promise<boolean> {
  const returned = attempts.filter(({ state }) => state === 'returned');
  if (returned.length === 0) return false;
  const { now } = await tx.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow();
  const fresh = stillReturned.filter(({ at }) => now.getTime() - at.getTime() <= PROOF_FOR);
  return returned.some(({ id }) => !fresh.some(({ attemptId }) => attemptId === id));
}

/** As a refund's workflow and its callers' sign when they were cancelled. */
const CANCELLATION = 'cancellation';

async function withdrawnBy(tx: Tx, refundId: string): Promise<string | undefined> {
  const events = await tx
    .selectFrom('events')
    .select('actor')
    .where('refund_id', '=', refundId)
    .where('type', '=', 'refund.canceled')
    .orderBy('id')
    .execute();
  return events.at(-1)?.actor;
}

export function decide(database: Database, decision: Decision): Promise<Answered<'decide'>> {
  return database.transaction(async (tx) => {
    const locked = await lockRefund(tx, decision.refundId);
    return answerOnce(tx, decision.refundId, 'decide', decision, () => verdictOn(tx, locked, decision));
  });
}

async function verdictOn(tx: Tx, locked: Locked, decision: Decision): Promise<Answers['decide']> {
  const { refund } = locked;
  const before = await tx
    .selectFrom('approvals')
    .selectAll()
    .where('refund_id', '=', refund.id)
    .where('instruction', '=', decision.instruction)
    .executeTakeFirst();
  if (refund.state === 'awaiting_approval' && refund.instruction?.hash !== decision.instruction)
    return refused('instruction_changed');
  if (before !== undefined && !isSamePerson(before.decided_by, decision.by))
    return refused('already_decided', before.decided_by);
  // The same word of the same person again changes nothing.
  if (before?.verdict === decision.verdict) return { kind: 'decided' };
  if (before !== undefined || refund.state !== 'awaiting_approval') return refused('not_awaiting_approval');
  if (isSamePerson(decision.by, refund.requested_by)) return refused('own_request');
  if ((await redirectors(tx, refund.id)).some((by) => isSamePerson(by, decision.by)))
    return refused('own_proposal');
  const proposal = await openProposal(tx, refund.id);
  if (proposal !== undefined && decision.verdict === 'approved')
    return refused('proposal_open', proposal.proposed_by);
  await tx
    .insertInto('approvals')
    .values({
      refund_id: refund.id,
      instruction: decision.instruction,
      verdict: decision.verdict,
      decided_by: decision.by,
      reason: decision.reason,
      ticket: decision.ticket ?? null,
    })
    .execute();
  await append(tx, {
    key: `refund:${refund.id}:${decision.verdict}:${decision.instruction}`,
    type: `refund.${decision.verdict}`,
    paymentId: refund.payment_id,
    refundId: refund.id,
    actor: decision.by,
    data: { instruction: decision.instruction, reason: decision.reason, ticket: decision.ticket },
  });
  if (decision.verdict === 'approved') await move(tx, refund, { on: 'approve', actor: decision.by });
  else await close(tx, locked, 'give_up', 'approval_refused', decision.by);
  return { kind: 'decided' };
}

/** Money of this refund that has left, or may have. */
export function mayHaveLeft({ attempts }: Locked): boolean {
  return attempts.some((attempt) => isOpenAttempt(attempt.state) || attempt.state === 'succeeded');
}

/** Ends a refund with nothing paid. Where a part was paid, "failed" would be a lie: a person decides about the rest. */
export async function close(
  tx: Tx,
  locked: Locked,
  on: 'give_up' | 'dispute' | 'correct_failed',
  why: string,
  actor = 'system',
): Promise<void> {
  if (mayHaveLeft(locked)) {
    await openCase(tx, locked.refund, 'partly_refunded', { why });
    if (afterTrigger(locked.refund.state, 'ask_person') !== undefined)
      await move(tx, locked.refund, { on: 'ask_person', why: 'partly_refunded', actor });
    return;
  }
  if (afterTrigger(locked.refund.state, on) !== undefined) await move(tx, locked.refund, { on, why, actor });
}
