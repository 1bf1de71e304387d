/** Determines the subject of a correction, and applies the correction once it is signed. */
import { STAY_OPEN } from '../../domain/refund/reasons.js';
import { afterTrigger, isFinal } from '../../domain/refund/states.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { closeOutcomeCases } from '../core/cases.js';
import { append } from '../core/events.js';
import { lockAttempt, type AttemptRow, type LockedRefund } from '../core/locks.js';
import { bumpVersion, move } from '../core/state-changes.js';
import type { Tx } from '../db/database.js';
import { close } from '../refunds/ends.js';
import { NOW } from '../db/expressions.js';
import type { Correction, CorrectionDetails, CommandRefusal } from '../core/commands.js';
import { remainingOf } from '../core/balances.js';
import { returnCountOf } from './returned.js';
import { succeed } from './success.js';

export interface Bound {
  readonly attempt: AttemptRow | undefined;
  readonly details: CorrectionDetails;
}

/** Determines the attempt and the content of a correction, or the reason for which there is nothing to correct. */
export async function bind(
  tx: Tx,
  { refund, attempts }: LockedRefund,
  correction: Correction,
): Promise<Bound | { readonly why: CommandRefusal }> {
  const { outcome, evidence, reference } = correction;
  const { currency } = refund;
  if (outcome === 'case_closed') {
    if (!isFinal(refund.state)) return { why: 'not_final' };
    const cases = await closableCases(tx, refund.id, correction.case);
    if (cases.length === 0) return { why: 'no_case' };
    return {
      attempt: undefined,
      details: { outcome, evidence, amountMinor: refund.amount_minor.toString(), currency, cases },
    };
  }
  const attempt =
    reference === undefined
      ? (attempts.find(({ state }) => isOpenAttempt(state)) ?? attempts.at(-1))
      : attempts.find((candidate) => candidate.reference === reference);
  if (attempt === undefined) return { why: 'nothing_to_correct' };
  const returns = await returnCountOf(tx, attempt);
  return {
    attempt,
    details: {
      outcome,
      evidence,
      amountMinor: attempt.amount_minor.toString(),
      currency,
      reference: attempt.reference,
      submissions: attempt.submissions,
      ...(returns === 0 ? {} : { returns }),
    },
  };
}

/** Returns the reasons of open cases that only an operator closes, sorted. */
async function closableCases(tx: Tx, refundId: string, only: string | undefined): Promise<readonly string[]> {
  const cases = await tx
    .selectFrom('cases')
    .select('why')
    .where('refund_id', '=', refundId)
    .where('closed_at', 'is', null)
    .where('why', 'in', STAY_OPEN)
    .execute();
  const reasons = cases.map(({ why }) => why).filter((why) => only === undefined || why === only);
  return [...new Set(reasons)].sort();
}

export async function apply(
  tx: Tx,
  locked: LockedRefund,
  attempt: AttemptRow | undefined,
  signed: {
    readonly instruction: string;
    readonly details: CorrectionDetails;
    readonly by: string;
    readonly data: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  const { refund, payment } = locked;
  const { details, by, instruction } = signed;
  await append(tx, {
    key: `refund:${refund.id}:corrected:${refund.version}:${instruction}`,
    type: 'refund.corrected',
    paymentId: payment.id,
    refundId: refund.id,
    ...(attempt === undefined ? {} : { attemptId: attempt.id }),
    actor: by,
    data: { instruction, ...details, ...signed.data },
  });
  await bumpVersion(tx, refund.id);
  if (attempt === undefined) return closeTheCases(tx, refund.id, details.cases ?? [], by);
  const now = await lockAttempt(tx, attempt.id);
  if (details.outcome === 'failed') return endCorrected(tx, now.attempt, by);
  await succeed(
    tx,
    now,
    {
      attemptId: attempt.id,
      source: 'operator',
      by,
      outcome: { kind: 'unknown', why: 'no_id' },
      description: 'signed correction',
    },
    attempt.gateway_id,
  );
}

/** Ends an attempt that never paid. The refund ends with it, unless another attempt has paid a part. */
async function endCorrected(tx: Tx, attempt: AttemptRow, by: string): Promise<void> {
  await tx
    .updateTable('attempts')
    .set({
      state: 'rejected',
      note: 'corrected',
      result_description: 'signed correction: it never paid',
      answered_at: NOW,
    })
    .where('id', '=', attempt.id)
    .execute();
  const locked = await lockAttempt(tx, attempt.id);
  if (isFinal(locked.refund.state)) return closeOutcomeCases(tx, locked.refund.id, by);
  const isPaid = remainingOf(locked) <= 0n;
  if (isPaid && afterTrigger(locked.refund.state, 'correct_succeeded') !== undefined)
    await move(tx, locked.refund, { on: 'correct_succeeded', actor: by });
  else await close(tx, locked, 'correct_failed', 'corrected', by);
}

async function closeTheCases(tx: Tx, refundId: string, cases: readonly string[], by: string): Promise<void> {
  await tx
    .updateTable('cases')
    .set({ closed_at: NOW, closed_by: by })
    .where('refund_id', '=', refundId)
    .where('closed_at', 'is', null)
    .where('why', 'in', cases)
    .execute();
}
