/** What the gateway shows on a payment and nobody can count: noted once, and an operator is asked. */
import type { OriginalDoubt } from '../../domain/payment/original.js';
import { FINAL_STATES } from '../../domain/refund/states.js';
import { openCase } from '../core/cases.js';
import { appendOutside } from '../core/events.js';
import type { PaymentRow, RefundRow } from '../core/locks.js';
import type { Tx } from '../db/database.js';

/** As many as an operator reads; the timeline has all. */
const MOST_SHOWN = 20;

/**
 * Opens a case for doubts that are new on this payment: on its refunds that are under way, else on its newest one. An operator who
 * closes it is not asked about the same transaction again.
 */
export async function askAboutDoubts(
  tx: Tx,
  { payment, doubts }: { readonly payment: PaymentRow; readonly doubts: readonly OriginalDoubt[] },
): Promise<void> {
  if (doubts.length > 0) await noteDoubts(tx, payment.id, doubts);
}

/** The payment need not be locked: nothing of its balance changes. */
export async function noteDoubts(tx: Tx, paymentId: string, doubts: readonly OriginalDoubt[]): Promise<void> {
  const news: OriginalDoubt[] = [];
  for (const doubt of doubts) {
    const { gatewayId, why } = doubt;
    const key = `payment:${paymentId}:doubt:${why}:${gatewayId}`;
    if (await appendOutside(tx, { key, type: 'payment.unclear', paymentId, data: { gatewayId, why } }))
      news.push(doubt);
  }
  if (news.length === 0) return;
  for (const refund of await concerned(tx, paymentId))
    await openCase(tx, refund, 'payment_unclear', { doubts: news.slice(0, MOST_SHOWN) });
}

/** Whether anything on the payment could ever not be counted. */
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
  const underWay = await tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .where('state', 'not in', FINAL_STATES)
    .execute();
  if (underWay.length > 0) return underWay;
  return tx
    .selectFrom('refunds')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .orderBy('id', 'desc')
    .limit(1)
    .execute();
}

/** Doubts of another payment's observation that concern this one. */
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
