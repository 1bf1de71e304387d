/** What every transaction of the ledger is made of: the payment's lock, an event, a change of state. */
import { sql } from 'kysely';
import {
  afterTrigger,
  CLOSED_STATES,
  isFinal,
  isOpenAttempt,
  type RefundTrigger,
} from '../../domain/refund/states.js';
import { STAY_OPEN, type CaseReason } from '../../domain/payment/finding.js';
import { isAttemptId, isRefundId } from '../../domain/ids.js';
import type { PaymentTable, RefundTable, AttemptTable, Tx } from '../db/database.js';
import type { Selectable } from 'kysely';
import { NEXT_VERSION, NOW } from '../db/expressions.js';
import { LedgerError } from '../ledger.js';

export type PaymentRow = Selectable<PaymentTable>;
export type RefundRow = Selectable<RefundTable>;
export type AttemptRow = Selectable<AttemptTable>;

/** A refund with its payment's row locked: nobody else changes either before this transaction ends. */
export interface Locked {
  readonly payment: PaymentRow;
  readonly refund: RefundRow;
  /** Oldest first. */
  readonly attempts: readonly AttemptRow[];
}

export type LockedAttempt = Locked & { readonly attempt: AttemptRow };

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

/** Always the payment first: one order of locks, no deadlock. */
export async function lockRefund(tx: Tx, refundId: string): Promise<Locked> {
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

/** Locks the payment, then reads the refund as it is from that moment on. */
async function lockOn(tx: Tx, paymentId: string, refundId: string): Promise<Locked> {
  const payment = await lockPayment(tx, paymentId);
  return { payment, ...(await readRefundRows(tx, refundId)) };
}

async function readRefundRows(tx: Tx, refundId: string): Promise<Pick<Locked, 'refund' | 'attempts'>> {
  const refund = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('id', '=', refundId)
    .executeTakeFirstOrThrow();
  return { refund, attempts: await attemptsOf(tx, refundId) };
}

export async function lockAttempt(
  tx: Tx,
  attemptId: string,
): Promise<Locked & { readonly attempt: AttemptRow }> {
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

/** The rows as they are after what this transaction, which holds the lock, has done to them. */
export async function reloadAttempt(tx: Tx, { attempt, payment }: LockedAttempt): Promise<LockedAttempt> {
  const rows = await readRefundRows(tx, attempt.refund_id);
  return withAttempt({ payment: await reload(tx, payment.id), ...rows }, attempt.id);
}

function withAttempt(locked: Locked, attemptId: string): LockedAttempt {
  const attempt = locked.attempts.find((candidate) => candidate.id === attemptId);
  if (attempt === undefined)
    throw new LedgerError('refund_unknown', `attempt ${attemptId} is not in the ledger`);
  return { attempt, ...locked };
}

export function attemptsOf(tx: Tx, refundId: string): Promise<AttemptRow[]> {
  return tx.selectFrom('attempts').selectAll().where('refund_id', '=', refundId).orderBy('number').execute();
}

export interface NewEvent {
  /** The fact's natural key: the same fact twice is one row and one effect. */
  readonly key: string;
  readonly type: string;
  readonly paymentId: string;
  readonly refundId?: string;
  readonly attemptId?: string;
  readonly reserved?: bigint;
  readonly succeeded?: bigint;
  readonly returned?: bigint;
  readonly disputed?: bigint;
  /** Of what succeeded or came back: money that was never captured, released by a reversal. */
  readonly released?: bigint;
  readonly fromOutside?: boolean;
  readonly actor?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Appends a fact; false where it was there already. The balances follow by trigger. */
export async function append(tx: Tx, event: NewEvent): Promise<boolean> {
  const inserted = await tx
    .insertInto('events')
    .values({
      natural_key: event.key,
      type: event.type,
      payment_id: event.paymentId,
      refund_id: event.refundId ?? null,
      attempt_id: event.attemptId ?? null,
      reserved_delta: event.reserved ?? 0n,
      succeeded_delta: event.succeeded ?? 0n,
      returned_delta: event.returned ?? 0n,
      disputed_delta: event.disputed ?? 0n,
      released_delta: event.released ?? 0n,
      from_outside: event.fromOutside ?? false,
      actor: event.actor ?? 'system',
      data: JSON.stringify(event.data ?? {}),
    })
    .onConflict((conflict) => conflict.column('natural_key').doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

/**
 * Appends what the gateway shows. The key names its transaction; where another payment has a fact by that key already, this one is
 * that payment's besides.
 */
export async function appendOutside(tx: Tx, event: NewEvent): Promise<boolean> {
  const fact = { ...event, fromOutside: true, actor: 'gateway' };
  if (await append(tx, fact)) return true;
  const holder = await tx
    .selectFrom('events')
    .select('payment_id')
    .where('natural_key', '=', event.key)
    .executeTakeFirst();
  if (holder?.payment_id === event.paymentId) return false;
  return append(tx, { ...fact, key: `${event.key}:${event.paymentId}` });
}

export interface Move {
  readonly on: RefundTrigger;
  readonly why?: string | null;
  readonly actor?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly blocks?: readonly string[];
}

/** The payment of a refund was read: what the next query that fails begins with. */
export const READABLE = {
  unread_for: null,
  unread_since: null,
  unread_at: null,
  unread_times: 0,
  unread_answer: null,
} as const;

/** Changes a refund's state by the machine in domain/refund/states, with its event. A final state releases what is still reserved. */
export async function move(tx: Tx, refund: RefundRow, change: Move): Promise<RefundRow> {
  const to = afterTrigger(refund.state, change.on);
  if (to === undefined)
    throw new LedgerError(
      'illegal_transition',
      `refund ${refund.id} is ${refund.state}: ${change.on} is not possible`,
      {
        state: refund.state,
        trigger: change.on,
      },
    );
  const why = change.why ?? null;
  const leavesReview = refund.state === 'manual_review' && to !== 'manual_review';
  const moved = await tx
    .updateTable('refunds')
    .set({
      state: to,
      why,
      version: NEXT_VERSION,
      updated_at: NOW,
      ...(to === refund.state ? {} : { state_since: NOW }),
      ...(change.blocks === undefined ? {} : { blocks: JSON.stringify(change.blocks) }),
      ...(leavesReview && refund.unread_for !== null ? READABLE : {}),
    })
    .where('id', '=', refund.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const closes = CLOSED_STATES.includes(to) || change.on === 'rest_settled';
  const held = closes ? await reservedFor(tx, refund.id) : 0n;
  await append(tx, {
    key: `refund:${refund.id}:${moved.version}`,
    type: `refund.${to}`,
    paymentId: refund.payment_id,
    refundId: refund.id,
    reserved: -held,
    ...(change.actor === undefined ? {} : { actor: change.actor }),
    data: why === null ? (change.data ?? {}) : { why, ...change.data },
  });
  if (isFinal(to) || leavesReview) await closeCases(tx, refund.id, change);
  // Nothing is proposed about a refund whose first answer is not in yet: the usual way ends without asking.
  if (isFinal(to) && refund.state !== 'submitting') await overtakeProposals(tx, refund.id);
  return moved;
}

/** What is still held for a refund: a function of its events. */
export async function reservedFor(tx: Tx, refundId: string): Promise<bigint> {
  const { held } = await tx
    .selectFrom('events')
    .select(sql<string>`coalesce(sum(reserved_delta), 0)::text`.as('held'))
    .where('refund_id', '=', refundId)
    .executeTakeFirstOrThrow();
  return BigInt(held);
}

/** Opens a case; one that is open for the same reason is enough. */
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

async function closeCases(tx: Tx, refundId: string, change: Move): Promise<void> {
  await tx
    .updateTable('cases')
    .set({ closed_at: NOW, closed_by: change.actor ?? change.on })
    .where('refund_id', '=', refundId)
    .where('closed_at', 'is', null)
    .where('why', 'not in', STAY_OPEN)
    .execute();
}

/** Of a refund that had ended: the outcome of its last open attempt is known now. */
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

/** What was proposed is settled by other evidence: nobody is asked to confirm it any more. */
async function overtakeProposals(tx: Tx, refundId: string): Promise<void> {
  await tx
    .updateTable('command_results')
    .set({ state: 'overtaken', decided_at: NOW })
    .where('refund_id', '=', refundId)
    .where('state', '=', 'open')
    .execute();
}

/** Tells whoever watches that something about the refund is new, though its state is not. */
export async function bumpVersion(tx: Tx, refundId: string): Promise<void> {
  await tx
    .updateTable('refunds')
    .set({ version: NEXT_VERSION, updated_at: NOW })
    .where('id', '=', refundId)
    .execute();
}

/** The payment's row as it is after events of this transaction. */
export function reload(tx: Tx, paymentId: string): Promise<PaymentRow> {
  return tx.selectFrom('payments').selectAll().where('id', '=', paymentId).executeTakeFirstOrThrow();
}
