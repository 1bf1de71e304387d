/** Seals cards, shows what they are used for, and destroys them. For the API and the command line. */
import { v7 as uuid } from 'uuid';
import {
  readCardRequest,
  readCvvRequest,
  type CardProblem,
  type CardReading,
} from '../domain/card/card-request.js';
import type { CardData, CardEnd } from '../domain/card/sealed-card.js';
import type { Database } from '../ledger/db/database.js';
import { NOW } from '../ledger/db/expressions.js';
import { isInUse, readCard, type CardRecord } from '../ledger/cards/card-views.js';
import { destroyCard, endOf, insertCard, lockCard, storeCvv, type CardRow } from '../ledger/cards/cards.js';
import type { CardSealer } from '../ledger/cards/seal.js';
import type { RefundState } from '../domain/refund/states.js';
import { invalid, RefundsError } from './errors.js';

export interface CardsOptions {
  readonly database: Database;
  /** Seals only: nothing that has these options can open a card. */
  readonly sealer: CardSealer;
  readonly graceMs: number;
  readonly maxAgeMs: number;
  /** True if an entity is on a live host. */
  readonly isLive: boolean;
}

/** Answer to a new card. It has no other field, ever. */
export interface AddedCard {
  readonly cardRef: string;
  readonly brand: string;
  readonly last4: string;
  readonly expiresAt: string;
}

export interface Card extends AddedCard {
  readonly createdAt: string;
  /** `ready`, `used` (a credit needs a new one) or `none`. */
  readonly cvv: CardRecord['cvv'];
  readonly destroyed: { readonly at: string; readonly by: string; readonly why: CardEnd } | null;
  readonly refunds: readonly { readonly id: string; readonly state: RefundState }[];
}

export interface Cards {
  /** Returns every problem of the card data of a request. */
  problemsOf(input: unknown): readonly CardProblem[];
  /** Checks and seals the card data of a request. */
  add(clientId: string, input: unknown): Promise<AddedCard>;
  /** Replaces the CVV. `clientId`: only a card of this client; undefined: any card. */
  renewCvv(cardRef: string, input: unknown, clientId?: string): Promise<Card>;
}

/** Throws `RefundsError`, whose messages and details hold no card data. */
export function createCards({ database, sealer, graceMs, maxAgeMs, isLive }: CardsOptions): Cards {
  const read = (input: unknown): CardReading<CardData> => readCardRequest(input, { now: new Date(), isLive });
  return {
    problemsOf(input) {
      const reading = read(input);
      return reading.ok ? [] : reading.problems;
    },
    async add(clientId, input) {
      const card = valueOf(read(input));
      const sealed = await sealing(() => sealer.seal(uuid(), card));
      const expiresAt = await database.transaction((tx) =>
        insertCard(tx, sealed, clientId, { maxAgeMs, graceMs }),
      );
      const { cardRef, brand, last4 } = sealed;
      return { cardRef, brand, last4, expiresAt: expiresAt.toISOString() };
    },
    async renewCvv(cardRef, input, clientId) {
      const { row } = await recordOf(database, cardRef);
      if (clientId !== undefined && row.client_id !== clientId) throw unknownCard();
      const cvv = valueOf(readCvvRequest(input, row.brand));
      const sealed = await sealing(() => sealer.sealCvv(cardRef, row.format_version, cvv));
      await database.transaction(async (tx) => {
        const locked = await lockCard(tx, cardRef, 'update');
        const { now } = await tx.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow();
        if (locked === undefined) throw unknownCard();
        if (endOf(locked, now) !== null) throw destroyedCard(cardRef);
        await storeCvv(tx, cardRef, sealed);
      });
      return showCard(database, cardRef);
    },
  };
}

export async function showCard(database: Database, cardRef: string): Promise<Card> {
  return viewOf(await recordOf(database, cardRef));
}

/** Destroys a card, unless a refund with it is not final. A card that is destroyed already stays as it is. */
export async function destroyCardByHand(database: Database, cardRef: string, by: string): Promise<Card> {
  await database.transaction(async (tx) => {
    const row = await lockCard(tx, cardRef, 'update');
    if (row === undefined) throw unknownCard();
    if (row.destroyed_at !== null) return;
    if (await isInUse(tx, cardRef))
      throw new RefundsError(
        'card_in_use',
        'a refund with this card is not final: withdraw it or change its destination first',
      );
    await destroyCard(tx, cardRef, by, 'by_operator');
  });
  return showCard(database, cardRef);
}

async function recordOf({ db }: Database, cardRef: string): Promise<CardRecord> {
  const record = await readCard(db, cardRef);
  if (record === null) throw unknownCard();
  return record;
}

const unknownCard = (): RefundsError =>
  new RefundsError('card_unknown', 'there is no card with this reference');
const destroyedCard = (cardRef: string): RefundsError =>
  new RefundsError('card_destroyed', `the card ${cardRef} was destroyed: seal it again with POST /v1/cards`);

function valueOf<Read>(reading: CardReading<Read>): Read {
  if (!reading.ok) throw invalid(reading.problems);
  return reading.value;
}

/** Reports an unavailable key provider. Its own error is not passed on: the request in it may hold a data key. */
async function sealing<Sealed>(seal: () => Promise<Sealed>): Promise<Sealed> {
  try {
    return await seal();
  } catch {
    throw new RefundsError(
      'key_provider_unavailable',
      'the keys that seal cards cannot be used now; nothing was stored, send the same request again',
    );
  }
}

function viewOf({ row, cvv, uses }: CardRecord): Card {
  return {
    cardRef: row.id,
    brand: row.brand,
    last4: row.last4,
    expiresAt: row.expires_at.toISOString(),
    createdAt: row.created_at.toISOString(),
    cvv: row.destroyed_at === null ? cvv : cvv === 'none' ? 'none' : 'used',
    destroyed: endedBy(row),
    refunds: uses.map(({ refundId, state }) => ({ id: refundId, state })),
  };
}

function endedBy({ destroyed_at, destroyed_by, destroyed_why }: CardRow): Card['destroyed'] {
  return destroyed_at === null || destroyed_by === null || destroyed_why === null
    ? null
    : { at: destroyed_at.toISOString(), by: destroyed_by, why: destroyed_why };
}
