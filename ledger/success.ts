/** Money that has left: counted once for each transaction at the gateway, whatever our side thought; and money that came back. */
import { afterTrigger, ATTEMPT_EVIDENCE, isOpenAttempt } from '../domain/states.js';
import { actorOf, noteEvidence, step, type LockedAttempt } from './attempt-ends.js';
import { append, lockAttempt, move, openCase, reservedFor, type AttemptRow } from './books.js';
import type { Tx } from './database.js';
import type { Evidence } from './ledger.js';
import { forgetForeignReturn } from './payments.js';
import { givenBy, overpaidOf, remainingOf } from './records.js';
import { givenNow } from './reversals.js';

/**
 * Money has left. It is recorded whatever our side thought, once, by the attempt's own key. Only a person's word may come without the
 * gateway's id of it.
 */
export async function succeed(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  gatewayId: string | null,
  shownMinor?: bigint,
): Promise<void> {
  const { attempt, refund, payment } = locked;
  if (attempt.state === 'succeeded') return executedAgain(tx, locked, evidence, gatewayId);
  if (hasComeBackSince(attempt, evidence, gatewayId)) return;
  if (!ATTEMPT_EVIDENCE.succeeded.includes(attempt.state)) {
    await openCase(tx, refund, 'answers_contradict', { gatewayId, attempt: attempt.state });
    return;
  }
  // A look-up for another refund may have taken it for a refund that nobody here made.
  if (gatewayId !== null) await forgetForeignReturn(tx, payment.id, gatewayId);
  const held = await reservedFor(tx, refund.id);
  const given = givenNow(payment, attempt, shownMinor);
  const fromReservation = held < given ? held : given;
  const isNew = await append(tx, {
    key: `attempt:${attempt.id}:succeeded`,
    type: 'attempt.succeeded',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    reserved: -fromReservation,
    succeeded: given,
    ...(attempt.way === 'reversal' ? { released: given } : {}),
    // The reservation was gone already: the gateway's fact stands all the same.
    fromOutside: fromReservation < given,
    actor: actorOf(evidence),
    data: { gatewayId, code: evidence.code },
  });
  if (!isNew) return;
  if (attempt.gateway_id !== null && gatewayId !== null && attempt.gateway_id !== gatewayId)
    await openCase(tx, refund, 'answers_contradict', { gatewayId, recorded: attempt.gateway_id });
  await noteEvidence(tx, attempt, evidence, {
    state: 'succeeded',
    refusal: null,
    ...(gatewayId === null ? {} : { gatewayId }),
    ...(given < attempt.amount_minor ? { givenMinor: given } : {}),
  });
  const after = await lockAttempt(tx, attempt.id);
  const overpaid = overpaidOf(after.payment);
  if (fromReservation < given || overpaid > 0n)
    await openCase(tx, refund, 'paid_twice', { excessMinor: overpaid.toString() });
  const owed = remainingOf(after);
  if (after.attempts.some((other) => other.id !== attempt.id && mayStillPayTooMuch(other, owed))) {
    // A refused attempt turns out paid while another is under way or about to be sent again: stop, and let a person look.
    await openCase(tx, refund, 'answers_contradict', { gatewayId });
    if (afterTrigger(refund.state, 'ask_person') !== undefined)
      await move(tx, refund, { on: 'ask_person', why: 'answers_contradict' });
    if (refund.state === 'manual_review' || afterTrigger(refund.state, 'ask_person') !== undefined) return;
  }
  if (owed <= 0n)
    return step(
      tx,
      refund,
      evidence.source === 'person' ? 'correct_succeeded' : 'answer_succeeded',
      evidence,
    );
  const hadEnded = afterTrigger(refund.state, 'part_after_end') !== undefined;
  if (hadEnded) await openCase(tx, refund, 'partly_refunded', { gatewayId });
  return step(
    tx,
    refund,
    hadEnded ? 'part_after_end' : 'part_succeeded',
    evidence,
    hadEnded ? 'partly_refunded' : undefined,
  );
}

/** Open, or absent and of more than is still owed: sent again it would pay that twice. */
function mayStillPayTooMuch(other: AttemptRow, owed: bigint): boolean {
  return isOpenAttempt(other.state) || (other.state === 'absent' && owed > 0n && other.amount_minor > owed);
}

/** A second transaction under one attempt: the gateway executed it twice. The money is counted, and a person has to get it back. */
export async function executedAgain(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  gatewayId: string | null,
): Promise<void> {
  const { attempt, refund, payment } = locked;
  if (gatewayId === null || attempt.gateway_id === gatewayId) return;
  if (attempt.gateway_id === null) return confirmedByGateway(tx, locked, evidence, gatewayId);
  await forgetForeignReturn(tx, payment.id, gatewayId);
  const isNew = await append(tx, {
    key: `attempt:${attempt.id}:executed_again:${gatewayId}`,
    type: 'attempt.executed_again',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    succeeded: attempt.amount_minor,
    fromOutside: true,
    actor: evidence.source,
    data: { gatewayId, recorded: attempt.gateway_id, code: evidence.code },
  });
  if (isNew) await openCase(tx, refund, 'paid_twice', { gatewayId, recorded: attempt.gateway_id });
}

/** Persons had said that it paid, and now the gateway shows it: the same money, counted already. */
async function confirmedByGateway(
  tx: Tx,
  { attempt, payment, refund }: LockedAttempt,
  evidence: Evidence,
  gatewayId: string,
): Promise<void> {
  await forgetForeignReturn(tx, payment.id, gatewayId);
  await append(tx, {
    key: `attempt:${attempt.id}:confirmed:${gatewayId}`,
    type: 'attempt.confirmed',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    actor: actorOf(evidence),
    data: { gatewayId, code: evidence.code },
  });
  await noteEvidence(tx, attempt, evidence, { state: 'succeeded', gatewayId });
}

/** A success that came back. Only a look-up may say so: a late answer or a notice is no proof. */
export async function undo(
  tx: Tx,
  locked: LockedAttempt,
  evidence: Evidence,
  gatewayId: string | undefined,
): Promise<void> {
  const { attempt, refund, payment } = locked;
  if (evidence.source !== 'look_up' || gatewayId !== attempt.gateway_id) {
    if (evidence.source !== 'notice')
      await openCase(tx, refund, 'answers_contradict', { code: evidence.code });
    return;
  }
  // Owed again is only what no other attempt has paid meanwhile.
  const given = givenBy(attempt);
  const owed = remainingOf(locked) + given;
  const held = await reservedFor(tx, refund.id);
  const missing = owed > held ? owed - held : 0n;
  await append(tx, {
    key: `attempt:${attempt.id}:returned`,
    type: 'attempt.returned',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    returned: given,
    ...(attempt.way === 'reversal' ? { released: -given } : {}),
    reserved: missing,
    fromOutside: true,
    actor: evidence.source,
    data: { gatewayId, code: evidence.code },
  });
  await noteEvidence(tx, attempt, evidence, { state: 'returned' });
  if (owed > 0n) await step(tx, refund, 'come_back', evidence);
}

/** The answer of a process that was stopped for a while: this very transaction did succeed, and a look-up has seen it refused since. */
function hasComeBackSince(attempt: AttemptRow, evidence: Evidence, gatewayId: string | null): boolean {
  return (
    evidence.source === 'answer' &&
    attempt.state === 'rejected' &&
    attempt.gateway_id === gatewayId &&
    attempt.look_ups > 0
  );
}
