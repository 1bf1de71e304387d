/** Captures of a payment, with the amount that a refund can still take from each. */
import { sql } from 'kysely';
import type { OpenCapture } from '../../domain/payment/captures.js';
import { OPEN_ATTEMPT_STATES } from '../../domain/refund/attempt-states.js';
import type { Tx } from '../db/database.js';

/** Returns what is left on each capture, after all refunds that took from it or may still take. Minor units. */
export async function openCaptures(tx: Tx, paymentId: string): Promise<readonly OpenCapture[]> {
  const captures = await tx
    .selectFrom('captures')
    .selectAll('captures')
    .select((eb) =>
      eb
        .selectFrom('attempts')
        .select(sql<string>`coalesce(sum(amount_minor), 0)::text`.as('taken'))
        .whereRef('attempts.original_id', '=', 'captures.id')
        .where('attempts.operation', '=', 'refund')
        .where('attempts.state', 'in', ['succeeded', ...OPEN_ATTEMPT_STATES])
        .as('taken'),
    )
    .where('payment_id', '=', paymentId)
    .execute();
  return captures.map((capture) => {
    const ownLeftMinor = capture.amount_minor - BigInt(capture.taken ?? '0');
    return {
      id: capture.id,
      ownLeftMinor,
      leftMinor: ownLeftMinor - capture.elsewhere_minor,
      doubtfulMinor: capture.doubtful_minor,
    };
  });
}
