/** Reads what a card is used for. */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { FINAL_STATES, type RefundState } from '../../domain/refund/states.js';
import type { Tables } from '../db/database.js';
import { isCardRef } from '../../domain/ids.js';
import type { CardRow } from './cards.js';

export interface CardUse {
  readonly refundId: string;
  readonly state: RefundState;
}

export interface CardRecord {
  readonly row: CardRow;
  /** `ready`: can be used; `used`: a credit carried it, or it was older than 24 hours; `none`: sealed without one. */
  readonly cvv: 'ready' | 'used' | 'none';
  /** Refunds and credits that name the card, newest first. */
  readonly uses: readonly CardUse[];
}

/**
 * Subquery of the refunds that name a card now, or had an attempt with it; some of them twice. Two parts, so that each reads its own index: with
 * `or`, PostgreSQL reads every refund for each card.
 */
export const refundsWith = (cardId: RawBuilder<unknown>): RawBuilder<unknown> => sql`(
  select named.id, named.state, named.state_since from refunds as named
  where named.destination ? 'cardRef' and named.destination ->> 'cardRef' = ${cardId}::text
  union all
  select tried.id, tried.state, tried.state_since from attempts as a join refunds as tried on tried.id = a.refund_id
  where a.card_id = ${cardId}::uuid)`;

/** Condition for refunds that name the card of `id` now, or had an attempt with it. */
const isUseOf = (id: string) =>
  sql<boolean>`refunds.id in (select own.id from ${refundsWith(sql`${id}`)} as own)`;

export async function readCard(db: Kysely<Tables>, cardRef: string): Promise<CardRecord | null> {
  if (!isCardRef(cardRef)) return null;
  const row = await db.selectFrom('cards').selectAll().where('id', '=', cardRef).executeTakeFirst();
  if (row === undefined) return null;
  const { rows: keys } = await sql<{ ready: boolean }>`
    select sealed_at > now() - interval '24 hours' as ready from card_keys
    where card_id = ${cardRef} and field = 'cvv'`.execute(db);
  const uses = await db
    .selectFrom('refunds')
    .select(['id as refundId', 'state'])
    .where(isUseOf(cardRef))
    .orderBy('id', 'desc')
    .execute();
  return { row, cvv: keys[0]?.ready === true ? 'ready' : row.needs_cvv ? 'used' : 'none', uses };
}

/** True if a refund that is not final names the card. */
export async function isInUse(db: Kysely<Tables>, cardRef: string): Promise<boolean> {
  const found = await db
    .selectFrom('refunds')
    .select('id')
    .where(isUseOf(cardRef))
    .where('state', 'not in', FINAL_STATES)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}
