/** Destination of a credit: a registration at the gateway, or a sealed card. */

/** Where a credit goes. `cardRef` names a sealed card; no card data is part of it. */
export type Destination = { readonly registrationId: string } | { readonly cardRef: string };

export const isCardDestination = (
  destination: Destination | null | undefined,
): destination is { readonly cardRef: string } => destination != null && 'cardRef' in destination;
