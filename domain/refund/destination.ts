/** Destination of a credit: a registration at the gateway, or a sealed card. */

/** Destination of a credit. `cardRef` names a sealed card; no card data is part of it. */
export type Destination = { readonly registrationId: string } | { readonly cardRef: string };

/** The part of a sealed card that people see. */
export interface ShownCard {
  readonly cardRef: string;
  readonly brand: string;
  readonly last4: string;
  /** Initials of the holder. */
  readonly initials: string;
}

/** A destination as operators and clients see it. */
export type ShownDestination = { readonly registrationId: string } | ShownCard;

export const isCardDestination = <Card extends { readonly cardRef: string }>(
  destination: { readonly registrationId: string } | Card | null | undefined,
): destination is Card => destination != null && 'cardRef' in destination;

/** Returns one text for each destination: the id of the registration, or the reference of the card behind `card `. */
export const destinationId = (destination: Destination): string =>
  isCardDestination(destination) ? `card ${destination.cardRef}` : destination.registrationId;

/** Returns the destination of an object that has one of its fields and maybe others. */
export const destinationOf = (given: Destination): Destination =>
  isCardDestination(given) ? { cardRef: given.cardRef } : { registrationId: given.registrationId };
