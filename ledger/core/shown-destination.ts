/** Reads what people see of the cards that destinations name. */
import type { Kysely } from 'kysely';
import {
  isCardDestination,
  type Destination,
  type ShownCard,
  type ShownDestination,
} from '../../domain/refund/destination.js';
import type { Tables } from '../db/database.js';

/** Returns what people see of a card, and its fingerprint. Null if there is no such card. */
export async function shownDestination(
  db: Kysely<Tables>,
  { cardRef }: { readonly cardRef: string },
): Promise<{ readonly shown: ShownCard; readonly key: string } | null> {
  const row = await db
    .selectFrom('cards')
    .select(['brand', 'last4', 'initials', 'fingerprint'])
    .where('id', '=', cardRef)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { brand, last4, initials, fingerprint } = row;
  return { shown: { cardRef, brand, last4, initials }, key: fingerprint };
}

/** Returns a function that shows each of these destinations. Reads no table if none of them is a card. */
export async function showDestinations(
  db: Kysely<Tables>,
  destinations: readonly (Destination | null)[],
): Promise<(destination: Destination | null) => ShownDestination | null> {
  const refs = destinations.filter((one) => isCardDestination(one)).map(({ cardRef }) => cardRef);
  const rows =
    refs.length === 0
      ? []
      : await db
          .selectFrom('cards')
          .select(['id', 'brand', 'last4', 'initials'])
          .where('id', 'in', refs)
          .execute();
  const cards = new Map(rows.map(({ id, ...shown }) => [id, shown]));
  return (destination) => {
    if (!isCardDestination(destination)) return destination;
    const { cardRef } = destination;
    return { cardRef, ...(cards.get(cardRef) ?? { brand: '', last4: '', initials: '' }) };
  };
}
