/** Opens and closes cases: questions about a refund that an operator has to decide. */
import { STAY_OPEN, type CaseReason } from '../../domain/refund/reasons.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import type { Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { attemptsOf, type RefundRow } from './locks.js';

/** Opens a case, unless one is open for the same reason. */
export async function openCase(
  tx: Tx,
  refund: RefundRow,
  why: CaseReason,
  details: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await tx
    .insertInto('cases')
    .values({
      payment_id: refund.payment_id,
      refund_id: refund.id,
      why,
      details: JSON.stringify(details),
      closed_by: null,
    })
    .onConflict((conflict) =>
      conflict.columns(['refund_id', 'why']).where('closed_at', 'is', null).doNothing(),
    )
    .execute();
}

/** Closes the refund's open cases, except those that only an operator closes. `by` is kept with them. */
export async function closeCases(tx: Tx, refundId: string, by: string): Promise<void> {
  await tx
    .updateTable('cases')
    .set({ closed_at: NOW, closed_by: by })
    .where('refund_id', '=', refundId)
    .where('closed_at', 'is', null)
    .where('why', 'not in', STAY_OPEN)
    .execute();
}

/** Closes cases about an open outcome, once a final refund has no open attempt left. */
export async function closeOutcomeCases(tx: Tx, refundId: string, by: string): Promise<void> {
  const attempts = await attemptsOf(tx, refundId);
  if (attempts.some((attempt) => isOpenAttempt(attempt.state))) return;
  await tx
    .updateTable('cases')
    .set({ closed_at: NOW, closed_by: by })
    .where('refund_id', '=', refundId)
    .where('closed_at', 'is', null)
    .where('why', 'in', ['outcome_unknown', 'pending_too_long', 'id_not_found', 'credit_not_found'])
    .execute();
}
