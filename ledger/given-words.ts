/** What persons have said about a refund so far: the proposal that waits, who named its destination, and words of no effect on money. */
import { hash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Word } from '../domain/people.js';
import { append, lockRefund } from './books.js';
import type { Database, Tables } from './database.js';

/** The correction that waits for a second person; at most one. */
export function openProposal(tx: Kysely<Tables>, refundId: string) {
  return tx
    .selectFrom('proposals')
    .selectAll()
    .where('refund_id', '=', refundId)
    .where('verdict', 'is', null)
    .executeTakeFirst();
}

/** Whoever named a destination in place of the one before, each time; oldest first. */
export async function redirectors(tx: Kysely<Tables>, refundId: string): Promise<readonly string[]> {
  const events = await tx
    .selectFrom('events')
    .select('actor')
    .where('refund_id', '=', refundId)
    .where('type', '=', 'refund.redirected')
    .orderBy('id')
    .execute();
  return events.map(({ actor }) => actor);
}

/** Kept once for each position of the refund and each word: an activity that runs again says the same. */
export function note(
  database: Database,
  refundId: string,
  what: 'resolved' | 'replayed',
  word: Word,
): Promise<void> {
  return database.transaction(async (tx) => {
    const { refund } = await lockRefund(tx, refundId);
    const said = hash('sha256', JSON.stringify([word.by, word.reason, word.ticket ?? null])).slice(0, 32);
    await append(tx, {
      key: `refund:${refund.id}:${what}:${refund.version}:${said}`,
      type: `refund.${what}`,
      paymentId: refund.payment_id,
      refundId: refund.id,
      actor: word.by,
      data: { reason: word.reason, ...(word.ticket === undefined ? {} : { ticket: word.ticket }) },
    });
  });
}
