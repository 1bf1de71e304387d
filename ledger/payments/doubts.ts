/** Doubts: facts that the gateway shows on a payment and that cannot be counted. Each is recorded once, with a case for an operator. */
import type { OriginalDoubt } from '../../domain/payment/original.js';
import { FINAL_STATES } from '../../domain/refund/states.js';
import { openCase } from '../core/cases.js';
import { appendOutside } from '../core/events.js';
import type { PaymentRow, RefundRow } from '../core/locks.js';
import type { Tx } from '../db/database.js';

/** Doubts shown in one case. The timeline has all. */
const MOST_SHOWN = 20;

/**
 * Opens a case for new doubts: on the payment's refunds that are not final, or else on its newest refund. After an operator closes it, no
 * case is opened for the same transaction.
 */
export async function askAboutDoubts(
  tx: Tx,
  { payment, doubts }: { readonly payment: PaymentRow; readonly doubts: readonly OriginalDoubt[] },
): Promise<void> {
  if (doubts.length > 0) await noteDoubts(tx, payment.id, doubts);
}

/** Records doubts. The payment need not be locked, because its balance does not change. */
export async function noteDoubts(tx: Tx, paymentId: string, doubts: readonly OriginalDoubt[]): Promise<void> {
  const updates: OriginalDoubt[] = [];
  for (const doubt of doubts) {
    const { gatewayId, why } = doubt;
    const key = `payment:${paymentId}:doubt:${why}:${gatewayId}`;
    if (await appendOutside(tx, { key, type: 'payment.unclear', paymentId, data: { gatewayId, why } }))
      updates.push(doubt);
  }
  if (updates.length === 0) return;
  for (const refund of await concerned(tx, paymentId))
    await openCase(tx, refund, 'payment_unclear', { doubts: updates.slice(0, MOST_SHOWN) });
}

/** True if a doubt was ever recorded on the payment. */
export async function isUnclear(tx: Tx, paymentId: string): Promise<boolean> {
  const doubt = await tx
    .selectFrom('events')
    .select('id')
    .where('payment_id', '=', paymentId)
    .where('type', '=', 'payment.unclear')
    .limit(1)
    .executeTakeFirst();
  return doubt !== undefined;
}

async function concerned(tx: Tx, paymentId: string): Promise<readonly RefundRow[]> {
  const inProgress = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .where('state', 'not in', FINAL_STATES)
    .execute();
  if (inProgress.length > 0) return inProgress;
  return tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .orderBy('id', 'desc')
    .limit(1)
    .execute();
}

/** Returns doubts about this payment that were found while another payment was observed. */
export async function doubtsFromElsewhere(tx: Tx, paymentId: string): Promise<readonly OriginalDoubt[]> {
  const events = await tx
    .selectFrom('events')
    .select('data')
    .where('payment_id', '=', paymentId)
    .where('type', '=', 'payment.unclear')
    .execute();
  return events.flatMap(({ data: { gatewayId, why } }) =>
    why === 'capture_elsewhere' && typeof gatewayId === 'string' ? [{ gatewayId, why }] : [],
  );
}
