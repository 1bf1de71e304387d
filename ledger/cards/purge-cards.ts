/** Destroys keys of cards whose time is over, and those that a lost key-encryption key makes unreadable. */
import { sql, type RawBuilder } from 'kysely';
import type { CardEnd } from '../../domain/card/sealed-card.js';
import { FINAL_STATES } from '../../domain/refund/states.js';
import type { Database, Tx } from '../db/database.js';
import { refundsWith } from './card-views.js';
import { CVV_MS, destroyCard } from './cards.js';
import { deleteKeyCheck } from './key-checks.js';

export interface PurgedCards {
  /** Keys of CVVs older than 24 hours. */
  readonly cvvs: number;
  readonly expired: number;
  /** Cards whose refunds are all final for longer than the grace. */
  readonly used: number;
}

const BATCH = 500;
const BY = 'maintenance';
const FINALS = sql.join(FINAL_STATES.map((state) => sql.lit(state)));

const IS_EXPIRED = sql`cards.expires_at <= now()`;
const OWN_REFUNDS = refundsWith(sql`cards.id`);
/** All refunds with the card are final, and were for longer than the grace. */
const IS_USED_UP = sql`(
  exists ${OWN_REFUNDS} and not exists (
    select from ${OWN_REFUNDS} as own
    where own.state not in (${FINALS}) or own.state_since > now() - cards.grace_ms * interval '1 millisecond'))`;

/** Any number of processes may do it at once. `signal`: ends it early. */
export async function purgeCards(database: Database, signal?: AbortSignal): Promise<PurgedCards> {
  const { rows } = await sql<{ count: number }>`
    with gone as (
      delete from card_keys where field = 'cvv' and sealed_at < now() - ${CVV_MS} * interval '1 millisecond' returning 1)
    select count(*)::integer as count from gone`.execute(database.db);
  return {
    cvvs: rows[0]?.count ?? 0,
    expired: await destroyAll(database, IS_EXPIRED, 'expired', signal),
    used: await destroyAll(database, IS_USED_UP, 'used', signal),
  };
}

async function destroyAll(
  database: Database,
  isDue: RawBuilder<unknown>,
  why: CardEnd,
  signal: AbortSignal | undefined,
): Promise<number> {
  for (let count = 0; ;) {
    const { locked, destroyed } = await database.transaction((tx) => destroyBatch(tx, isDue, why));
    count += destroyed;
    if (locked < BATCH || destroyed === 0 || signal?.aborted === true) return count;
  }
}

async function destroyBatch(tx: Tx, isDue: RawBuilder<unknown>, why: CardEnd) {
  const locked = await sql<{ id: string }>`
    select id from cards where destroyed_at is null and ${isDue}
    order by expires_at limit ${BATCH} for update skip locked`.execute(tx);
  const ids = locked.rows.map(({ id }) => id);
  if (ids.length === 0) return { locked: 0, destroyed: 0 };
  // Read again under the lock: a refund may have been accepted since the first statement began.
  const due = await sql<{ id: string }>`
    select id from cards where id = any(${ids}::uuid[]) and ${isDue}`.execute(tx);
  for (const { id } of due.rows) await destroyCard(tx, id, BY, why);
  return { locked: ids.length, destroyed: due.rows.length };
}

/** Destroys the cards whose keys only a lost key-encryption key opens, and the CVVs that it sealed. Returns the number of cards. */
export async function purgeLostKey(database: Database, kekId: string, by: string): Promise<number> {
  return database.transaction(async (tx) => {
    const { rows } = await sql<{ id: string }>`
      select id from cards
      where id in (select card_id from card_keys where kek_id = ${kekId} and field = 'card') for update`.execute(
      tx,
    );
    for (const { id } of rows) await destroyCard(tx, id, by, 'key_lost');
    await tx.deleteFrom('card_keys').where('kek_id', '=', kekId).execute();
    await deleteKeyCheck(tx, kekId);
    return rows.length;
  });
}
