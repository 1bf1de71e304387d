/** What an answer, a look-up or a notice says about an attempt, recorded once: attempt, balance, refund, event. */
import { sql } from 'kysely';
import type { Position } from '../domain/next-step.js';
import type { Timings } from '../domain/plan.js';
import { provesAbsence } from '../domain/absence.js';
import { afterTrigger, ATTEMPT_EVIDENCE, isOpenAttempt, OPEN_ATTEMPT_STATES } from '../domain/states.js';
import type { AttemptState, RefundTrigger } from '../domain/states.js';
import type { Database, Tx } from './database.js';
import {
  append,
  attemptsOf,
  lockAttempt,
  move,
  openCase,
  reservedFor,
  type AttemptRow,
  type Locked,
  type RefundRow,
} from './books.js';
import type { CaseReason } from '../domain/finding.js';
import type { Evidence, Inquiry } from './ledger.js';
import { remainingOf } from './open.js';
import { positionOf } from './records.js';

type LockedAttempt = Locked & { readonly attempt: AttemptRow };

export function record(database: Database, evidence: Evidence): Promise<Position> {
  return database.transaction(async (tx) => {
    const locked = await lockAttempt(tx, evidence.attemptId);
    await apply(tx, locked, evidence);
    return current(tx, locked.refund.id);
  });
}

async function apply(tx: Tx, locked: LockedAttempt, evidence: Evidence): Promise<void> {
  const { attempt } = locked;
  const { outcome } = evidence;
  // An answer to an earlier handing-over says nothing certain about the later one, unless money moved.
  const isStale = evidence.send !== null && evidence.send !== attempt.sends;
  switch (outcome.kind) {
    case 'succeeded':
      return succeed(tx, locked, evidence, outcome.gatewayId);
    case 'pending':
      if (!ATTEMPT_EVIDENCE.pending.includes(attempt.state)) return;
      await update(tx, attempt, evidence, { state: 'pending', gatewayId: outcome.gatewayId });
      return step(tx, locked.refund, 'answer_pending', evidence);
    case 'rejected':
      if (attempt.state === 'succeeded') return undo(tx, locked, evidence, outcome.gatewayId);
      if (isStale || !ATTEMPT_EVIDENCE.rejected.includes(attempt.state)) return;
      await update(tx, attempt, evidence, {
        state: 'rejected',
        refusal: outcome.class,
        ...(outcome.gatewayId === undefined ? {} : { gatewayId: outcome.gatewayId }),
      });
      return step(tx, locked.refund, 'answer_rejected', evidence);
    case 'unknown':
      if (isStale || !isOpenAttempt(attempt.state)) return;
      if (outcome.why === 'found_twice') await openCase(tx, locked.refund, 'found_twice');
      if (attempt.state !== 'submitting') {
        await update(tx, attempt, evidence, { state: attempt.state, note: outcome.why });
        return;
      }
      await update(tx, attempt, evidence, { state: 'unknown', note: outcome.why });
      return step(tx, locked.refund, 'answer_unknown', evidence, outcome.why);
    case 'not_sent':
      // Only the sender knows this, and only of its own handing-over.
      if (isStale || evidence.source !== 'answer' || !ATTEMPT_EVIDENCE.absent.includes(attempt.state)) return;
      await update(tx, attempt, evidence, { state: 'absent', note: outcome.why });
      return step(tx, locked.refund, 'not_at_gateway', evidence, outcome.why);
    default:
      return outcome satisfies never;
  }
}

