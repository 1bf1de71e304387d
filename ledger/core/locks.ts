/** Locks of a payment's row, and the rows of refunds and attempts that they protect. */
import type { Selectable } from 'kysely';
import { isAttemptId, isRefundId } from '../../domain/ids.js';
import type { AttemptTable, PaymentTable, RefundTable, Tx } from '../db/database.js';
import { LedgerError } from '../ledger.js';

export type PaymentRow = Selectable<PaymentTable>;
export type RefundRow = Selectable<RefundTable>;
export type AttemptRow = Selectable<AttemptTable>;

/** A refund whose payment's row is locked: no other transaction changes either until this one ends. */
export interface LockedRefund {
  readonly payment: PaymentRow;
  readonly refund: RefundRow;
  /** Oldest first. */
  readonly attempts: readonly AttemptRow[];
}

export type LockedAttempt = LockedRefund & { readonly attempt: AttemptRow };

/** Locks the payment's row. Throws `LedgerError` `payment_unknown`. */
export async function lockPayment(tx: Tx, paymentId: string): Promise<PaymentRow> {
  const payment = await tx
    .selectFrom('payments')
    .selectAll()
    .where('id', '=', paymentId)
    .forUpdate()
    .executeTakeFirst();
  if (payment === undefined)
    throw new LedgerError('payment_unknown', `payment ${paymentId} is not in the ledger`);
  return payment;
}

/** Locks the payment of a refund, then reads the refund. Every transaction locks the payment first, so none can deadlock. */
export async function lockRefund(tx: Tx, refundId: string): Promise<LockedRefund> {
  if (!isRefundId(refundId))
    throw new LedgerError('refund_unknown', `refund ${refundId} is not in the ledger`);
  const found = await tx
    .selectFrom('refunds')
    .select('payment_id')
    .where('id', '=', refundId)
    .executeTakeFirst();
  if (found === undefined) throw new LedgerError('refund_unknown', `refund ${refundId} is not in the ledger`);
  return lockOn(tx, found.payment_id, refundId);
}

/** Locks the payment, then reads the refund, which cannot change from then on. */
async function lockOn(tx: Tx, paymentId: string, refundId: string): Promise<LockedRefund> {
  const payment = await lockPayment(tx, paymentId);
  return { payment, ...(await readRefundRows(tx, refundId)) };
}

async function readRefundRows(tx: Tx, refundId: string): Promise<Pick<LockedRefund, 'refund' | 'attempts'>> {
  const refund = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('id', '=', refundId)
    .executeTakeFirstOrThrow();
  return { refund, attempts: await attemptsOf(tx, refundId) };
}

/** Locks the payment of an attempt, then reads its refund with all attempts. */
export async function lockAttempt(tx: Tx, attemptId: string): Promise<LockedAttempt> {
  if (!isAttemptId(attemptId))
    throw new LedgerError('refund_unknown', `attempt ${attemptId} is not in the ledger`);
  const found = await tx
    .selectFrom('attempts')
    .select(['refund_id', 'payment_id'])
    .where('id', '=', attemptId)
    .executeTakeFirst();
  if (found === undefined)
    throw new LedgerError('refund_unknown', `attempt ${attemptId} is not in the ledger`);
  return withAttempt(await lockOn(tx, found.payment_id, found.refund_id), attemptId);
}

/** Reads the rows again after this transaction, which holds the lock, has changed them. */
export async function reloadAttempt(tx: Tx, { attempt, payment }: LockedAttempt): Promise<LockedAttempt> {
  const rows = await readRefundRows(tx, attempt.refund_id);
  return withAttempt({ payment: await reload(tx, payment.id), ...rows }, attempt.id);
}

function withAttempt(locked: LockedRefund, attemptId: string): LockedAttempt {
  const attempt = locked.attempts.find((candidate) => candidate.id === attemptId);
  if (attempt === undefined)
    throw new LedgerError('refund_unknown', `attempt ${attemptId} is not in the ledger`);
  return { attempt, ...locked };
}

/** Returns the attempts of a refund, oldest first. */
export function attemptsOf(tx: Tx, refundId: string): Promise<AttemptRow[]> {
  return tx.selectFrom('attempts').selectAll().where('refund_id', '=', refundId).orderBy('number').execute();
}

/** Reads the payment's row again, after this transaction appended events. */
export function reload(tx: Tx, paymentId: string): Promise<PaymentRow> {
  return tx.selectFrom('payments').selectAll().where('id', '=', paymentId).executeTakeFirstOrThrow();
}
