/** Rows of sealed cards: stores them, reads them for a credit, and destroys their keys. */
import type { Selectable } from 'kysely';
import { isCardRef } from '../../domain/ids.js';
import type { CardEnd, SealedCard, SealedField } from '../../domain/card/sealed-card.js';
import type { CardTable, Tx } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import type { NewCard } from './seal.js';

/** Milliseconds for which a CVV can be used after it was sealed. */
export const CVV_MS = 24 * 3_600_000;

export type CardRow = Selectable<CardTable>;

export type FoundCard =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'destroyed'; readonly row: CardRow; readonly why: CardEnd }
  /** The row of the key is missing, but was not destroyed: the ledger was restored without `card_keys`. */
  | { readonly kind: 'no_key'; readonly row: CardRow }
  | {
      readonly kind: 'sealed';
      readonly row: CardRow;
      /** `cvv` is null if there is none, it was used, or it is older than 24 hours. */
      readonly sealed: SealedCard;
    };

export interface CardLife {
  /** Milliseconds until its keys are destroyed, whatever happens. */
  readonly maxAgeMs: number;
  /** Milliseconds between the end of its last refund and the end of its keys. */
  readonly graceMs: number;
}

/** Stores a card that was sealed just now. Returns the time at which its keys are destroyed at the latest. */
export async function insertCard(
  tx: Tx,
  card: NewCard,
  clientId: string,
  { maxAgeMs, graceMs }: CardLife,
): Promise<Date> {
  const { now } = await tx.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow();
  const expiresAt = new Date(now.getTime() + maxAgeMs);
  await tx
    .insertInto('cards')
    .values({
      id: card.cardRef,
      client_id: clientId,
      brand: card.brand,
      last4: card.last4,
      initials: card.initials,
      fingerprint: card.fingerprint,
      format_version: card.formatVersion,
      sealed: card.card.sealed,
      sealed_cvv: card.cvv?.sealed ?? null,
      needs_cvv: card.cvv !== null,
      expires_at: expiresAt,
      grace_ms: BigInt(graceMs),
    })
    .execute();
  await insertKey(tx, card.cardRef, 'card', card.card);
  if (card.cvv !== null) await insertKey(tx, card.cardRef, 'cvv', card.cvv);
  return expiresAt;
}

const insertKey = (tx: Tx, cardRef: string, field: 'card' | 'cvv', { kekId, wrapped }: SealedField) =>
  tx.insertInto('card_keys').values({ card_id: cardRef, field, kek_id: kekId, wrapped }).execute();

/** Locks the row of a card: `share` keeps it from being destroyed, `update` keeps others from using it. Undefined if there is none. */
export async function lockCard(
  tx: Tx,
  cardRef: string,
  how: 'share' | 'update',
): Promise<CardRow | undefined> {
  if (!isCardRef(cardRef)) return undefined;
  const query = tx.selectFrom('cards').selectAll().where('id', '=', cardRef);
  return (how === 'share' ? query.forShare() : query.forUpdate()).executeTakeFirst();
}

/** Reads a card for a credit to it. */
export async function readSealedCard(tx: Tx, cardRef: string): Promise<FoundCard> {
  if (!isCardRef(cardRef)) return { kind: 'unknown' };
  const { now } = await tx.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow();
  const row = await tx.selectFrom('cards').selectAll().where('id', '=', cardRef).executeTakeFirst();
  if (row === undefined) return { kind: 'unknown' };
  const why = endOf(row, now);
  if (why !== null) return { kind: 'destroyed', row, why };
  const keys = await tx.selectFrom('card_keys').selectAll().where('card_id', '=', cardRef).execute();
  const card = keys.find(({ field }) => field === 'card');
  if (card === undefined) return { kind: 'no_key', row };
  const cvv = keys.find(
    ({ field, sealed_at }) => field === 'cvv' && now.getTime() - sealed_at.getTime() < CVV_MS,
  );
  return {
    kind: 'sealed',
    row,
    sealed: {
      cardRef,
      formatVersion: row.format_version,
      card: { sealed: row.sealed, kekId: card.kek_id, wrapped: card.wrapped },
      cvv:
        cvv === undefined || row.sealed_cvv === null
          ? null
          : { sealed: row.sealed_cvv, kekId: cvv.kek_id, wrapped: cvv.wrapped },
    },
  };
}

/** Returns why a card cannot be used any more; null if it can. A card past its time counts as destroyed before its keys are deleted. */
export function endOf(row: Pick<CardRow, 'destroyed_why' | 'expires_at'>, now: Date): CardEnd | null {
  if (row.destroyed_why !== null) return row.destroyed_why;
  return row.expires_at.getTime() <= now.getTime() ? 'expired' : null;
}

/** True if both have the same ciphertexts. Each sealing makes another one; wrapping a key again makes none. */
export const isSameSealed = (one: SealedCard, other: SealedCard): boolean =>
  one.cardRef === other.cardRef &&
  isSameText(one.card, other.card) &&
  (one.cvv === null || other.cvv === null ? one.cvv === other.cvv : isSameText(one.cvv, other.cvv));

const isSameText = (one: SealedField, other: SealedField): boolean =>
  Buffer.compare(one.sealed, other.sealed) === 0;

/** Destroys the key of the CVV, before the request that carries the CVV leaves. */
export async function takeCvv(tx: Tx, cardRef: string): Promise<void> {
  await tx.deleteFrom('card_keys').where('card_id', '=', cardRef).where('field', '=', 'cvv').execute();
}

/** Replaces the CVV of a card. The caller holds the lock of the row. */
export async function storeCvv(tx: Tx, cardRef: string, cvv: SealedField): Promise<void> {
  await takeCvv(tx, cardRef);
  await tx
    .updateTable('cards')
    .set({ sealed_cvv: cvv.sealed, needs_cvv: true })
    .where('id', '=', cardRef)
    .execute();
  await insertKey(tx, cardRef, 'cvv', cvv);
}

/** Destroys the keys of a card; its row stays. The caller holds the lock of the row (`update`). */
export async function destroyCard(tx: Tx, cardRef: string, by: string, why: CardEnd): Promise<void> {
  await tx.deleteFrom('card_keys').where('card_id', '=', cardRef).execute();
  await tx
    .updateTable('cards')
    .set({ destroyed_at: NOW, destroyed_by: by, destroyed_why: why })
    .where('id', '=', cardRef)
    .where('destroyed_at', 'is', null)
    .execute();
}
