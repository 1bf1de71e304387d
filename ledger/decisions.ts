/** What the program concludes and what people decide: cases, giving up, withdrawing, approving. */
import {
  readFinding,
  type CaseReason,
  type Finding,
  type FindingEvidence,
  type GiveUpReason,
} from '../domain/finding.js';
import { chooseCertain } from '../domain/captures.js';
import { formatAmount, storedMoney } from '../domain/money.js';
import type { Position } from '../domain/next-step.js';
import type { OriginalFacts } from '../domain/original.js';
import { isSamePerson } from '../domain/people.js';
import { afterTrigger, CLOSED_STATES, isFinal, isOpenAttempt } from '../domain/states.js';
import {
  decidedBefore,
  executeOnce,
  openProposal,
  redirectors,
  refused,
  resulted,
  type Executed,
} from './command-results.js';
import type { Database, Tx } from './database.js';
import {
  append,
  lockPayment,
  lockRefund,
  move,
  openCase,
  type AttemptRow,
  type Locked,
  type Move,
  type RefundRow,
} from './books.js';
import { cover, mayBeSettledOutside, unclaimedSince } from './coverage.js';
import { openCaptures } from './open-captures.js';
import { NOW } from './expressions.js';
import { ObservationOutdated } from './ledger.js';
import type { CommandResult, Decision, SeenReturned } from './people.js';
import { returnsKnownTo } from './returns.js';
import { observe } from './payments.js';
import { clearUnread } from './unread.js';
import { currentPosition, refusalOf } from './positions.js';
import { remainingOf } from './amounts.js';

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
    const { own, isOutdated } = await observe(tx, payment, original);
    if (isOutdated) throw new ObservationOutdated(payment.id);
    const locked = await lockRefund(tx, refundId);
    await clearUnread(tx, locked.refund);
    const finding = readFinding(await evidenceOf(tx, locked, own));
    // While an attempt is open nothing may be concluded.
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
  // The gateway does not link a credit to the payment: its decline says nothing about it.
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

/** Nothing of it is owed any more, because of what happened outside. It has succeeded where a part of it was paid by the program. */
export async function settle(tx: Tx, locked: Locked, why: string, actor = 'system'): Promise<void> {
  const { refund, attempts } = locked;
  const isPaid = attempts.some((attempt) => attempt.state === 'succeeded');
  const on = isPaid ? 'rest_settled' : outsideOf(refund);
  if (afterTrigger(refund.state, on) !== undefined) await move(tx, refund, { on, why, actor });
}

