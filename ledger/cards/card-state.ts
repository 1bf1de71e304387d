/** Whether a card may become the destination of a credit. */
import type { Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { endOf, lockCard } from './cards.js';

/** `clientId`: the card must have been sealed by this client; another one's card is unknown to it. Holds a lock against destroying. */
export async function cardState(
  tx: Tx,
  cardRef: string,
  clientId?: string,
): Promise<'usable' | 'card_unknown' | 'card_destroyed'> {
  const row = await lockCard(tx, cardRef, 'share');
  if (row === undefined || (clientId !== undefined && row.client_id !== clientId)) return 'card_unknown';
  const { now } = await tx.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow();
  return endOf(row, now) === null ? 'usable' : 'card_destroyed';
}
