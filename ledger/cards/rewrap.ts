/** Wraps data keys again with the sealing key, so that an older key-encryption key can be retired. The cards themselves are not opened. */
import { sql } from 'kysely';
import { CardUnreadable } from '../../domain/card/sealed-card.js';
import type { Database } from '../db/database.js';
import type { CardField, KeyProvider } from './key-provider.js';

export interface Rewrapped {
  readonly rewrapped: number;
  /** Keys that did not open; they stay as they are. */
  readonly unreadable: number;
  /** Keys that are left, unreadable ones included. */
  readonly left: number;
}

interface KeyRow {
  readonly card_id: string;
  readonly field: CardField;
  readonly kek_id: string;
  readonly wrapped: Uint8Array;
  readonly format_version: number;
}

const BATCH = 200;

/**
 * Continues where an interrupted run stopped: keys that the sealing key wrapped are done. Each key is replaced on its own, unless it was
 * destroyed or replaced meanwhile. `onProgress`: called after each batch.
 */
export async function rewrap(
  database: Database,
  provider: KeyProvider,
  onProgress?: (done: Rewrapped) => void,
): Promise<Rewrapped> {
  let done: Rewrapped = { rewrapped: 0, unreadable: 0, left: await left(database, provider) };
  let [card, field]: readonly [string, string] = ['00000000-0000-0000-0000-000000000000', ''];
  for (;;) {
    const { rows } = await sql<KeyRow>`
      select k.card_id, k.field, k.kek_id, k.wrapped, cards.format_version
      from card_keys k join cards on cards.id = k.card_id
      where k.kek_id <> ${provider.sealingKeyId} and (k.card_id, k.field) > (${card}::uuid, ${field})
      order by k.card_id, k.field limit ${BATCH}`.execute(database.db);
    for (const row of rows) {
      const isDone = await rewrapOne(database, provider, row);
      done = {
        rewrapped: done.rewrapped + (isDone ? 1 : 0),
        unreadable: done.unreadable + (isDone ? 0 : 1),
        left: done.left - (isDone ? 1 : 0),
      };
      [card, field] = [row.card_id, row.field];
    }
    if (rows.length === 0) return { ...done, left: await left(database, provider) };
    onProgress?.(done);
  }
}

async function rewrapOne({ db }: Database, provider: KeyProvider, row: KeyRow): Promise<boolean> {
  const context = { cardRef: row.card_id, field: row.field, formatVersion: row.format_version };
  try {
    const dataKey = await provider.unwrap({ kekId: row.kek_id, wrapped: row.wrapped }, context);
    try {
      const fresh = await provider.wrap(dataKey, context);
      await db
        .updateTable('card_keys')
        .set({ kek_id: fresh.kekId, wrapped: fresh.wrapped })
        .where('card_id', '=', row.card_id)
        .where('field', '=', row.field)
        .where('wrapped', '=', row.wrapped)
        .execute();
      return true;
    } finally {
      dataKey.fill(0);
    }
  } catch (error) {
    if (error instanceof CardUnreadable) return false;
    throw error;
  }
}

async function left({ db }: Database, { sealingKeyId }: KeyProvider): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from card_keys where kek_id <> ${sealingKeyId}`.execute(db);
  return rows[0]?.count ?? 0;
}
