/** Shared by refunds and credits: checks that the step is due and not taken, then marks the attempt as submitted. */
import { sql } from 'kysely';
import { v7 as uuid } from 'uuid';
import type { CaseReason } from '../../domain/refund/reasons.js';
import { principalKey } from '../../domain/names.js';
import { nextStep } from '../../domain/refund/next-step.js';
import type { RefundConfig, Timings } from '../../domain/refund/config.js';
import { referenceFor } from '../../domain/refund/reference.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import type { Operation } from '../../domain/refund/operation.js';
import { openCase } from '../core/cases.js';
import { append } from '../core/events.js';
import type { AttemptRow, LockedRefund } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import type { Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { LedgerError, type Opened, type Submission } from '../ledger.js';
import { currentSnapshot, snapshotOf } from '../core/snapshots.js';

export interface Target {
  readonly operation: Operation;
  readonly originalId: string | null;
  readonly registrationId: string | null;
  /** The sealed card of a credit. */
  readonly cardRef?: string | null;
  /** For the limits of credits: the registration, or the fingerprint of the card. */
  readonly destinationKey?: string;
  /** True if the submission carries a CVV. */
  readonly withCvv?: boolean;
  readonly amountMinor: bigint;
  /** True for a credit that an operator approved. */
  readonly approved?: boolean;
}

/**
 * True if `kind` is the refund's next step and due now. A restarted run begins with submitting, and an activity may run again after its
 * answer was recorded: neither may take a step that the refund's state does not require.
 */
export async function isStepDue(
  kind: 'submit' | 'credit',
  tx: Tx,
  locked: LockedRefund,
  config: RefundConfig,
): Promise<boolean> {
  // The caller has just read the payment if it is needed, so the time for which it could not be read does not count.
  const { unread: _, ...snapshot } = await snapshotOf(tx, locked.refund, locked.attempts);
  const step = nextStep(snapshot, config);
  if (step.kind !== kind) return false;
  // After a decline the wait must be over by the database's clock: a run whose timer is fast waits for the rest. A submission that was
  // not sent, an absent attempt and a wait for other attempts need no such check.
  return snapshot.state !== 'rejected' || ('after' in step && step.after === 0);
}

export async function openCaseInstead(
  tx: Tx,
  { refund }: LockedRefund,
  why: CaseReason,
  details: Readonly<Record<string, unknown>> = {},
): Promise<Opened> {
  await openCase(tx, refund, why, details);
  await move(tx, refund, { on: 'open_case', why });
  return resume(tx, refund.id);
}

/**
 * Takes over an open attempt, if there is one. An attempt that was submitted and has no answer becomes `unknown`: it may have left. It is
 * queried, not submitted.
 */
export async function resumeOpenAttempt(tx: Tx, locked: LockedRefund): Promise<Opened | undefined> {
  const current = locked.attempts.find((attempt) => isOpenAttempt(attempt.state));
  if (current === undefined) return undefined;
  if (current.state === 'submitting') {
    await tx
      .updateTable('attempts')
      .set({ state: 'unknown', note: 'resumed without an answer' })
      .where('id', '=', current.id)
      .execute();
    if (locked.refund.state === 'submitting')
      await move(tx, locked.refund, { on: 'answer_unknown', why: 'resumed without an answer' });
  }
  return resume(tx, locked.refund.id);
}

export async function resume(tx: Tx, refundId: string): Promise<Extract<Opened, { kind: 'resume' }>> {
  return { kind: 'resume', snapshot: await currentSnapshot(tx, refundId) };
}

export function isPartialReversal({ payment }: LockedRefund, target: Target): boolean {
  return target.operation === 'reversal' && target.amountMinor < payment.authorized_minor;
}

export async function open(
  tx: Tx,
  locked: LockedRefund,
  target: Target,
  timings: Timings,
): Promise<Submission> {
  const { payment, refund, attempts } = locked;
  const number = attempts.length + 1;
  const id = uuid();
  const reference = referenceFor(refund.id, target.operation, number);
  const inserted = await tx
    .insertInto('attempts')
    .values({
      id,
      refund_id: refund.id,
      payment_id: payment.id,
      entity_id: payment.entity_id,
      number,
      operation: target.operation,
      original_id: target.originalId,
      registration_id: target.registrationId,
      card_id: target.cardRef ?? null,
      destination_key: target.destinationKey ?? null,
      with_cvv: target.withCvv ?? false,
      reference,
      amount_minor: target.amountMinor,
      currency: refund.currency,
      requester: principalKey(refund.requested_by),
      approved: target.approved ?? false,
      state: 'submitting',
      send_by: sendBy(timings),
      gateway_id: null,
      result_code: null,
      result_description: null,
      decline_class: null,
      note: null,
    })
    .onConflict((conflict) => conflict.column('reference').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined)
    throw new LedgerError('reference_taken', `the reference ${reference} belongs to another attempt`, {
      reference,
    });
  return submit(tx, locked, { id, submissions: 1, reference, ...target });
}

/** Submits an absent attempt again, under the same reference. `sent`: the means of a credit, which may be another registration by now. */
export async function reopen(
  tx: Tx,
  locked: LockedRefund,
  attempt: AttemptRow,
  timings: Timings,
  sent: Pick<Target, 'registrationId' | 'withCvv' | 'approved'> = { registrationId: attempt.registration_id },
): Promise<Submission> {
  await tx
    .updateTable('attempts')
    .set({
      state: 'submitting',
      registration_id: sent.registrationId,
      // Counted towards the limits unless this submission was approved as well.
      approved: attempt.approved && (sent.approved ?? false),
      with_cvv: attempt.with_cvv || (sent.withCvv ?? false),
      submissions: attempt.submissions + 1,
      send_by: sendBy(timings),
      sent_at: NOW,
      not_found_count: 0,
      last_not_found_at: null,
      queries: 0,
      queried_at: null,
      note: null,
    })
    .where('id', '=', attempt.id)
    .execute();
  return submit(tx, locked, {
    id: attempt.id,
    submissions: attempt.submissions + 1,
    reference: attempt.reference,
    operation: attempt.operation,
    originalId: attempt.original_id,
    registrationId: sent.registrationId,
    cardRef: attempt.card_id,
    amountMinor: attempt.amount_minor,
  });
}

async function submit(
  tx: Tx,
  locked: LockedRefund,
  attempt: Target & { readonly id: string; readonly submissions: number; readonly reference: string },
): Promise<Submission> {
  const { payment, refund } = locked;
  await append(tx, {
    key: `attempt:${attempt.id}:sent:${attempt.submissions}`,
    type: 'attempt.submitted',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    data: {
      operation: attempt.operation,
      reference: attempt.reference,
      amountMinor: attempt.amountMinor.toString(),
    },
  });
  await move(tx, refund, { on: 'submit', data: { reference: attempt.reference } });
  return {
    attemptId: attempt.id,
    send: attempt.submissions,
    operation: attempt.operation,
    entityId: payment.entity_id,
    originalId: attempt.originalId,
    registrationId: attempt.registrationId,
    cardRef: attempt.cardRef ?? null,
    reference: attempt.reference,
    amountMinor: attempt.amountMinor,
    currency: refund.currency,
    isPartialReversal: isPartialReversal(locked, attempt),
  };
}

/**
 * Returns the send-by deadline by the database's clock. The sender measures the same interval on its monotonic clock, from before this
 * transaction.
 */
function sendBy(timings: Timings) {
  return sql<Date>`now() + ${timings.sendWindow} * interval '1 millisecond'`;
}
