/** Records that a payment could not be read when a refund needed it, and continues the refund once it can. */
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import type { RefundState } from '../../domain/refund/states.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { openCase } from '../core/cases.js';
import { lockRefund, type LockedRefund } from '../core/locks.js';
import { move, READABLE } from '../core/state-changes.js';
import type { Database, Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { openProposal } from '../commands/command-results.js';
import { observe } from '../payments/observation.js';
import type { UnreadablePayment } from '../core/queries.js';
import { currentSnapshot } from '../core/snapshots.js';

/** States in which the next step may need to read the payment. */
const NEEDS_PAYMENT: readonly RefundState[] = ['reserved', 'rejected', 'fallback_checking'];

/** Records one query that could not be read. The first one starts the budget, by the database's clock. */
export function recordUnreadable(
  database: Database,
  refundId: string,
  unreadable: UnreadablePayment,
): Promise<RefundSnapshot> {
  return database.transaction(async (tx) => {
    const locked = await lockRefund(tx, refundId);
    if (concerns(locked)) await retain(tx, locked, unreadable);
    return currentSnapshot(tx, refundId);
  });
}

/** True for what is unread only after the payment was read: a credit's card, or its registration. */
const isAboutCard = (what: UnreadablePayment['for'] | null): boolean =>
  what === 'card' || what === 'registration';

/** True if the refund still needs the payment. A query for a step that the refund has left says nothing about the next step. */
function concerns({ refund, attempts }: LockedRefund): boolean {
  if (attempts.some(({ state }) => isOpenAttempt(state))) return false;
  return NEEDS_PAYMENT.includes(refund.state) || waitsForReading(refund);
}

const waitsForReading = ({ state, why, unread_for }: LockedRefund['refund']): boolean =>
  state === 'manual_review' && why === 'original_unreadable' && unread_for !== null;

async function retain(
  tx: Tx,
  { refund }: LockedRefund,
  { isLasting, answer, ...read }: UnreadablePayment,
): Promise<void> {
  const isSame = isAboutCard(refund.unread_for) === isAboutCard(read.for);
  await tx
    .updateTable('refunds')
    .set({
      unread_for: isSame ? (refund.unread_for ?? read.for) : read.for,
      unread_since: isSame ? (refund.unread_since ?? NOW) : NOW,
      unread_at: NOW,
      unread_count: isSame ? refund.unread_count + 1 : 1,
      unread_answer: answer,
    })
    .where('id', '=', refund.id)
    .execute();
  if (!isLasting || refund.state === 'manual_review') return;
  await openCase(tx, refund, 'original_unreadable', { answer });
  await move(tx, refund, { on: 'open_case', why: 'original_unreadable' });
}

/**
 * Records that the payment was read. A refund that is in review only for that returns to the step that needed it. It stays in review if
 * an operator has proposed a correction since.
 */
export function recordReadable(
  database: Database,
  refundId: string,
  original: OriginalFacts,
): Promise<RefundSnapshot> {
  return database.transaction(async (tx) => {
    const { payment } = await lockRefund(tx, refundId);
    await observe(tx, payment, original);
    const { refund } = await lockRefund(tx, refundId);
    if (waitsForReading(refund) && (await openProposal(tx, refundId)) === undefined)
      await move(tx, refund, { on: refund.unread_for === 'credit' ? 'check_again' : 'compare_again' });
    return currentSnapshot(tx, refundId);
  });
}

/** Clears the budget once the payment was read for the refund's next step. A card that could not be opened keeps its budget. */
export async function clearUnread(tx: Tx, { id, state, unread_for }: LockedRefund['refund']): Promise<void> {
  if (unread_for === null || isAboutCard(unread_for) || state === 'manual_review') return;
  await tx.updateTable('refunds').set(READABLE).where('id', '=', id).execute();
}

/** Clears the budget of a card that could not be opened or registered, once its credit is opened. */
export async function clearCardUnread(tx: Tx, { id, unread_for }: LockedRefund['refund']): Promise<void> {
  if (isAboutCard(unread_for)) await tx.updateTable('refunds').set(READABLE).where('id', '=', id).execute();
}
