/** Changes the state of a refund, with its event. */
import { afterTrigger, CLOSED_STATES, isFinal, type RefundTrigger } from '../../domain/refund/states.js';
import type { Tx } from '../db/database.js';
import { NEXT_VERSION, NOW } from '../db/expressions.js';
import { LedgerError } from '../ledger.js';
import { closeCases } from './cases.js';
import { append, reservedFor } from './events.js';
import type { RefundRow } from './locks.js';

/** A transition of a refund's state. */
export interface Move {
  readonly on: RefundTrigger;
  readonly why?: string | null;
  readonly actor?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly blocks?: readonly string[];
}

/** Column values of a refund whose payment was read: the next query that fails starts a new budget. */
export const READABLE = {
  unread_for: null,
  unread_since: null,
  unread_at: null,
  unread_count: 0,
  unread_answer: null,
} as const;

/**
 * Changes a refund's state by the state machine in domain/refund/states, and appends the event. A final state releases the reservation.
 * Throws `LedgerError` `illegal_transition` if the state has no such transition.
 */
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
  if (isFinal(to) || leavesReview) await closeCases(tx, refund.id, change.actor ?? change.on);
  // While the first answer is awaited no correction can be proposed, so the happy path skips this query.
  if (isFinal(to) && refund.state !== 'submitting') await overtakeProposals(tx, refund.id);
  return moved;
}

/** Ends the open proposal of a refund that other evidence has settled. */
async function overtakeProposals(tx: Tx, refundId: string): Promise<void> {
  await tx
    .updateTable('command_results')
    .set({ state: 'superseded', decided_at: NOW })
    .where('refund_id', '=', refundId)
    .where('state', '=', 'open')
    .execute();
}

/** Raises the refund's version, so that watchers read it again although its state is the same. */
export async function bumpVersion(tx: Tx, refundId: string): Promise<void> {
  await tx
    .updateTable('refunds')
    .set({ version: NEXT_VERSION, updated_at: NOW })
    .where('id', '=', refundId)
    .execute();
}