/** Money has left. It is recorded whatever our side thought, once, by the attempt's own key. */
async function succeed(tx: Tx, locked: LockedAttempt, evidence: Evidence, gatewayId: string): Promise<void> {
  const { attempt, refund, payment } = locked;
  if (attempt.state === 'succeeded') {
    if (attempt.gateway_id !== gatewayId)
      await openCase(tx, refund, 'answers_contradict', { gatewayId, recorded: attempt.gateway_id });
    return;
  }
  if (!ATTEMPT_EVIDENCE.succeeded.includes(attempt.state)) return;
  const held = await reservedFor(tx, refund.id);
  const fromReservation = held < attempt.amount_minor ? held : attempt.amount_minor;
  const isNew = await append(tx, {
    key: `attempt:${attempt.id}:succeeded`,
    type: 'attempt.succeeded',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    reserved: -fromReservation,
    succeeded: attempt.amount_minor,
    // The reservation was gone already: the gateway's fact stands all the same.
    fromOutside: fromReservation < attempt.amount_minor,
    actor: evidence.source,
    data: { gatewayId, code: evidence.code },
  });
  if (!isNew) return;
  await update(tx, attempt, evidence, { state: 'succeeded', gatewayId, refusal: null });
  const after = await lockAttempt(tx, attempt.id);
  if (fromReservation < attempt.amount_minor || after.payment.excess_minor > 0n)
    await openCase(tx, refund, 'paid_twice', { excessMinor: after.payment.excess_minor.toString() });
  if (after.attempts.some((other) => other.id !== attempt.id && isOpenAttempt(other.state))) {
    // A refused attempt turns out paid while another is under way: stop, and let a person look.
    await openCase(tx, refund, 'answers_contradict', { gatewayId });
    if (afterTrigger(refund.state, 'ask_person') !== undefined)
      await move(tx, refund, { on: 'ask_person', why: 'answers_contradict' });
    return;
  }
  return step(tx, refund, remainingOf(after) > 0n ? 'part_succeeded' : 'answer_succeeded', evidence);
}

/** A success that came back. Only a look-up may say so: a late answer or a notice is no proof. */
async function undo(
  tx: Tx,
  { attempt, refund, payment }: LockedAttempt,
  evidence: Evidence,
  gatewayId: string | undefined,
): Promise<void> {
  if (evidence.source !== 'look_up' || gatewayId !== attempt.gateway_id) {
    if (evidence.source !== 'notice') await openCase(tx, refund, 'answers_contradict', { code: evidence.code });
    return;
  }
  await append(tx, {
    key: `attempt:${attempt.id}:returned`,
    type: 'attempt.returned',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    returned: attempt.amount_minor,
    reserved: attempt.amount_minor,
    fromOutside: true,
    actor: evidence.source,
    data: { gatewayId, code: evidence.code },
  });
  await update(tx, attempt, evidence, { state: 'returned' });
  await step(tx, refund, 'come_back', evidence);
}

/** Moves the refund where the machine has such a move. Where it has none, the fact is kept and a person compares. */
async function step(tx: Tx, refund: RefundRow, on: RefundTrigger, evidence: Evidence, why?: string): Promise<void> {
  if (afterTrigger(refund.state, on) === undefined) {
    if (refund.state !== 'succeeded') await openCase(tx, refund, 'answers_contradict', { trigger: on });
    return;
  }
  await move(tx, refund, {
    on,
    actor: evidence.source,
    ...(why === undefined ? {} : { why }),
    ...(evidence.code === undefined ? {} : { data: { code: evidence.code } }),
  });
}

async function update(
  tx: Tx,
  attempt: AttemptRow,
  evidence: Evidence,
  change: {
    readonly state: AttemptState;
    readonly gatewayId?: string;
    readonly refusal?: string | null;
    readonly note?: string;
  },
): Promise<void> {
  await tx
    .updateTable('attempts')
    .set({
      state: change.state,
      note: change.note ?? null,
      ...(change.gatewayId === undefined ? {} : { gateway_id: change.gatewayId }),
      ...(change.refusal === undefined ? {} : { refusal_class: change.refusal }),
      ...(evidence.code === undefined ? {} : { result_code: evidence.code }),
      ...(evidence.description === undefined ? {} : { result_description: evidence.description }),
      ...(change.state === 'absent' || change.state === 'unknown' ? {} : { answered_at: sql<Date>`now()` }),
    })
    .where('id', '=', attempt.id)
    .execute();
  if (evidence.source === 'look_up') await noteLookUp(tx, attempt.id, evidence.code ?? evidence.outcome.kind);
}