/** How much an operator decides about, as decimal amounts. */
function moneyOf(locked: Locked): Readonly<Record<string, string>> {
  const { refund, payment } = locked;
  const text = (minor: bigint): string => formatAmount(storedMoney(minor, refund.currency));
  return {
    owed: text(remainingOf(locked)),
    refundedElsewhere: text(refund.elsewhere_minor),
    chargedBack: text(refund.charged_back_minor),
    chargebacksOnPayment: text(payment.disputed_minor),
  };
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
    // It is over, and money may leave all the same.
    if (isFinal(refund.state) && attempts.some((attempt) => isOpenAttempt(attempt.state)))
      await openCase(tx, refund, why, { ...(await lastAnswer(tx, refund, attempts, why)), ...details });
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
  commandId?: string,
  stillReturned: readonly SeenReturned[] = [],
): Promise<CommandResult<'withdraw'>> {
  return database.transaction(async (tx) => {
    const locked = await lockRefund(tx, refundId);
    const said = { by, reason, commandId, ...(ticket === undefined ? {} : { ticket }) };
    return executeOnce(tx, locked, { kind: 'withdraw', said }, () =>
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
): Promise<Executed<'withdraw'>> {
  const { by, reason, ticket, stillReturned } = said;
  const { refund, attempts } = locked;
  const before = isFinal(refund.state) ? await endedBy(tx, refund) : undefined;
  if (refund.state === 'canceled' || before !== undefined) {
    // A workflow's own wish to stop is no person's word: that it is granted already is all it asks.
    return before === undefined || by === CANCELLATION || isSamePerson(before, by)
      ? resulted({ kind: 'withdrawn' })
      : refused('already_decided', before);
  }
  if (isFinal(refund.state)) return refused('final');
  if (
    (await mayBePaidAgain(tx, attempts, stillReturned)) ||
    mayHaveLeft(locked) ||
    // Nobody has weighed it; an operator sees the case and may.
    (by === CANCELLATION && (await mayBeSettledOutside(tx, locked))) ||
    afterTrigger(refund.state, 'withdraw') === undefined
  )
    return refused('may_have_left');
  await end(tx, locked, {
    on: 'withdraw',
    why: reason,
    actor: by,
    ...(ticket === undefined ? {} : { data: { ticket } }),
  });
  return resulted({ kind: 'withdrawn' });
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

/** Who withdrew it, also where what happened outside then counted for all of it. The program's own ends have nobody's name. */
async function endedBy(tx: Tx, { id, state }: RefundRow): Promise<string | undefined> {
  if (!CLOSED_STATES.includes(state) || state === 'failed') return undefined;
  const events = await tx
    .selectFrom('events')
    .select('actor')
    .where('refund_id', '=', id)
    .where('type', '=', `refund.${state}`)
    .orderBy('id')
    .execute();
  const actor = events.at(-1)?.actor;
  return actor === 'system' ? undefined : actor;
}

export function decide(database: Database, decision: Decision): Promise<CommandResult<'decide'>> {
  return database.transaction(async (tx) => {
    const locked = await lockRefund(tx, decision.refundId);
    return executeOnce(
      tx,
      locked,
      { kind: 'decide', said: decision, about: { instruction: decision.instruction } },
      () => verdictOn(tx, locked, decision),
    );
  });
}

async function verdictOn(tx: Tx, locked: Locked, decision: Decision): Promise<Executed<'decide'>> {
  const { refund } = locked;
  const before = await decidedBefore(tx, refund.id, 'decide', decision.instruction);
  if (refund.state === 'awaiting_approval' && refund.instruction?.hash !== decision.instruction)
    return refused('instruction_changed');
  if (before !== undefined && !isSamePerson(before.by, decision.by))
    return refused('already_decided', before.by);
  // The same verdict of the same operator again changes nothing.
  if (before?.state === decision.verdict) return resulted({ kind: 'decided' });
  if (before !== undefined || refund.state !== 'awaiting_approval') return refused('not_awaiting_approval');
  if (isSamePerson(decision.by, refund.requested_by)) return refused('own_request');
  if ((await redirectors(tx, refund.id)).some((by) => isSamePerson(by, decision.by)))
    return refused('own_proposal');
  const proposal = await openProposal(tx, refund.id);
  if (proposal !== undefined && decision.verdict === 'approved') return refused('proposal_open', proposal.by);
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
  return resulted({ kind: 'decided' }, { state: decision.verdict });
}

/** Money of this refund that has left, or may have. */
export function mayHaveLeft({ attempts }: Locked): boolean {
  return attempts.some((attempt) => isOpenAttempt(attempt.state) || attempt.state === 'succeeded');
}

/** Ends a refund with nothing paid. Where a part was paid, "failed" would be a lie: a person decides about the rest. */
export async function close(
  tx: Tx,
  locked: Locked,
  on: 'give_up' | 'correct_failed',
  why: string,
  actor = 'system',
): Promise<void> {
  if (mayHaveLeft(locked)) {
    await openCase(tx, locked.refund, 'partly_refunded', { why, ...moneyOf(locked) });
    if (afterTrigger(locked.refund.state, 'ask_person') !== undefined)
      await move(tx, locked.refund, { on: 'ask_person', why: 'partly_refunded', actor });
    return;
  }
  if (afterTrigger(locked.refund.state, on) !== undefined) await end(tx, locked, { on, why, actor });
}

/** The last move of a refund that paid nothing. What the customer has from outside since it was asked for counts for it, and is said. */
async function end(tx: Tx, locked: Locked, change: Move): Promise<void> {
  let refund = await cover(tx, locked.refund, await unclaimedSince(tx, locked));
  if (remainingOf({ ...locked, refund }) > 0n) {
    await move(tx, refund, change);
    return;
  }
  const on = outsideOf(refund);
  // A signed correction ends it while its attempt was open: that one was not executed, which comes first.
  if (afterTrigger(refund.state, on) === undefined)
    refund = await move(tx, refund, { ...change, on: 'answer_rejected' });
  await move(tx, refund, { ...change, on });
}

/** Named after what counts most of it. */
const outsideOf = (refund: RefundRow): 'dispute' | 'refund_elsewhere' =>
  refund.charged_back_minor > refund.elsewhere_minor ? 'dispute' : 'refund_elsewhere';