async function noteLookUp(tx: Tx, attemptId: string, answer: string): Promise<void> {
  await tx.insertInto('look_ups').values({ attempt_id: attemptId, answer }).execute();
  await tx
    .updateTable('attempts')
    .set({ look_ups: sql<number>`look_ups + 1` })
    .where('id', '=', attemptId)
    .execute();
}

/** The attempt whose outcome is open, in the form a look-up needs. */
export async function inquiry(database: Database, refundId: string): Promise<Inquiry | null> {
  const row = await database.db
    .selectFrom('attempts')
    .innerJoin('payments', 'payments.id', 'attempts.payment_id')
    .selectAll('attempts')
    .select(['payments.entity_id', 'payments.currency'])
    .where('refund_id', '=', refundId)
    .where('attempts.state', 'in', OPEN_ATTEMPT_STATES)
    .executeTakeFirst();
  if (row === undefined) return null;
  const references = await database.db
    .selectFrom('attempts')
    .select('reference')
    .where('payment_id', '=', row.payment_id)
    .execute();
  const elsewhere = await database.db
    .selectFrom('events')
    .select(sql<string>`data->>'gatewayId'`.as('id'))
    .where('payment_id', '=', row.payment_id)
    .where('type', '=', 'payment.returned_elsewhere')
    .execute();
  return {
    explained: new Set([...references.map(({ reference }) => reference), ...elsewhere.map(({ id }) => id)]),
    attemptId: row.id,
    way: row.way,
    state: row.state,
    entityId: row.entity_id,
    paymentId: row.payment_id,
    originalId: row.original_id,
    reference: row.reference,
    amountMinor: row.amount_minor,
    currency: row.currency,
  };
}

export function recordMiss(
  database: Database,
  attemptId: string,
  miss: { readonly answer: string; readonly countsIfLate: boolean },
  timings: Timings,
): Promise<Position> {
  return database.transaction(async (tx) => {
    const locked = await lockAttempt(tx, attemptId);
    const { attempt, refund } = locked;
    await noteLookUp(tx, attemptId, miss.answer);
    if (attempt.state === 'submitting' || attempt.state === 'unknown') {
      const { late, spacing } = await tx
        .selectNoFrom([
          sql<number>`(extract(epoch from now() - ${attempt.send_by}::timestamptz) * 1000)::float8`.as('late'),
          sql<number | null>`(extract(epoch from now() - ${attempt.last_miss_at}::timestamptz) * 1000)::float8`.as(
            'spacing',
          ),
        ])
        .executeTakeFirstOrThrow();
      const verdict = provesAbsence(
        { sinceSendByMs: late, sinceLastMissMs: spacing, misses: attempt.misses, originalFound: miss.countsIfLate },
        timings,
      );
      if (verdict !== 'no_proof')
        await tx
          .updateTable('attempts')
          .set({ misses: attempt.misses + 1, last_miss_at: sql<Date>`now()` })
          .where('id', '=', attemptId)
          .execute();
      if (verdict === 'absent') await foundAbsent(tx, attempt, refund);
    }
    return current(tx, refund.id);
  });
}

/** A linked attempt may be sent again. A credit may not: the gateway would not cap it, so a person asks the acquirer. */
async function foundAbsent(tx: Tx, attempt: AttemptRow, refund: RefundRow): Promise<void> {
  if (attempt.way === 'credit') {
    const why: CaseReason = 'credit_not_found';
    await openCase(tx, refund, why);
    if (afterTrigger(refund.state, 'ask_person') !== undefined) await move(tx, refund, { on: 'ask_person', why });
    return;
  }
  await tx
    .updateTable('attempts')
    .set({ state: 'absent', note: 'proven absent' })
    .where('id', '=', attempt.id)
    .execute();
  await move(tx, refund, { on: 'not_at_gateway', why: 'proven absent', actor: 'look_up' });
}

async function current(tx: Tx, refundId: string): Promise<Position> {
  const refund = await tx.selectFrom('refunds').selectAll().where('id', '=', refundId).executeTakeFirstOrThrow();
  return positionOf(tx, refund, await attemptsOf(tx, refundId));
}
